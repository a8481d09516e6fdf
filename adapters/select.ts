/** Selectors that make a new object each time are no reason to render: equal results keep their reference. */
import type { PendingFilter } from 'tidemark'
import { hashKey } from 'tidemark'

/** `previous` where it equals `next`, members of lists and plain objects compared by reference. */
export function keepEqual<T>(previous: T, next: T): T {
  if (Object.is(previous, next)) return previous
  if (typeof previous !== 'object' || typeof next !== 'object' || previous === null || next === null) return next
  if (Object.getPrototypeOf(previous) !== Object.getPrototypeOf(next)) return next
  if (!Array.isArray(next) && Object.getPrototypeOf(next) !== Object.prototype) return next
  const names = Object.keys(next) as Array<keyof T>
  const same =
    names.length === Object.keys(previous).length && names.every((name) => Object.is(previous[name], next[name]))
  return same ? previous : next
}

export const identity = <T>(value: T): T => value

/** Equal filters have equal names. */
export function nameOfFilter({ mutationKey, entity, id, queryKey, exact }: PendingFilter): string {
  return hashKey([mutationKey, entity?.type, id, queryKey, exact])
}
