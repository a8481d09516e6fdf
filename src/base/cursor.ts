/**
 * Cursors: `<epoch>:<position>`, position = unsigned decimals joined by `-`, compared number by number.
 * Two cursors compare only within one epoch; text order means nothing.
 */

/** A position in the server's change log. Opaque to applications. */
export type Cursor = string

const GRAMMAR = /^[A-Za-z0-9._~-]+:[0-9]+(?:-[0-9]+)*$/

/** Whether `value` is a well-formed cursor: at most 128 characters of the grammar above. */
export function isCursor(value: unknown): value is Cursor {
  return typeof value === 'string' && value.length <= 128 && GRAMMAR.test(value)
}

/** The log that a cursor is a position in. */
export function epochOf(cursor: Cursor): string {
  return cursor.slice(0, cursor.lastIndexOf(':'))
}

/** Negative, zero or positive as `a` is before, at or after `b`; `undefined` when their epochs differ. */
export function compareCursors(a: Cursor, b: Cursor): number | undefined {
  if (a === b) return 0
  const cut = a.lastIndexOf(':')
  if (cut !== b.lastIndexOf(':') || a.slice(0, cut) !== b.slice(0, cut)) return undefined
  const left = a.slice(cut + 1).split('-')
  const right = b.slice(cut + 1).split('-')
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareDecimals(left[i] ?? '0', right[i] ?? '0')
    if (order !== 0) return order
  }
  return 0
}

/** Whether `a` is of `b`'s epoch and at or past it. */
export function isAtOrPast(a: Cursor, b: Cursor): boolean {
  const order = compareCursors(a, b)
  return order !== undefined && order >= 0
}

/** The later of two cursors of one epoch; of different epochs the second (the newer knowledge); else the one there is. */
export function laterCursor(a: Cursor | undefined, b: Cursor | undefined): Cursor | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  const order = compareCursors(a, b)
  return order !== undefined && order > 0 ? a : b
}

// Positions may be wider than 2^53 (Postgres xid8, Redis milliseconds), so decimals are compared as text of equal length.
function compareDecimals(a: string, b: string): number {
  const left = a.replace(/^0+(?=\d)/, '')
  const right = b.replace(/^0+(?=\d)/, '')
  if (left.length !== right.length) return left.length - right.length
  return left < right ? -1 : left > right ? 1 : 0
}
