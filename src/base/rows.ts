/** Names of rows. Ids are compared by their text everywhere: a form's `'1'` is the row whose id is the number 1. */
import type { RowId } from './messages'

/** Whether two ids are one row's. */
export function isSameId(a: unknown, b: unknown): boolean {
  return a === b || String(a) === String(b)
}

/** A row's name among rows of all kinds. No two rows share one, whatever is in the kind's name. */
export function rowName(type: string, id: RowId): string {
  return `${/[ %]/.test(type) ? encodeURIComponent(type) : type} ${id}`
}
