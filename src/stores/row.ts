/** One row as a read-only Zustand store: it hears of that row alone, and no list is made for it. */
import { usageError } from '../base/errors'
import type { RowId } from '../base/messages'
import { rowName } from '../base/rows'
import type { Entity } from '../data/entities'
import { share } from '../data/share'
import type { Cell } from '../queries/cell'
import { viewOfRow } from '../queries/row-view'
import { rowOf } from '../queries/rows'
import type { RowListener } from '../queries/transition'
import type { ReadonlyStore } from './live'
import type { Watched } from './watched'
import { WATCHED } from './watched'

/**
 * Makes a read-only Zustand store of one row: the newest copy that a cached query has, with the pending changes over it;
 * `undefined` where neither has it. It fetches nothing and keeps no query in the cache: watch a query for that. Subscribers hear
 * in the turn, with the queries that change, and only when this row is another; a list of any length costs nothing for it.
 * Queries that show a row by recipes without a row (`view.update`, `view.set`) are folded to tell. Throws a `usage` error for
 * what is no sync client, no entity or no id.
 *
 * @example
 * ```ts
 * const todo = createRowStore(sync, todoRow, '7')
 * const stop = todo.subscribe((row) => renderTodo(row))
 * ```
 */
export function createRowStore<TRow>(
  sync: { readonly queryClient: object },
  entity: Entity<TRow>,
  id: RowId,
): ReadonlyStore<TRow | undefined> {
  const watched = (sync as Record<symbol, Watched | undefined> | undefined)?.[WATCHED]
  if (watched === undefined) throw usageError('createRowStore needs a sync client: what createSyncClient() returned.')
  if (typeof entity?.idOf !== 'function')
    throw usageError('createRowStore needs an entity: what entity() returned, not its name.')
  if (typeof id !== 'string' && typeof id !== 'number')
    throw usageError(`createRowStore needs the id of a row of "${entity.type}", a text or a number.`)
  const { core } = watched
  let last: TRow | undefined
  const getState = (): TRow | undefined => {
    last = share(last, viewOfRow(core, entity, id) as TRow | undefined)
    return last
  }
  // What a server rendered, which has no pending changes.
  const initial = rowOf(core, entity.type, id) as TRow | undefined
  return {
    getState,
    getInitialState: () => initial,
    subscribe(listener) {
      let before = getState()
      return rowsWatched(watched).listen(rowName(entity.type, id), entity.type, () => {
        const now = getState()
        if (Object.is(now, before)) return
        const previous = before
        before = now
        listener(now, previous)
      })
    },
  }
}

/** The rows that somebody watches, by name and by kind: a change costs the rows that it is of. */
interface RowsWatched {
  listen(name: string, type: string, listener: () => void): () => void
}

interface WatchedRow {
  readonly type: string
  readonly listeners: Set<() => void>
}

/** One for each client. */
function rowsWatched(watched: Watched & { [ROWS]?: RowsWatched }): RowsWatched {
  const known = watched[ROWS]
  if (known !== undefined) return known
  const rows = createRowsWatched(watched)
  Object.defineProperty(watched, ROWS, { value: rows })
  return rows
}

const ROWS: unique symbol = Symbol.for('tidemark.rows') as never

function createRowsWatched({ core, announce }: Watched): RowsWatched {
  const rows = new Map<string, WatchedRow>()
  const byKind = new Map<string, Set<WatchedRow>>()
  let moved = new Set<WatchedRow>()
  const tell = (): void => {
    const now = moved
    moved = new Set()
    for (const { listeners } of now) for (const listener of [...listeners]) listener()
  }
  const hear: RowListener = (of) => {
    for (const row of 'query' in of ? kindsIn(of, byKind) : namedBy(of, rows)) moved.add(row)
    if (moved.size > 0) announce(tell)
  }
  return {
    listen(name, type, listener) {
      const row = rows.get(name) ?? { type, listeners: new Set() }
      if (rows.size === 0) core.rowListeners.add(hear)
      rows.set(name, row)
      row.listeners.add(listener)
      byKind.set(type, (byKind.get(type) ?? new Set()).add(row))
      return () => {
        row.listeners.delete(listener)
        if (row.listeners.size > 0 || rows.get(name) !== row) return
        rows.delete(name)
        byKind.get(type)?.delete(row)
        if (rows.size === 0) core.rowListeners.delete(hear)
      }
    },
  }
}

function namedBy(names: Iterable<string>, rows: ReadonlyMap<string, WatchedRow>): WatchedRow[] {
  return [...names].flatMap((name) => rows.get(name) ?? [])
}

function kindsIn({ shape }: Cell, byKind: ReadonlyMap<string, Iterable<WatchedRow>>): WatchedRow[] {
  return (shape?.pairs ?? []).flatMap(([{ type }]) => [...(byKind.get(type) ?? [])])
}
