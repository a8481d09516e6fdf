/**
 * What is pending, asked by row, entry, query or mutation. An index over the outbox: a list in which each row asks for itself
 * costs one look-up per row, and only the rows whose writes changed are told.
 */
import type { Query } from '@tanstack/query-core'
import { partialMatchKey } from '@tanstack/query-core'
import { canonical } from '../base/key'
import type { RowId } from '../base/messages'
import { isSameId, rowName } from '../base/rows'
import type { Entity } from '../data/entities'
import type { Core } from '../queries/core'
import type { ReadonlyStore } from './live'
import type { OutboxEntry, OutboxState } from './outbox'
import { keepList } from './outbox'

/** Which pending writes are meant. All that is given must hold; `{}` means all of them. */
export interface PendingFilter {
  /** Mutations whose key begins with this one. */
  mutationKey?: readonly unknown[] | undefined
  /** Writes that change rows of this kind; with `id`, that row. */
  entity?: Pick<Entity<never>, 'type'> | undefined
  /** The row's id; needs `entity`. */
  id?: RowId | undefined
  /** Writes that change a cached query whose key begins with this one. */
  queryKey?: readonly unknown[] | undefined
  /** The entry of this id, or the one that a resolved conflict put in its place. */
  entryId?: string | undefined
  /** `true`: `mutationKey` and `queryKey` are whole keys, not beginnings. @defaultValue `false` */
  exact?: boolean | undefined
}

/** Entries that are not settled, oldest first; a store for each filter. */
export type PendingStores = (filter?: PendingFilter) => ReadonlyStore<readonly OutboxEntry[]>

interface PendingDeps {
  outbox: ReadonlyStore<OutboxState>
  core: Core
}

type Listener = (now: readonly OutboxEntry[], before: readonly OutboxEntry[]) => void

const NONE: readonly OutboxEntry[] = []

export function createPendingStores(deps: PendingDeps): PendingStores {
  const index = createIndex(deps.outbox)
  return (filter = {}) => {
    const key = keyOf(filter)
    let last: readonly OutboxEntry[] = NONE
    let from: readonly OutboxEntry[] | undefined
    const getState = (): readonly OutboxEntry[] => {
      const all = index.entries(key)
      if (all === from) return last
      from = all
      last = keepList(last, isKeyOnly(filter) ? all : all.filter(matcher(deps.core, filter)))
      return last
    }
    return {
      getState,
      getInitialState: () => NONE,
      subscribe(listener: Listener) {
        let before = getState()
        return index.listen(key, () => {
          const now = getState()
          if (now === before) return
          const previous = before
          before = now
          listener(now, previous)
        })
      },
    }
  }
}

/** What is not settled, all of it and by row and id. A list that changes is another list. */
interface Index {
  entries(key: string | undefined): readonly OutboxEntry[]
  /** Calls `listener` when the entries of the key, or any, may have changed. Returns what ends that. */
  listen(key: string | undefined, listener: () => void): () => void
}

function createIndex(outbox: ReadonlyStore<OutboxState>): Index {
  let seen: OutboxState | undefined
  let entries: readonly OutboxEntry[] = NONE
  const lists = new Map<string, readonly OutboxEntry[]>()
  /** Keys whose lists have changed since their listeners were told: a read in between tells nobody. */
  let changed = new Set<string>()
  const byKey = new Map<string, Set<() => void>>()
  const others = new Set<() => void>()
  let stop: (() => void) | undefined

  /** Brings the index up to date; costs a comparison for each entry, and work for those that changed. */
  function refresh(): void {
    const state = outbox.getState()
    if (state === seen) return
    seen = state
    const before = entries
    entries = state.entries.some(isOver) ? state.entries.filter((entry) => !isOver(entry)) : state.entries
    compare(before, entries, (gone, come) => {
      for (const key of replaceIn(lists, gone, come)) changed.add(key)
    })
  }

  function notify(): void {
    refresh()
    const keys = changed
    changed = new Set()
    for (const key of keys) for (const listener of [...(byKey.get(key) ?? [])]) listener()
    for (const listener of [...others]) listener()
  }

  return {
    entries(key) {
      refresh()
      return key === undefined ? entries : (lists.get(key) ?? NONE)
    },
    listen(key, listener) {
      refresh()
      stop ??= outbox.subscribe(notify)
      const group = key === undefined ? others : (byKey.get(key) ?? new Set())
      if (key !== undefined) byKey.set(key, group)
      group.add(listener)
      return () => {
        group.delete(listener)
        if (key !== undefined && group.size === 0) byKey.delete(key)
        if (others.size > 0 || byKey.size > 0) return
        stop?.()
        stop = undefined
      }
    },
  }
}

/** Returns the keys whose lists are others now. */
function replaceIn(
  lists: Map<string, readonly OutboxEntry[]>,
  gone: OutboxEntry | undefined,
  come: OutboxEntry | undefined,
): ReadonlySet<string> {
  const keys = new Set([...keysOf(gone), ...keysOf(come)])
  for (const key of keys) {
    const list = (lists.get(key) ?? NONE).filter((entry) => entry !== gone)
    if (come !== undefined && keysOf(come).includes(key)) list.push(come)
    list.sort((a, b) => a.pos - b.pos)
    if (list.length === 0) lists.delete(key)
    else lists.set(key, list)
  }
  return keys
}

/** Nothing on the screen waits for it, and no answer is to come. */
const isOver = ({ isReflected, isSending }: OutboxEntry): boolean => isReflected && !isSending

function keyOf({ entity, id, entryId }: PendingFilter): string | undefined {
  if (entryId !== undefined) return `#${entryId}`
  return entity === undefined || id === undefined ? undefined : rowName(entity.type, id)
}

/** Whether the key says all that the filter asks for. */
function isKeyOnly({ entity, id, entryId, mutationKey, queryKey }: PendingFilter): boolean {
  const isByKind = entity !== undefined && (id === undefined || entryId !== undefined)
  return !isByKind && mutationKey === undefined && queryKey === undefined
}

function keysOf(entry: OutboxEntry | undefined): string[] {
  if (entry === undefined) return []
  const keys = entry.rows.map(({ type, id }) => rowName(type, id))
  keys.push(`#${entry.id}`)
  if (entry.replaces !== undefined) keys.push(`#${entry.replaces}`)
  return keys
}

/** Calls back for what has gone, come, or is another copy. Both lists are ordered by `pos`. */
function compare(
  before: readonly OutboxEntry[],
  after: readonly OutboxEntry[],
  differ: (gone: OutboxEntry | undefined, come: OutboxEntry | undefined) => void,
): void {
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    const gone = before[i]
    const come = after[j]
    const order = gone === undefined ? 1 : come === undefined ? -1 : gone.pos - come.pos
    if (order <= 0) i++
    if (order >= 0) j++
    if (gone !== come) differ(order <= 0 ? gone : undefined, order >= 0 ? come : undefined)
  }
}

function matcher(core: Core, filter: PendingFilter): (entry: OutboxEntry) => boolean {
  const { mutationKey, entity, id: rowId, queryKey, exact = false } = filter
  const touching = queryKey === undefined ? undefined : idsTouching(core, queryKey, exact)
  return ({ id, mutationKey: key, rows }) =>
    (mutationKey === undefined || isKeyOf(key, mutationKey, exact)) &&
    (entity === undefined ||
      rows.some(({ type, id: row }) => type === entity.type && (rowId === undefined || isSameId(row, rowId)))) &&
    (touching === undefined || touching.has(id))
}

function isKeyOf(key: readonly unknown[], wanted: readonly unknown[], exact: boolean): boolean {
  return exact ? canonical(key) === canonical(wanted) : partialMatchKey(key, wanted)
}

/** The writes that some cached query under this key shows and its base lacks. */
function idsTouching(core: Core, queryKey: readonly unknown[], exact: boolean): ReadonlySet<string> {
  const isMeant = ({ queryKey: key }: Query): boolean => isKeyOf(key, queryKey, exact)
  const ids = new Set<string>()
  for (const { query, placements } of core.cells.values())
    if (placements.length > 0 && isMeant(query)) for (const { layer } of placements) ids.add(layer.id)
  return ids
}
