/**
 * The verbs of recipes in one table: what a recorded change is of, for whoever asks. What a verb does is in `fold.ts`, in a
 * switch that the compiler finds incomplete when a verb is added.
 */
import { rowName } from '../base/rows'
import type { Op, RowOp } from './recipes'

interface Verb {
  /** Of a row that it names, of all of a query's data, or of some part of it that nobody knows. */
  readonly of: 'row' | 'all' | 'part'
  /** The row is there before: a conflict, or a precondition, is about it. */
  readonly isOfExisting: boolean
  /** It makes a row: what names the row later builds on it. */
  readonly creates: boolean
  /** `always`, or unless it names a list to put the row into: nothing else in the query moves. */
  readonly staysInPlace: 'always' | 'without list' | 'never'
}

const VERBS = {
  update: { of: 'part', isOfExisting: false, creates: false, staysInPlace: 'never' },
  set: { of: 'all', isOfExisting: false, creates: false, staysInPlace: 'never' },
  row: { of: 'row', isOfExisting: true, creates: false, staysInPlace: 'always' },
  insert: { of: 'row', isOfExisting: false, creates: true, staysInPlace: 'never' },
  upsert: { of: 'row', isOfExisting: true, creates: false, staysInPlace: 'without list' },
  move: { of: 'row', isOfExisting: true, creates: false, staysInPlace: 'never' },
  remove: { of: 'row', isOfExisting: true, creates: false, staysInPlace: 'never' },
} as const satisfies Record<Op['kind'], Verb>

/** What a change is of: a row that it names, all of a query's data, or a part that nobody knows. */
export function partOf({ kind }: Op): Verb['of'] {
  return VERBS[kind].of
}

export function isOfRow(op: Op): op is Op & RowOp {
  return partOf(op) === 'row'
}

/** It takes a row from where it stands, and nothing in the row says so. */
export function leavesPlace({ kind }: Op): boolean {
  return kind === 'move' || kind === 'remove'
}

/** Of a row that is there before. */
export function isOfExisting(op: Op): op is Op & RowOp {
  return VERBS[op.kind].isOfExisting
}

/** It changes a row where it stands, and nothing else. */
export function staysInPlace({ kind, hash }: Op): boolean {
  const { staysInPlace: where } = VERBS[kind]
  return where === 'always' || (where === 'without list' && hash === undefined)
}

export function rowNameOf({ entity, id }: RowOp): string {
  return rowName(entity.type, id)
}

/** The names of the rows that these changes are of. */
export function rowsNamedBy(ops: readonly Op[]): string[] {
  return ops.filter(isOfRow).map(rowNameOf)
}

/** Whether it puts the row there, if there is none. */
export function bringsRow({ kind }: Op): boolean {
  return kind === 'insert' || kind === 'upsert'
}

/** The names of the rows that these changes make. */
export function rowsMadeBy(ops: readonly Op[]): string[] {
  return rowsNamedBy(ops.filter(({ kind }) => VERBS[kind].creates))
}

/** Whether it is of one of these rows. */
export function isOfOneOf(op: Op, rows: ReadonlySet<string>): boolean {
  return isOfRow(op) && rows.has(rowNameOf(op))
}
