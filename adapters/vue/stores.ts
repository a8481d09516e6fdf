/** The client's own stores as refs: how it stands, what is in the outbox, what is pending. */
import type { Entity, OutboxEntry, OutboxState, PendingFilter, ReadonlyStore, SyncStatus } from 'tidemark'
import { createRowStore, replaceEqualDeep } from 'tidemark'
import type { ComputedRef, MaybeRefOrGetter } from 'vue'
import { computed, onScopeDispose, shallowRef, watch } from 'vue'
import { identity, nameOfFilter } from '../select'
import { useSyncClient } from './client'
import { environmentManager, toValue } from './peers'

/**
 * How the client stands: network, stream, counts. The ref changes only when what the selector returns has changed: equal
 * lists and objects keep their reference. Refs that the selector reads are followed.
 *
 * @example
 * ```ts
 * const isOffline = useSyncStatus((status) => status.network === 'offline')
 * ```
 */
export function useSyncStatus(): ComputedRef<SyncStatus>
export function useSyncStatus<T>(selector: (status: SyncStatus) => T): ComputedRef<T>
export function useSyncStatus(selector: (status: SyncStatus) => unknown = identity): ComputedRef<unknown> {
  const { status } = useSyncClient()
  return useSelected(() => status, selector)
}

/** What is in the outbox: entries that are not settled, and those that failed. Selectors as in {@link useSyncStatus}. */
export function useOutbox(): ComputedRef<OutboxState>
export function useOutbox<T>(selector: (outbox: OutboxState) => T): ComputedRef<T>
export function useOutbox(selector: (outbox: OutboxState) => unknown = identity): ComputedRef<unknown> {
  const { outbox } = useSyncClient()
  return useSelected(() => outbox, selector)
}

/**
 * The writes that are not settled and match the filter (a value, a ref or a getter), oldest first. A component that asks
 * for a row is told only when that row's writes change, so every row of a list can ask. Without a filter: all of them.
 *
 * @example
 * ```ts
 * const isPending = usePending(() => ({ entity: todoRow, id: props.todo.id }), (writes) => writes.length > 0)
 * ```
 */
export function usePending(filter?: MaybeRefOrGetter<PendingFilter>): ComputedRef<readonly OutboxEntry[]>
export function usePending<T>(
  filter: MaybeRefOrGetter<PendingFilter>,
  selector: (entries: readonly OutboxEntry[]) => T,
): ComputedRef<T>
export function usePending(
  filter: MaybeRefOrGetter<PendingFilter> = {},
  selector: (entries: readonly OutboxEntry[]) => unknown = identity,
): ComputedRef<unknown> {
  const client = useSyncClient()
  let last: { name: string; store: ReturnType<typeof client.pending> } | undefined
  return useSelected(() => {
    const wanted = toValue(filter)
    const name = nameOfFilter(wanted)
    if (last?.name !== name) last = { name, store: client.pending(wanted) }
    return last.store
  }, selector)
}

/**
 * One row (of an id that is a value, a ref or a getter): the newest copy that a cached query has, with pending changes;
 * `undefined` where there is none. The ref changes only when this row (or what the selector returns of it) is another, whatever
 * happens to its list. It fetches nothing: the list, or whoever else shows rows of the kind, watches the query.
 *
 * @example
 * ```ts
 * const todo = useRow(todoRow, () => props.id)
 * ```
 */
export function useRow<TRow>(entity: Entity<TRow>, id: MaybeRefOrGetter<string | number>): ComputedRef<TRow | undefined>
export function useRow<TRow, T>(
  entity: Entity<TRow>,
  id: MaybeRefOrGetter<string | number>,
  selector: (row: TRow | undefined) => T,
): ComputedRef<T>
export function useRow<TRow>(
  entity: Entity<TRow>,
  id: MaybeRefOrGetter<string | number>,
  selector: (row: TRow | undefined) => unknown = identity,
): ComputedRef<unknown> {
  const client = useSyncClient()
  let last: { id: string | number; store: ReadonlyStore<TRow | undefined> } | undefined
  return useSelected(() => {
    const wanted = toValue(id)
    if (last?.id !== wanted) last = { id: wanted, store: createRowStore(client, entity, wanted) }
    return last.store
  }, selector)
}

function useSelected<TState, T>(source: () => ReadonlyStore<TState>, selector: (state: TState) => T): ComputedRef<T> {
  const state = shallowRef(source().getState())
  let stop = (): void => {}
  watch(
    source,
    (store) => {
      stop()
      state.value = store.getState()
      if (environmentManager.isServer()) return
      stop = store.subscribe(() => {
        state.value = store.getState()
      })
    },
    { immediate: true, flush: 'sync' },
  )
  onScopeDispose(() => stop())
  return computed((previous?: T) => {
    const value = selector(state.value)
    return previous === undefined ? value : replaceEqualDeep(previous, value)
  })
}
