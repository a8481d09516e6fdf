/**
 * What is pending, asked by row, entry, query or mutation. An index over the outbox: a list in which each row asks for itself
 * costs one look-up per row, and only the rows whose writes changed are told.
 */
import type { Query } from '@tanstack/query-core'
import { hashKey, partialMatchKey } from '@tanstack/query-core'
import type { RowId } from '../base/messages'
import type { Core } from '../cache/core'
import type { Entity } from '../cache/entities'
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
/** Entries by row and by id. */
type Index = ReadonlyMap<string, readonly OutboxEntry[]>

const NONE: readonly OutboxEntry[] = []

export function createPendingStores(deps: PendingDeps): PendingStores {
  let seen: OutboxState | undefined
  let entries: readonly OutboxEntry[] = NONE
  let index: Index = new Map()
  let told: Index = index
  const byKey = new Map<string, Set<() => void>>()
  const others = new Set<() => void>()
  let stop: (() => void) | undefined

  /** Brings the index up to date; costs a pass over what is pending. */
  function refresh(): void {
    const state = deps.outbox.getState()
    if (state === seen) return
    seen = state
    entries = keepList(
      entries,
      state.entries.filter(({ isReflected }) => !isReflected),
    )
    index = indexEntries(entries, index)
  }

  function notify(): void {
    refresh()
    const before = told // not what was read last: a read in between tells nobody
    told = index
    for (const key of new Set([...before.keys(), ...index.keys()])) {
      if (before.get(key) !== index.get(key)) for (const listener of [...(byKey.get(key) ?? [])]) listener()
    }
    for (const listener of [...others]) listener()
  }

  function listen(key: string | undefined, listener: () => void): () => void {
    refresh()
    stop ??= deps.outbox.subscribe(notify)
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
  }

  return (filter = {}) => {
    const key = keyOf(filter)
    let last: readonly OutboxEntry[] = NONE
    let from: readonly OutboxEntry[] | undefined
    const getState = (): readonly OutboxEntry[] => {
      refresh()
      const all = key === undefined ? entries : (index.get(key) ?? NONE)
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
        return listen(key, () => {
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

function keyOf({ entity, id, entryId }: PendingFilter): string | undefined {
  if (entryId !== undefined) return `#${entryId}`
  return entity === undefined || id === undefined ? undefined : `${entity.type} ${id}`
}

/** Whether the key says all that the filter asks for. */
function isKeyOnly({ entity, id, entryId, mutationKey, queryKey }: PendingFilter): boolean {
  const isByKind = entity !== undefined && (id === undefined || entryId !== undefined)
  return !isByKind && mutationKey === undefined && queryKey === undefined
}

function indexEntries(entries: readonly OutboxEntry[], before: Index): Index {
  const found = new Map<string, OutboxEntry[]>()
  const put = (key: string, entry: OutboxEntry): void => {
    const list = found.get(key)
    if (list === undefined) found.set(key, [entry])
    else list.push(entry)
  }
  for (const entry of entries) {
    for (const { type, id } of entry.rows) put(`${type} ${id}`, entry)
    put(`#${entry.id}`, entry)
    if (entry.replaces !== undefined) put(`#${entry.replaces}`, entry)
  }
  const kept = new Map<string, readonly OutboxEntry[]>()
  for (const [key, list] of found) kept.set(key, keepList(before.get(key) ?? NONE, list))
  return kept
}

function matcher(core: Core, filter: PendingFilter): (entry: OutboxEntry) => boolean {
  const { mutationKey, entity, id: rowId, queryKey, exact = false } = filter
  const touching = queryKey === undefined ? undefined : idsTouching(core, queryKey, exact)
  return ({ id, mutationKey: key, rows }) =>
    (mutationKey === undefined || isKeyOf(key, mutationKey, exact)) &&
    (entity === undefined ||
      rows.some(({ type, id: row }) => type === entity.type && (rowId === undefined || row === rowId))) &&
    (touching === undefined || touching.has(id))
}

function isKeyOf(key: readonly unknown[], wanted: readonly unknown[], exact: boolean): boolean {
  return exact ? hashKey(key) === hashKey(wanted) : partialMatchKey(key, wanted)
}

/** The writes that some cached query under this key shows and its base lacks. */
function idsTouching(core: Core, queryKey: readonly unknown[], exact: boolean): ReadonlySet<string> {
  const isMeant = ({ queryKey: key }: Query): boolean => isKeyOf(key, queryKey, exact)
  const ids = new Set<string>()
  for (const { query, attached } of core.records.values())
    if (attached.length > 0 && isMeant(query)) for (const { layer } of attached) ids.add(layer.id)
  return ids
}
