/**
 * Structural sharing: equal parts of new data keep the reference of the old. Lists of rows are matched by id, position
 * first, so that a refetched list of ten thousand costs one pass and no deep copy.
 */
import { isPlainObject } from '../base/key'
import type { Located, Shape } from './entities'
import { find, getIn, locate, setIn } from './entities'

/** `previous` where it equals `next`, else `next` with equal parts replaced by those of `previous`. JSON-like data only. */
export function share<T>(previous: unknown, next: T): T {
  if (Object.is(previous, next)) return previous as T
  if (Array.isArray(previous) && Array.isArray(next)) return shareList(previous, next) as T
  if (isPlainObject(previous) && isPlainObject(next)) return shareObject(previous, next) as T
  return next
}

/** Whether two JSON-like values are equal. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((part, i) => isEqual(part, b[i]))
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  if (!isPlainObject(a) || !isPlainObject(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isEqual(a[name], b[name]))
  )
}

/** {@link share} for data with rows: each list of `next` takes equal rows from anywhere in `previous`. */
export function reconcile(previous: Located | undefined, next: unknown, shape: Shape | undefined): unknown {
  if (previous?.data === undefined || Object.is(previous.data, next)) return next
  if (shape === undefined) return share(previous.data, next)
  const located = locate(next, shape)
  let data = next
  let covered = false
  for (const list of located.lists) {
    const rows = list.single
      ? [share(findRow(previous, list.entity.type, list.entity.idOf(list.rows[0])), list.rows[0])]
      : shareRows(previous, list, getIn(previous.data, list.path))
    if (list.path.length === 0) covered = true
    const value = list.single ? rows[0] : rows
    if (!Object.is(value, getIn(data, list.path))) data = list.path.length === 0 ? value : setIn(data, list.path, value)
  }
  return covered ? data : share(previous.data, data)
}

function shareRows(previous: Located, list: Located['lists'][number], before: unknown): readonly unknown[] {
  const old = Array.isArray(before) ? (before as unknown[]) : []
  let same = old.length === list.rows.length
  const rows = list.rows.map((row, at) => {
    const id = row === null || row === undefined ? undefined : String(list.entity.idOf(row))
    const beside = old[at]
    const match =
      id === undefined
        ? undefined
        : beside !== undefined && beside !== null && String(list.entity.idOf(beside)) === id
          ? beside
          : findRow(previous, list.entity.type, id)
    const shared = match === undefined ? row : share(match, row)
    if (!Object.is(shared, beside)) same = false
    return shared
  })
  return same ? old : rows
}

function findRow(located: Located, type: string, id: string | number): unknown {
  const place = find(located, type, id)[0]
  return place === undefined ? undefined : located.lists[place.list]?.rows[place.at]
}

function shareList(previous: unknown[], next: unknown[]): unknown[] {
  let same = previous.length === next.length
  let result: unknown[] | undefined
  for (let i = 0; i < next.length; i++) {
    const shared = share(previous[i], next[i])
    if (!Object.is(shared, previous[i])) same = false
    if (!Object.is(shared, next[i])) {
      result ??= [...next]
      result[i] = shared
    }
  }
  return same ? previous : (result ?? next)
}

function shareObject(previous: Record<string, unknown>, next: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys(next)
  let same = names.length === Object.keys(previous).length
  let result: Record<string, unknown> | undefined
  for (const name of names) {
    const known = Object.hasOwn(previous, name)
    const shared = known ? share(previous[name], next[name]) : next[name]
    if (!known || !Object.is(shared, previous[name])) same = false
    if (!Object.is(shared, next[name])) {
      result ??= { ...next }
      result[name] = shared
    }
  }
  return same ? previous : (result ?? next)
}
