/** `useMutation`: defined mutations go through the outbox, inline options are TanStack's own. */
import type { DefaultError, QueryClient, UseMutationOptions, UseMutationReturnType } from '@tanstack/vue-query'
import { useMutation as useTanStackMutation } from '@tanstack/vue-query'
import type { DefinedMutation, SyncError } from 'tidemark'
import type { MaybeRef, MaybeRefOrGetter } from 'vue'
import { isRef, onScopeDispose, shallowReactive, shallowReadonly, toRaw, toRefs, toValue, watch } from 'vue'
import type { CallOptions } from '../mutation-calls'
import { createMutationCalls, isDefined, isThrown } from '../mutation-calls'
import { resolveSyncClient } from './client'

/**
 * TanStack's `useMutation`. A mutation made by `defineMutation` goes through the outbox: it is shown at once, survives a
 * reload, and the result is pending until the server has accepted or refused it (`isPaused` while offline). Variables may
 * be reactive: what is recorded is plain. The result is of this composable's newest call; ask for older ones with
 * `useOutbox` or `usePending`. `mutate` throws `usage` errors at once. A copy with callbacks of its own,
 * `{ ...addTodo, onSuccess }`, is the same mutation: its callbacks fire for the calls made here, after those of the
 * mutation. Inline options are handed to TanStack unchanged.
 *
 * @example
 * ```ts
 * const { mutate } = useMutation(addTodo)
 * mutate({ id: crypto.randomUUID(), title: title.value })
 * ```
 */
export function useMutation<TVariables, TData>(
  mutation: MaybeRef<DefinedMutation<TVariables, TData> & CallOptions>,
  queryClient?: QueryClient,
): UseMutationReturnType<TData, SyncError, TVariables, undefined>
// Apart from the first: functions have an `apply` too, which would be taken for the mutation's.
export function useMutation<TVariables, TData>(
  mutation: () => DefinedMutation<TVariables, TData> & CallOptions,
  queryClient?: QueryClient,
): UseMutationReturnType<TData, SyncError, TVariables, undefined>
export function useMutation<TData = unknown, TError = DefaultError, TVariables = void, TOnMutateResult = unknown>(
  options: UseMutationOptions<TData, TError, TVariables, TOnMutateResult>,
  queryClient?: QueryClient,
): UseMutationReturnType<TData, TError, TVariables, TOnMutateResult>
export function useMutation(options: MaybeRefOrGetter<object>, queryClient?: QueryClient): unknown {
  // A call stays what it was first: its options come from the same place in the code.
  const use = (isDefined(toValue(options)) ? useDefinedMutation : useTanStackMutation) as typeof useDefinedMutation
  return use(options as DefinedMutation, queryClient)
}

type Options = MaybeRefOrGetter<DefinedMutation & CallOptions>

function useDefinedMutation(options: Options, queryClient: QueryClient | undefined): unknown {
  const client = resolveSyncClient(queryClient)
  const calls = createMutationCalls(client, () => toValue(options))
  const state = shallowReactive({ ...calls.getState() })
  onScopeDispose(calls.subscribe(() => Object.assign(state, calls.getState())))
  watch(
    () => state.error,
    (error) => {
      if (isThrown(client, toValue(options), error)) throw error
    },
  )
  type Arguments = Parameters<typeof calls.mutate>
  const mutateAsync = (...[variables, callbacks]: Arguments) => calls.mutate(plain(variables), callbacks)
  return {
    ...toRefs(shallowReadonly(state)),
    mutate: (...args: Arguments) => {
      mutateAsync(...args).catch(() => {})
    },
    mutateAsync,
    reset: calls.reset,
  }
}

/** Without refs and reactive proxies, however deep they are. */
function plain(value: unknown): unknown {
  const raw: unknown = toRaw(isRef(value) ? value.value : value)
  if (Array.isArray(raw)) return raw.map(plain)
  if (typeof raw !== 'object' || raw === null || Object.getPrototypeOf(raw) !== Object.prototype) return raw
  return Object.fromEntries(Object.entries(raw).map(([name, part]) => [name, plain(part)]))
}
