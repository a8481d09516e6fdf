'use client'

/** `useMutation`: defined mutations go through the outbox, inline options are TanStack's own. */
import type { DefaultError, QueryClient, UseMutationOptions, UseMutationResult } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef } from 'react'
import type { DefinedMutation, SyncError } from 'tidemark'
import { adviceOf } from '../clients'
import type { CallOptions } from '../mutation-calls'
import { createMutationCalls, isDefined, isThrown } from '../mutation-calls'
import { useSyncClient } from './context'
import { hashKey, useSyncExternalStore } from './peers'
import { useInlineMutation } from './queries'

/**
 * TanStack's `useMutation`. A mutation made by `defineMutation` goes through the outbox: it is shown at once, goes on
 * when the component is gone, and the result is pending until the server has accepted or refused it (`isPaused` while offline). The result is
 * of this hook's newest call; ask for older ones with `useOutbox` or `usePending`. `mutate` throws `usage` errors at once.
 * A copy with callbacks of its own, `{ ...addTodo, onSuccess }`, is the same mutation: its callbacks fire for the calls of
 * this hook, after those of the mutation. Inline options are handed to TanStack unchanged.
 *
 * @example
 * ```tsx
 * const { mutate } = useMutation(addTodo)
 * <button onClick={() => mutate({ id: crypto.randomUUID(), title: 'Milk' })}>Add</button>
 * ```
 */
// TanStack's overload stands first: a call in the argument, `useMutation(mutationOptions(…))`, is inferred from the overload
// that is tried first, and stays as it is when that one does not fit. A defined mutation does not: its scope may be a function.
export function useMutation<TData = unknown, TError = DefaultError, TVariables = void, TOnMutateResult = unknown>(
  options: UseMutationOptions<TData, TError, TVariables, TOnMutateResult>,
  queryClient?: QueryClient,
): UseMutationResult<TData, TError, TVariables, TOnMutateResult>
export function useMutation<TVariables, TData>(
  mutation: DefinedMutation<TVariables, TData> & CallOptions,
  queryClient?: QueryClient,
): UseMutationResult<TData, SyncError, TVariables, undefined>
export function useMutation(options: object, queryClient?: QueryClient): unknown {
  // A hook stays what it was first: its options come from the same place in the code.
  const use = (isDefined(options) ? useDefinedMutation : useInlineMutation) as typeof useDefinedMutation
  return use(options as DefinedMutation, queryClient)
}

function useDefinedMutation(options: DefinedMutation & CallOptions, queryClient: QueryClient | undefined): unknown {
  const client = useSyncClient(queryClient)
  const key = hashKey(options.mutationKey)
  adviceOf(client)?.hooked(options)
  const latest = useRef(options)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a mutation is what its key says
  const calls = useMemo(() => createMutationCalls(client, () => latest.current), [client, key])
  useEffect(() => {
    latest.current = options
  })
  const state = useSyncExternalStore(calls.subscribe, calls.getState, calls.getState)
  const mutate = useCallback(
    (...args: Parameters<typeof calls.mutate>) => {
      calls.mutate(...args).catch(() => {})
    },
    [calls],
  )
  if (isThrown(client, options, state.error)) throw state.error
  return { ...state, mutate, mutateAsync: calls.mutate, reset: calls.reset }
}
