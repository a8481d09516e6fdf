/** `useMutation`: defined mutations go through the outbox, inline options are TanStack's own. */
import type { DefaultError, QueryClient, UseMutationOptions, UseMutationReturnType } from '@tanstack/vue-query'
import type { DefinedMutation, SyncError } from 'tidemark'
import type { MaybeRef, MaybeRefOrGetter } from 'vue'
import { isRef, onScopeDispose, shallowReactive, shallowReadonly, toRaw, toRefs, watch } from 'vue'
import { isPlainObject } from '../../src/base/key'
import { adviceOf } from '../clients'
import type { CallOptions } from '../mutation-calls'
import { createMutationCalls, isDefined, isThrown } from '../mutation-calls'
import { resolveSyncClient } from './client'
import { toValue } from './peers'
import { useInlineMutation } from './queries'

/**
 * TanStack's `useMutation`. A mutation made by `defineMutation` goes through the outbox: it is shown at once, goes on
 * when the component is gone, and the result is pending until the server has accepted or refused it (`isPaused` while offline). Variables may
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
// TanStack's overload stands first: a call in the argument, `useMutation(mutationOptions(…))`, is inferred from the overload
// that is tried first, and stays as it is when that one does not fit. A defined mutation does not: its scope may be a function.
export function useMutation<TData = unknown, TError = DefaultError, TVariables = void, TOnMutateResult = unknown>(
  options: UseMutationOptions<TData, TError, TVariables, TOnMutateResult>,
  queryClient?: QueryClient,
): UseMutationReturnType<TData, TError, TVariables, TOnMutateResult>
export function useMutation<TVariables, TData>(
  mutation: MaybeRef<DefinedMutation<TVariables, TData> & CallOptions>,
  queryClient?: QueryClient,
): UseMutationReturnType<TData, SyncError, TVariables, undefined>
// Apart from refs: functions have an `apply` too, which would be taken for the mutation's.
export function useMutation<TVariables, TData>(
  mutation: () => DefinedMutation<TVariables, TData> & CallOptions,
  queryClient?: QueryClient,
): UseMutationReturnType<TData, SyncError, TVariables, undefined>
export function useMutation(options: MaybeRefOrGetter<object>, queryClient?: QueryClient): unknown {
  // A call stays what it was first: its options come from the same place in the code.
  const use = (isDefined(toValue(options)) ? useDefinedMutation : useInlineMutation) as typeof useDefinedMutation
  return use(options as DefinedMutation, queryClient)
}

type Options = MaybeRefOrGetter<DefinedMutation & CallOptions>

function useDefinedMutation(options: Options, queryClient: QueryClient | undefined): unknown {
  const client = resolveSyncClient(queryClient)
  const calls = createMutationCalls(client, () => toValue(options))
  adviceOf(client)?.hooked(toValue(options))
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

/** More levels than the outbox takes: what is deeper is left as it is, and refused there with its place. */
const DEEPEST = 1000

/**
 * Without refs and reactive proxies, however deep they are. What refers to itself does so in the copy too: whether that can
 * be kept is for the outbox to say.
 */
function plain(value: unknown, copies: Map<unknown, unknown> = new Map(), depth = 0): unknown {
  const raw: unknown = toRaw(isRef(value) ? value.value : value)
  const isList = Array.isArray(raw)
  if (typeof raw !== 'object' || raw === null || depth > DEEPEST) return raw
  if (!isList && !isPlainObject(raw)) return raw
  const known = copies.get(raw)
  if (known !== undefined) return known
  const copy: object = isList ? [] : {}
  copies.set(raw, copy)
  for (const [name, part] of Object.entries(raw)) {
    const of = plain(part, copies, depth + 1)
    // A field may be named `__proto__`, which an assignment would take for something else.
    Object.defineProperty(copy, name, { value: of, writable: true, enumerable: true, configurable: true })
  }
  return copy
}
