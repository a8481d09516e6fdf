/** `useMutation`: defined mutations go through the outbox, inline options are TanStack's own. */
import type { DefaultError, QueryClient, UseMutationOptions, UseMutationResult } from '@tanstack/react-query'
import { hashKey, useMutation as useTanStackMutation } from '@tanstack/react-query'
import { useCallback, useMemo, useSyncExternalStore } from 'react'
import type { DefinedMutation, SyncError } from 'tidemark'
import { createMutationCalls, isDefined } from '../mutation-calls'
import { useSyncClient } from './context'

/**
 * TanStack's `useMutation`. A mutation made by `defineMutation` goes through the outbox: it is shown at once, survives a
 * reload, and the result is pending until the server has accepted or refused it (`isPaused` while offline). The result is
 * of this hook's newest call; ask for older ones with `useOutbox` or `usePending`. `mutate` throws `usage` errors at once.
 * Inline options are handed to TanStack unchanged.
 *
 * @example
 * ```tsx
 * const { mutate } = useMutation(addTodo)
 * <button onClick={() => mutate({ id: crypto.randomUUID(), title: 'Milk' })}>Add</button>
 * ```
 */
export function useMutation<TVariables, TData>(
  mutation: DefinedMutation<TVariables, TData>,
  queryClient?: QueryClient,
): UseMutationResult<TData, SyncError, TVariables, undefined>
export function useMutation<TData = unknown, TError = DefaultError, TVariables = void, TOnMutateResult = unknown>(
  options: UseMutationOptions<TData, TError, TVariables, TOnMutateResult>,
  queryClient?: QueryClient,
): UseMutationResult<TData, TError, TVariables, TOnMutateResult>
export function useMutation(options: object, queryClient?: QueryClient): unknown {
  // A hook stays what it was first: its options come from the same place in the code.
  const use = (isDefined(options) ? useDefinedMutation : useTanStackMutation) as typeof useDefinedMutation
  return use(options as DefinedMutation, queryClient)
}

function useDefinedMutation(mutation: DefinedMutation, queryClient: QueryClient | undefined): unknown {
  const client = useSyncClient(queryClient)
  const key = hashKey(mutation.mutationKey)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a mutation is what its key says
  const calls = useMemo(() => createMutationCalls(client, mutation), [client, key])
  const state = useSyncExternalStore(calls.subscribe, calls.getState, calls.getState)
  const mutate = useCallback(
    (...args: Parameters<typeof calls.mutate>) => {
      calls.mutate(...args).catch(() => {})
    },
    [calls],
  )
  return { ...state, mutate, mutateAsync: calls.mutate, reset: calls.reset }
}
