'use client'
/**
 * `useSyncAction`: a write as a React Action. The Action ends at once, so that it holds no other transition back; what is
 * pending and what is shown come from the sync client, which publishes both in one commit.
 */
import { notifyManager } from '@tanstack/react-query'
import { useCallback, useMemo, useRef } from 'react'
import type { DefinedMutation, OutboxEntry, SyncClient, SyncError } from 'tidemark'
import { isSyncError } from 'tidemark'
import { tell as callBack, originOf, ownCallbacks } from '../mutation-calls'
import { useSyncClient } from './context'
import { hashKey, useInsertionEffect, useSyncExternalStore } from './peers'

/** How the calls of one `useSyncAction` stand. */
export interface SyncActionState<TData> {
  /** Whether a call of this component is not settled: what is shown of it may still be taken back. */
  readonly isPending: boolean
  /** Those calls, oldest first. */
  readonly pending: readonly OutboxEntry[]
  /** What the server answered to the newest call; `undefined` until then, and after a refusal. */
  readonly data: TData | undefined
  /** Why the newest call was refused; `null` otherwise, also when its entry was discarded or sent again. */
  readonly error: SyncError | null
  /** The refused entry, for `sync.retry`, `sync.edit` and `sync.discard`. */
  readonly failed: OutboxEntry | undefined
}

/**
 * A defined mutation as a React Action, in the shape of React's `useActionState`: `[state, action, isPending]`. Give `action`
 * to `<form action>`, to `formAction`, or call it in a transition or an event; `toVariables` makes the mutation's variables of
 * what it is given, a `FormData` for instance.
 *
 * The view has changed when `action` returns, and the Action is over then: no transition waits for the server, offline
 * neither. `isPending`, `state` and the views change in the same commit, so that no frame shows a write that is neither
 * pending nor confirmed. A copy with callbacks of its own, `{ ...addTodo, onSuccess }`, is the same mutation: they fire for
 * the calls of this component, after those of the mutation. Variables that cannot be stored throw to the nearest error boundary, as in any Action.
 *
 * @example
 * ```tsx
 * const [state, add, isPending] = useSyncAction(addTodo, (form: FormData) => ({ id: newId(), title: String(form.get('title')) }))
 * return <form action={add}><input name="title" />{isPending && 'Saving'}{state.error?.message}</form>
 * ```
 */
export function useSyncAction<TVariables, TData>(
  mutation: DefinedMutation<TVariables, TData>,
): [state: SyncActionState<TData>, action: (variables: TVariables) => void, isPending: boolean]
export function useSyncAction<TVariables, TData, TInput>(
  mutation: DefinedMutation<TVariables, TData>,
  toVariables: (input: TInput) => TVariables,
): [state: SyncActionState<TData>, action: (input: TInput) => void, isPending: boolean]
export function useSyncAction(
  mutation: DefinedMutation<unknown>,
  toVariables: (input: unknown) => unknown = (input) => input,
): [state: SyncActionState<unknown>, action: (input: unknown) => void, isPending: boolean] {
  const sync = useSyncClient()
  const latest = useRef({ mutation, toVariables })
  useInsertionEffect(() => {
    latest.current = { mutation, toVariables }
  })
  const key = hashKey(mutation.mutationKey)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a mutation is what its key says
  const calls = useMemo(
    () => createActionCalls(sync, () => latest.current.mutation as unknown as DefinedMutation),
    [sync, key],
  )
  const state = useSyncExternalStore(calls.subscribe, calls.getState, readIdle)
  const action = useCallback((input: unknown) => calls.begin(latest.current.toVariables(input)), [calls])
  return [state, action, state.isPending]
}

const IDLE: SyncActionState<unknown> = {
  isPending: false,
  pending: [],
  data: undefined,
  error: null,
  failed: undefined,
}
const readIdle = (): SyncActionState<unknown> => IDLE

/** How a call ended. */
interface Ended {
  data: unknown
  error: SyncError | null
}

interface ActionCalls {
  begin(variables: unknown): void
  getState(): SyncActionState<unknown>
  subscribe(listener: () => void): () => void
}

function createActionCalls(sync: SyncClient, mutation: () => DefinedMutation): ActionCalls {
  const pending = sync.pending({ mutationKey: mutation().mutationKey, exact: true })
  const listeners = new Set<() => void>()
  /** The ids of calls that are not settled, and of the newest. */
  const ids = new Set<string>()
  let newest: string | undefined
  /** What became of the newest call. */
  let ended: Ended | undefined
  let state = IDLE

  /** An entry that another one replaces (a conflict, a retry, an edit) goes on in that one. */
  function own(entry: OutboxEntry): boolean {
    const { id, replaces } = entry
    if (ids.has(id) || replaces === undefined || !ids.has(replaces)) return ids.has(id)
    ids.add(id)
    if (newest === replaces) follow(id)
    return true
  }

  function look(): SyncActionState<unknown> {
    const entries = pending.getState().filter(own)
    const failed = ended?.error ? sync.outbox.getState().failed.find(({ id }) => id === newest) : undefined
    const error = failed !== undefined || newest === undefined ? (ended?.error ?? null) : null
    const isSame = entries.length === state.pending.length && entries.every((entry, at) => entry === state.pending[at])
    const { data } = ended ?? IDLE
    if (isSame && failed === state.failed && error === state.error && data === state.data) return state
    for (const id of ids) if (id !== newest && !entries.some((entry) => entry.id === id)) ids.delete(id)
    state = { isPending: entries.length > 0, pending: entries, data, error, failed }
    return state
  }

  /** Remembers how the newest call ends. */
  function follow(id: string, onEnd?: (how: Ended) => void): void {
    newest = id
    ended = undefined
    ids.add(id)
    const progress = sync.progress(id)
    const stop = progress?.subscribe(({ status, data, error }) => {
      if (status === 'pending') return
      stop?.()
      onEnd?.({ data, error })
      if (newest !== id) return
      ended = { data, error }
      tell()
    })
  }

  function tell(): void {
    for (const listener of [...listeners]) listener()
  }

  return {
    getState: look,
    begin(variables) {
      const onEnd = (how: Ended): void => {
        const options = mutation()
        callBack(ownCallbacks(options), { sync, options, variables, ...how })
      }
      try {
        follow(sync.mutate(originOf(mutation()) as unknown as DefinedMutation<unknown>, variables).id, onEnd)
      } catch (error) {
        if (!isSyncError(error, 'stopped')) throw error
        newest = undefined // a client that is closed is no mistake of the component: the call is refused as any other may be
        ended = { data: undefined, error: error as SyncError }
        onEnd(ended)
      }
      tell()
    },
    subscribe(listener) {
      listeners.add(listener)
      const withViews = notifyManager.batchCalls(listener) // when TanStack's hooks hear
      const stops = [pending.subscribe(withViews), sync.outbox.subscribe(withViews)]
      return () => {
        listeners.delete(listener)
        for (const stop of stops) stop()
      }
    },
  }
}
