/** What changes make of one row by itself, wherever it stands. */
import { isEqual } from '../base/equal'
import type { Drafts } from './drafts'
import type { RowStep } from './moved'
import type { Op, RowOp } from './recipes'
import { bringsRow } from './verbs'

/** A row that a base lacks, as another base had it: what changes of it start from. */
export interface Origin {
  readonly row: unknown
  /** Changes that the row has already, and what they started from: they may be what brings it into a list. */
  readonly start: unknown
  readonly earlier: ReadonlyArray<RowOp & Op>
}
export type Origins = ReadonlyMap<string, Origin>

/** {@link Origin}'s earlier changes, one by one. */
export function stepsBefore(origin: Origin | undefined, drafts: Drafts): RowStep[] {
  let row = origin?.start
  return (origin?.earlier ?? []).map((op) => {
    const before = row
    row = step(row, op, drafts)
    return { before, after: row, number: -1, at: undefined, isMove: false, brings: bringsRow(op) }
  })
}

/** What a change makes of a row, wherever it stands; `undefined`: there is none. */
export function step(row: unknown, op: RowOp & Op, drafts: Drafts): unknown {
  if (op.kind === 'remove') return undefined
  if (row !== undefined) return changed(row, op, drafts)
  return op.kind === 'insert' || op.kind === 'upsert' ? op.row : undefined
}

/** A row by itself with its changes. Throws what a recipe throws. */
export function foldAlone(row: unknown, ops: ReadonlyArray<RowOp & Op>, drafts: Drafts): unknown {
  return ops.reduce((now, op) => step(now, op, drafts), row)
}

/** What a change makes of a row where it stands. */
export function changed(row: unknown, op: RowOp & Op, drafts: Drafts): unknown {
  switch (op.kind) {
    case 'row':
      return runRow(op.results, row, op.recipe, drafts)
    case 'upsert':
      return isEqual(row, op.row) ? row : op.row
    case 'insert': // it is there already
    case 'move': // its place changes, and nothing in it
    case 'remove': // takes it out of its list, and changes nothing in it
      return row
    default:
      return op satisfies never
  }
}

/** A pure recipe on the same row gives the same result, so it runs once per row object. */
function runRow(
  results: WeakMap<object, unknown>,
  row: unknown,
  recipe: (draft: never) => unknown,
  drafts: Drafts,
): unknown {
  if (typeof row !== 'object' || row === null) return drafts.produce(row, recipe)
  if (results.has(row)) return results.get(row)
  const next: unknown = drafts.produce(row, recipe)
  results.set(row, next)
  return next
}
