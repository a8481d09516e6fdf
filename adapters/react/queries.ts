/** TanStack's hooks, unchanged but for one thing: outside of a provider they say which one is missing. */
import {
  QueryClientContext,
  useInfiniteQuery as useTanStackInfiniteQuery,
  useIsFetching as useTanStackIsFetching,
  useIsMutating as useTanStackIsMutating,
  useMutation as useTanStackMutation,
  useMutationState as useTanStackMutationState,
  usePrefetchInfiniteQuery as useTanStackPrefetchInfiniteQuery,
  usePrefetchQuery as useTanStackPrefetchQuery,
  useQueries as useTanStackQueries,
  useQuery as useTanStackQuery,
  useSuspenseInfiniteQuery as useTanStackSuspenseInfiniteQuery,
  useSuspenseQueries as useTanStackSuspenseQueries,
  useSuspenseQuery as useTanStackSuspenseQuery,
} from '@tanstack/react-query'
import { useContext } from 'react'
import { SyncError } from 'tidemark'
import { NO_CLIENT } from './context'

/** TanStack's `useQuery`. */
export const useQuery: typeof useTanStackQuery = /* @__PURE__ */ inProvider(useTanStackQuery)
/** TanStack's `useInfiniteQuery`. */
export const useInfiniteQuery: typeof useTanStackInfiniteQuery = /* @__PURE__ */ inProvider(useTanStackInfiniteQuery)
/** TanStack's `useQueries`. */
export const useQueries: typeof useTanStackQueries = /* @__PURE__ */ inProvider(useTanStackQueries)
/** TanStack's `useSuspenseQuery`. */
export const useSuspenseQuery: typeof useTanStackSuspenseQuery = /* @__PURE__ */ inProvider(useTanStackSuspenseQuery)
/** TanStack's `useSuspenseInfiniteQuery`. */
export const useSuspenseInfiniteQuery: typeof useTanStackSuspenseInfiniteQuery = /* @__PURE__ */ inProvider(
  useTanStackSuspenseInfiniteQuery,
)
/** TanStack's `useSuspenseQueries`. */
export const useSuspenseQueries: typeof useTanStackSuspenseQueries =
  /* @__PURE__ */ inProvider(useTanStackSuspenseQueries)
/** TanStack's `usePrefetchQuery`. */
export const usePrefetchQuery: typeof useTanStackPrefetchQuery = /* @__PURE__ */ inProvider(useTanStackPrefetchQuery)
/** TanStack's `usePrefetchInfiniteQuery`. */
export const usePrefetchInfiniteQuery: typeof useTanStackPrefetchInfiniteQuery = /* @__PURE__ */ inProvider(
  useTanStackPrefetchInfiniteQuery,
)
/** TanStack's `useIsFetching`. */
export const useIsFetching: typeof useTanStackIsFetching = /* @__PURE__ */ inProvider(useTanStackIsFetching)
/** TanStack's `useIsMutating`. */
export const useIsMutating: typeof useTanStackIsMutating = /* @__PURE__ */ inProvider(useTanStackIsMutating)
/** TanStack's `useMutationState`. */
export const useMutationState: typeof useTanStackMutationState = /* @__PURE__ */ inProvider(useTanStackMutationState)
/** TanStack's `useMutation`, for inline options. */
export const useInlineMutation: typeof useTanStackMutation = /* @__PURE__ */ inProvider(useTanStackMutation)

/** The hook, with a `usage` error where neither a provider nor its last argument says which client is meant. */
function inProvider<T extends (...args: never[]) => unknown>(hook: T): T {
  const useHook = hook as unknown as (...args: unknown[]) => unknown
  const use = (...args: unknown[]): unknown => {
    const nearest = useContext(QueryClientContext)
    if (nearest === undefined && args[1] === undefined) {
      throw new SyncError('usage', NO_CLIENT)
    }
    return useHook(...args)
  }
  return use as unknown as T
}
