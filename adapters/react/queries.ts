'use client'

/** TanStack's hooks, unchanged but for one thing: outside of a provider they say which one is missing. */
import * as TanStack from '@tanstack/react-query'
import { noClient } from './no-client'

/** TanStack's `useQuery`. */
export const useQuery: typeof TanStack.useQuery = /* @__PURE__ */ inProvider(TanStack.useQuery)
/** TanStack's `useInfiniteQuery`. */
export const useInfiniteQuery: typeof TanStack.useInfiniteQuery = /* @__PURE__ */ inProvider(TanStack.useInfiniteQuery)
/** TanStack's `useQueries`. */
export const useQueries: typeof TanStack.useQueries = /* @__PURE__ */ inProvider(TanStack.useQueries)
/** TanStack's `useSuspenseQuery`. */
export const useSuspenseQuery: typeof TanStack.useSuspenseQuery = /* @__PURE__ */ inProvider(TanStack.useSuspenseQuery)
/** TanStack's `useSuspenseInfiniteQuery`. */
export const useSuspenseInfiniteQuery: typeof TanStack.useSuspenseInfiniteQuery = /* @__PURE__ */ inProvider(
  TanStack.useSuspenseInfiniteQuery,
)
/** TanStack's `useSuspenseQueries`. */
export const useSuspenseQueries: typeof TanStack.useSuspenseQueries = /* @__PURE__ */ inProvider(
  TanStack.useSuspenseQueries,
)
/** TanStack's `usePrefetchQuery`. */
export const usePrefetchQuery: typeof TanStack.usePrefetchQuery = /* @__PURE__ */ inProvider(TanStack.usePrefetchQuery)
/** TanStack's `usePrefetchInfiniteQuery`. */
export const usePrefetchInfiniteQuery: typeof TanStack.usePrefetchInfiniteQuery = /* @__PURE__ */ inProvider(
  TanStack.usePrefetchInfiniteQuery,
)
/** TanStack's `useIsFetching`. */
export const useIsFetching: typeof TanStack.useIsFetching = /* @__PURE__ */ inProvider(TanStack.useIsFetching)
/** TanStack's `useIsMutating`. */
export const useIsMutating: typeof TanStack.useIsMutating = /* @__PURE__ */ inProvider(TanStack.useIsMutating)
/** TanStack's `useMutationState`. */
export const useMutationState: typeof TanStack.useMutationState = /* @__PURE__ */ inProvider(TanStack.useMutationState)
/** TanStack's `useMutation`, for inline options. */
export const useInlineMutation: typeof TanStack.useMutation = /* @__PURE__ */ inProvider(TanStack.useMutation)

/** The hook; that there is no provider it says in our words. Nothing is asked in front of TanStack's code, and no hook after it. */
function inProvider<T extends (...args: never[]) => unknown>(hook: T): T {
  const call = hook as unknown as (...args: unknown[]) => unknown
  const use = (...args: unknown[]): unknown => {
    try {
      return call(...args)
    } catch (thrown) {
      if (String((thrown as { message?: unknown } | null)?.message).startsWith('No QueryClient set')) throw noClient()
      throw thrown
    }
  }
  return use as unknown as T
}
