/** Recipes, run: on an immer draft where the data can be drafted, else on a deep copy. */
import { Immer } from 'immer'
import { isEqual } from '../base/equal'
import { usageError } from '../base/errors'
import { ignoreRejection, isThenable } from '../base/kinds'
import type { Copies } from './copies'
import { copyDeep, isDraftable, shareCopy } from './copies'

/** Runs one recipe on data and gives the new data; the same reference when nothing changed. */
export interface Drafts {
  produce(data: unknown, recipe: (draft: never) => unknown): unknown
}

/**
 * Private, without freezing: copying a frozen array of 10 000 costs 50 times as much as a plain one. With `onImpure`
 * (in development) each recipe runs twice, and is told of when it gives two results.
 */
export function createDrafts(onImpure?: (recipe: (draft: never) => unknown) => void): Drafts {
  const immer = new Immer({ autoFreeze: false })
  const known = new WeakSet<object>()
  const produce: Drafts['produce'] = (data, recipe) => {
    const next = isDraftable(data, known)
      ? immer.produce(data, recipe as (draft: unknown) => unknown)
      : onCopy(data, recipe)
    if (!isThenable(next)) return next
    ignoreRejection(next)
    throw usageError(
      'A recipe returned a promise: change the draft at once, asynchronous work belongs in "mutationFn".',
    )
  }
  if (onImpure === undefined) return { produce }
  return {
    produce(data, recipe) {
      const once = produce(data, recipe)
      if (isDraftable(data, known) && !isEqual(once, produce(data, recipe))) onImpure(recipe)
      return once
    },
  }
}

/** The recipe on a deep copy; what it leaves alone is what it was. */
function onCopy(data: unknown, recipe: (draft: never) => unknown): unknown {
  const copies: Copies = new Map()
  const copy = copyDeep(data, copies)
  const next = recipe(copy as never) ?? copy
  return shareCopy(data, next, new Set(copies.values()))
}
