/** The ready-made answers to a conflict (409, 412): which variables to send next, or none. */

import { isEqual } from '../base/equal'
import type { Problem } from '../base/errors'
import { isPlainObject } from '../base/key'
import type { Version } from '../base/messages'
import type { AnyMutation, ConflictContext, Resolution } from './definition'

/** Rounds of one entry before it is rejected. */
export const CONFLICT_ROUNDS = 3

/** What the server has now, from the answer's `current`. */
export interface Current {
  value: unknown
  version: Version | undefined
}

export function currentOf(problem: Problem | undefined): Current {
  const current = problem?.current
  if (!isPlainObject(current)) return { value: undefined, version: undefined }
  const { version } = current
  return {
    value: current['value'],
    version: typeof version === 'number' || typeof version === 'string' ? version : undefined,
  }
}

/** `'park'`: a person decides. */
export type Decision = 'park' | { reject: true } | { variables: unknown; checked: boolean }

/** The decision, at once where the policy decides at once. Its `checked` says whether the next request carries a precondition. */
export function resolveConflict(
  mutation: AnyMutation,
  context: ConflictContext<unknown>,
): Decision | Promise<Decision> {
  const policy = mutation.conflict ?? 'rebase'
  if (policy === 'manual') return 'park'
  if (policy === 'server-wins') return { reject: true }
  if (policy === 'client-wins') return { variables: context.variables, checked: false }
  if (policy === 'merge')
    return { variables: mergeFields(context.base, context.variables, context.theirs), checked: true }
  if (policy === 'rebase') {
    const rebase = mutation.rebase as ((current: unknown, variables: unknown) => unknown) | undefined
    return {
      variables: rebase === undefined ? context.variables : rebase(context.theirs, context.variables),
      checked: true,
    }
  }
  const decide = policy as (context: ConflictContext<unknown>) => Resolution<unknown> | Promise<Resolution<unknown>>
  const resolution = decide(context)
  return 'then' in resolution ? Promise.resolve(resolution).then(fromResolution) : fromResolution(resolution)
}

export function fromResolution(resolution: Resolution<unknown>): Exclude<Decision, 'park'> {
  if ('reject' in resolution) return { reject: true }
  return { variables: 'variables' in resolution ? resolution.variables : resolution.value, checked: true }
}

/**
 * Field-wise three-way merge: a field of `mine` that the user changed keeps the user's value, any other field takes
 * theirs. Where both changed one field differently, the user's wins. Fields that `mine` does not name are left out.
 */
export function mergeFields(base: unknown, mine: unknown, theirs: unknown): unknown {
  if (!isPlainObject(mine) || !isPlainObject(theirs)) return mine
  const before = isPlainObject(base) ? base : {}
  const merged: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(mine)) {
    const changed = !Object.hasOwn(before, name) || !isEqual(value, before[name])
    if (changed || !Object.hasOwn(theirs, name))
      merged[name] =
        isPlainObject(value) && isPlainObject(theirs[name]) ? mergeFields(before[name], value, theirs[name]) : value
    else merged[name] = theirs[name]
  }
  return merged
}
