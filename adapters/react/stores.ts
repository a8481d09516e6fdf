'use client'

/** The client's own stores as hooks: how it stands, what is in the outbox, what is pending. */
import { notifyManager } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState } from 'react'
import type { Entity, OutboxEntry, OutboxState, PendingFilter, ReadonlyStore, SyncStatus } from 'tidemark'
import { createRowStore, replaceEqualDeep } from 'tidemark'
import { identity, nameOfFilter } from '../select'
import { useSyncClient } from './context'
import { useSyncExternalStore } from './peers'

/**
 * How the client stands: network, stream, counts. Renders only when what the selector returns has changed: equal lists
 * and objects keep their reference.
 *
 * @example
 * ```tsx
 * const isOffline = useSyncStatus((status) => status.network === 'offline')
 * ```
 */
export function useSyncStatus(): SyncStatus
export function useSyncStatus<T>(selector: (status: SyncStatus) => T): T
export function useSyncStatus(selector: (status: SyncStatus) => unknown = identity): unknown {
  return useSelected(useSyncClient().status, selector)
}

/** What is in the outbox: entries that are not settled, and those that failed. Selectors as in {@link useSyncStatus}. */
export function useOutbox(): OutboxState
export function useOutbox<T>(selector: (outbox: OutboxState) => T): T
export function useOutbox(selector: (outbox: OutboxState) => unknown = identity): unknown {
  return useSelected(useSyncClient().outbox, selector)
}

/**
 * The writes that are not settled and match the filter, oldest first. A component that asks for a row renders only when
 * that row's writes change, so every row of a list can ask. Without a filter: all of them.
 *
 * @example
 * ```tsx
 * const isPending = usePending({ entity: todoRow, id: todo.id }, (writes) => writes.length > 0)
 * ```
 */
export function usePending(filter?: PendingFilter): readonly OutboxEntry[]
export function usePending<T>(filter: PendingFilter, selector: (entries: readonly OutboxEntry[]) => T): T
export function usePending(
  filter: PendingFilter = {},
  selector: (entries: readonly OutboxEntry[]) => unknown = identity,
): unknown {
  const client = useSyncClient()
  const name = nameOfFilter(filter)
  // biome-ignore lint/correctness/useExhaustiveDependencies: equal filters have equal names
  const store = useMemo(() => client.pending(filter), [client, name])
  return useSelected(store, selector)
}

/**
 * One row: the newest copy that a cached query has, with pending changes; `undefined` where there is none. Renders only when
 * this row (or what the selector returns of it) is another, whatever happens to its list. It fetches nothing: the list, or
 * whoever else shows rows of the kind, watches the query.
 *
 * @example
 * ```tsx
 * const todo = useRow(todoRow, id)
 * const title = useRow(todoRow, id, (todo) => todo?.title)
 * ```
 */
export function useRow<TRow>(entity: Entity<TRow>, id: string | number): TRow | undefined
export function useRow<TRow, T>(entity: Entity<TRow>, id: string | number, selector: (row: TRow | undefined) => T): T
export function useRow<TRow>(
  entity: Entity<TRow>,
  id: string | number,
  selector: (row: TRow | undefined) => unknown = identity,
): unknown {
  const client = useSyncClient()
  const store = useMemo(() => createRowStore(client, entity, id), [client, entity, id])
  return useSelected(store, selector)
}

function useSelected<TState, T>(store: ReadonlyStore<TState>, selector: (state: TState) => T): T {
  const [shown] = useState<{ value?: T }>(() => ({}))
  const read = useMemo(() => {
    let last: { state: TState; value: T } | undefined
    return (state: TState): T => {
      if (last !== undefined && Object.is(last.state, state)) return last.value
      const value = selector(state)
      const before = last ?? shown
      last = { state, value: 'value' in before ? replaceEqualDeep(before.value, value) : value }
      return last.value
    }
  }, [selector, shown])
  // When TanStack's hooks hear, so that what they show and what is pending are one commit.
  const subscribe = useCallback((listener: () => void) => store.subscribe(notifyManager.batchCalls(listener)), [store])
  const value = useSyncExternalStore(
    subscribe,
    () => read(store.getState()),
    () => read(store.getInitialState()),
  )
  useEffect(() => {
    shown.value = value
  }, [shown, value])
  return value
}
