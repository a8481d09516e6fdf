/** The client's own stores as refs: how it stands, what is in the outbox, what is pending. */
import type { OutboxEntry, OutboxState, PendingFilter, ReadonlyStore, SyncStatus } from 'tidemark'
import { replaceEqualDeep } from 'tidemark'
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
