/**
 * TanStack's composables with more overloads: their types take only what vue-query's own `queryOptions` returns, of its
 * own copy of query-core. What runs is TanStack's, unchanged; without a plugin it says which one is missing.
 */
import type {
  UseInfiniteQueryReturnType,
  UseQueryDefinedReturnType,
  UseQueryReturnType,
  QueryClient as VueQueryClient,
} from '@tanstack/vue-query'
import * as TanStack from '@tanstack/vue-query'
import type {
  DataTag,
  DefinedInfiniteQuery,
  DefinedQuery,
  DefinedQueryObserverResult,
  DefinedQueryWithData,
  QueryKey,
  QueryObserverResult,
  SkippableInfiniteQuery,
  SkippableQuery,
} from 'tidemark'
import type { MaybeRef, MaybeRefOrGetter, Ref } from 'vue'
import { nearestQueryClient } from './client'

// TanStack's own overloads stand first. A call in the argument, `useQueries({ queries: [queryOptions(…)] })`, is inferred
// from the overload that is tried first, and stays as it is when that one does not fit.

/** A query's options in Vue: `enabled` may be a ref or a getter, `shallow` keeps data out of deep reactivity. */
type InVue<T extends { enabled?: unknown }> = Omit<T, 'enabled'> & {
  enabled?: MaybeRefOrGetter<boolean | undefined> | T['enabled']
  shallow?: boolean
}

type UseQuery = typeof TanStack.useQuery & {
  <TQueryFnData, TError, TData, TQueryKey extends QueryKey>(
    options: MaybeRefOrGetter<InVue<DefinedQueryWithData<TQueryFnData, TError, TData, TQueryKey>>>,
    queryClient?: VueQueryClient,
  ): UseQueryDefinedReturnType<TData, TError>
  <TQueryFnData, TError, TData, TQueryKey extends QueryKey>(
    options: MaybeRefOrGetter<InVue<SkippableQuery<TQueryFnData, TError, TData, TQueryKey>>>,
    queryClient?: VueQueryClient,
  ): UseQueryReturnType<TData, TError>
}

type UseInfiniteQuery = typeof TanStack.useInfiniteQuery &
  (<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam>(
    options: MaybeRefOrGetter<InVue<SkippableInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam>>>,
    queryClient?: VueQueryClient,
  ) => UseInfiniteQueryReturnType<TData, TError>)

// biome-ignore lint/suspicious/noExplicitAny: any query; what it is of is inferred from each member
type AnyQuery = InVue<Omit<SkippableQuery<any, any, any, any>, 'queryKey'>> & { queryKey: TaggedKey }
type TaggedKey = DataTag<QueryKey, unknown, unknown>

type ResultOf<T> =
  // biome-ignore lint/suspicious/noExplicitAny: data and error are what is asked for
  T extends DefinedQueryWithData<any, infer TError, infer TData, any>
    ? DefinedQueryObserverResult<TData, TError>
    : // biome-ignore lint/suspicious/noExplicitAny: as above
      T extends SkippableQuery<any, infer TError, infer TData, any>
      ? QueryObserverResult<TData, TError>
      : QueryObserverResult

type ResultsOf<T extends readonly unknown[]> = { -readonly [At in keyof T]: ResultOf<T[At]> }

type UseQueries = typeof TanStack.useQueries &
  (<const T extends readonly AnyQuery[], TCombined = ResultsOf<T>>(
    options: {
      queries: MaybeRef<T> | (() => T)
      combine?: (results: ResultsOf<T>) => TCombined
      shallow?: boolean
    },
    queryClient?: VueQueryClient,
  ) => Readonly<Ref<TCombined>>)

type UsePrefetchQuery = typeof TanStack.usePrefetchQuery &
  (<TQueryFnData, TError, TData, TQueryKey extends QueryKey>(
    options: MaybeRefOrGetter<DefinedQuery<TQueryFnData, TError, TData, TQueryKey>>,
    queryClient?: VueQueryClient,
  ) => void)

type UsePrefetchInfiniteQuery = typeof TanStack.usePrefetchInfiniteQuery &
  (<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam>(
    options: MaybeRefOrGetter<DefinedInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam>>,
    queryClient?: VueQueryClient,
  ) => void)

/** TanStack's `useQuery`; takes what `queryOptions` of `tidemark` and of `tidemark/react` return, too. */
export const useQuery: UseQuery = /* @__PURE__ */ inPlugin(TanStack.useQuery) as UseQuery

/** TanStack's `useInfiniteQuery`; takes what `infiniteQueryOptions` of `tidemark` returns, too. */
export const useInfiniteQuery: UseInfiniteQuery = /* @__PURE__ */ inPlugin(
  TanStack.useInfiniteQuery,
) as UseInfiniteQuery

/** TanStack's `useQueries`; takes what `queryOptions` of `tidemark` returns, too. */
export const useQueries: UseQueries = /* @__PURE__ */ inPlugin(TanStack.useQueries) as UseQueries

/** TanStack's `usePrefetchQuery`; takes what `queryOptions` of `tidemark` returns, too. */
export const usePrefetchQuery: UsePrefetchQuery = /* @__PURE__ */ inPlugin(
  TanStack.usePrefetchQuery,
) as UsePrefetchQuery

/** TanStack's `usePrefetchInfiniteQuery`; takes what `infiniteQueryOptions` of `tidemark` returns, too. */
export const usePrefetchInfiniteQuery: UsePrefetchInfiniteQuery = /* @__PURE__ */ inPlugin(
  TanStack.usePrefetchInfiniteQuery,
) as UsePrefetchInfiniteQuery

/** TanStack's `useIsFetching`. */
export const useIsFetching: typeof TanStack.useIsFetching = /* @__PURE__ */ inPlugin(TanStack.useIsFetching)

/** TanStack's `useIsMutating`. */
export const useIsMutating: typeof TanStack.useIsMutating = /* @__PURE__ */ inPlugin(TanStack.useIsMutating)

/** TanStack's `useMutationState`. */
export const useMutationState: typeof TanStack.useMutationState = /* @__PURE__ */ inPlugin(TanStack.useMutationState)

/** TanStack's `useMutation`, for inline options. */
export const useInlineMutation: typeof TanStack.useMutation = /* @__PURE__ */ inPlugin(TanStack.useMutation)

/** The composable; when it fails where neither a plugin nor its last argument says which client is meant, that is what it says. */
function inPlugin<T extends (...args: never[]) => unknown>(composable: T): T {
  const use = (...args: unknown[]): unknown => {
    try {
      return (composable as unknown as (...args: unknown[]) => unknown)(...args)
    } catch (thrown) {
      if (args[1] === undefined) nearestQueryClient()
      throw thrown
    }
  }
  return use as unknown as T
}
