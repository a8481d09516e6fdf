/**
 * Structural sharing: equal parts of new data keep the reference of the old. Lists of rows are matched by id, position
 * first, so that a refetched list of ten thousand costs one pass and no deep copy.
 */
import type { Way } from '../base/equal'
import { into, isEndless, START } from '../base/equal'
import { isPlainObject } from '../base/key'
import type { RowId } from '../base/messages'
import { isSameId } from '../base/rows'
import type { Entity, Located, RowList, Shape } from './entities'
import { find, getIn, locate, setIn } from './entities'

/** `previous` where it equals `next`, else `next` with equal parts replaced by those of `previous`. JSON-like data only. */
export function share<T>(previous: unknown, next: T, way: Way = START): T {
  if (Object.is(previous, next)) return previous as T
  if (isEndless(next, way)) return next
  if (Array.isArray(previous) && Array.isArray(next)) return shareList(previous, next, into(next, way)) as T
  if (isPlainObject(previous) && isPlainObject(next)) return shareObject(previous, next, into(next, way)) as T
  return next
}

/**
 * {@link share} for new base data: what equals base keeps the reference it has there (recipes on it need not run again),
 * what equals the view keeps that one (a base that now contains a change shows nothing new). Rows are matched by id.
 */
export function reconcile(base: Located, view: Located, next: unknown, shape: Shape | undefined): unknown {
  if (Object.is(base.data, next)) return next
  if (shape === undefined) return closest(base.data, view.data, next)
  const located = locate(next, shape)
  let data = next
  for (const list of located.lists) {
    const rows = list.single ? [shareRow(base, view, list.entity, list.rows[0])] : shareRows(base, view, list)
    const value = list.single ? rows[0] : rows
    if (Object.is(value, getIn(data, list.path))) continue
    data = list.path.length === 0 ? value : setIn(data, list.path, value)
  }
  return located.lists.some((list) => list.path.length === 0) ? data : closest(base.data, view.data, data)
}

/** Equal to `base`: that; equal to `view`: that; else new, with the parts that equal those of base. */
function closest(base: unknown, view: unknown, next: unknown): unknown {
  const shared = base === undefined ? next : share(base, next)
  if (view === undefined || Object.is(shared, base) || Object.is(view, base)) return shared
  const shown = share(view, next)
  return Object.is(shown, view) ? view : shared
}

function shareRow(base: Located, view: Located, entity: Entity, row: unknown): unknown {
  const id = entity.idOf(row)
  return closest(findRow(base, entity.type, id), findRow(view, entity.type, id), row)
}

function shareRows(base: Located, view: Located, list: RowList): readonly unknown[] {
  const { entity } = list
  const inBase = beside(base, list)
  const inView = beside(view, list)
  let rows: unknown[] | undefined
  for (let at = 0; at < list.rows.length; at++) {
    const row = list.rows[at]
    if (row === null || row === undefined || Object.is(row, inBase?.[at])) continue
    const id = entity.idOf(row)
    const at0 = matches(entity, inBase?.[at], id) ? inBase?.[at] : findRow(base, entity.type, id)
    const at1 = matches(entity, inView?.[at], id) ? inView?.[at] : findRow(view, entity.type, id)
    const shared = closest(at0, at1, row)
    if (Object.is(shared, row)) continue
    rows ??= [...list.rows]
    rows[at] = shared
  }
  const next = rows ?? list.rows
  if (inBase !== undefined && isSameList(inBase, next)) return inBase
  return inView !== undefined && isSameList(inView, next) ? inView : next
}

function beside({ data }: Located, { path }: RowList): readonly unknown[] | undefined {
  const there = getIn(data, path)
  return Array.isArray(there) ? there : undefined
}

function matches(entity: Entity, row: unknown, id: RowId): boolean {
  return row !== undefined && row !== null && isSameId(entity.idOf(row), id)
}

/** Whether two lists have the same members, by reference. */
export function isSameList(a: readonly unknown[], b: readonly unknown[] | undefined): boolean {
  if (a.length !== b?.length) return false
  for (let at = 0; at < a.length; at++) if (!Object.is(a[at], b[at])) return false
  return true
}

function findRow(located: Located, type: string, id: string | number): unknown {
  const place = find(located, type, id)[0]
  return place === undefined ? undefined : located.lists[place.list]?.rows[place.at]
}

function shareList(previous: unknown[], next: unknown[], way: Way): unknown[] {
  let same = previous.length === next.length
  let result: unknown[] | undefined
  for (let i = 0; i < next.length; i++) {
    if (Object.is(previous[i], next[i])) continue
    const shared = share(previous[i], next[i], way)
    if (!Object.is(shared, previous[i])) same = false
    if (!Object.is(shared, next[i])) {
      result ??= [...next]
      result[i] = shared
    }
  }
  return same ? previous : (result ?? next)
}

function shareObject(
  previous: Record<string, unknown>,
  next: Record<string, unknown>,
  way: Way,
): Record<string, unknown> {
  const names = Object.keys(next)
  let same = names.length === Object.keys(previous).length
  let result: Record<string, unknown> | undefined
  for (const name of names) {
    const known = Object.hasOwn(previous, name)
    const shared = known ? share(previous[name], next[name], way) : next[name]
    if (!known || !Object.is(shared, previous[name])) same = false
    if (!Object.is(shared, next[name])) {
      result ??= { ...next }
      result[name] = shared
    }
  }
  return same ? previous : (result ?? next)
}
