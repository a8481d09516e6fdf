/**
 * TanStack's composables with more overloads: their types take only what vue-query's own `queryOptions` returns, of its
 * own copy of query-core. What runs is TanStack's, unchanged.
 */
import type {
  UseInfiniteQueryReturnType,
  UseQueryDefinedReturnType,
  UseQueryReturnType,
  QueryClient as VueQueryClient,
} from '@tanstack/vue-query'
import {
  useInfiniteQuery as useTanStackInfiniteQuery,
  usePrefetchInfiniteQuery as useTanStackPrefetchInfiniteQuery,
  usePrefetchQuery as useTanStackPrefetchQuery,
  useQueries as useTanStackQueries,
  useQuery as useTanStackQuery,
} from '@tanstack/vue-query'
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

/** A query's options in Vue: `enabled` may be a ref or a getter, `shallow` keeps data out of deep reactivity. */
type InVue<T extends { enabled?: unknown }> = Omit<T, 'enabled'> & {
  enabled?: MaybeRefOrGetter<boolean | undefined> | T['enabled']
  shallow?: boolean
}

type UseQuery = {
  <TQueryFnData, TError, TData, TQueryKey extends QueryKey>(
    options: MaybeRefOrGetter<InVue<DefinedQueryWithData<TQueryFnData, TError, TData, TQueryKey>>>,
    queryClient?: VueQueryClient,
  ): UseQueryDefinedReturnType<TData, TError>
  <TQueryFnData, TError, TData, TQueryKey extends QueryKey>(
    options: MaybeRefOrGetter<InVue<SkippableQuery<TQueryFnData, TError, TData, TQueryKey>>>,
    queryClient?: VueQueryClient,
  ): UseQueryReturnType<TData, TError>
} & typeof useTanStackQuery

type UseInfiniteQuery = (<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam>(
  options: MaybeRefOrGetter<InVue<SkippableInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam>>>,
  queryClient?: VueQueryClient,
) => UseInfiniteQueryReturnType<TData, TError>) &
  typeof useTanStackInfiniteQuery

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

type UseQueries = (<const T extends readonly AnyQuery[], TCombined = ResultsOf<T>>(
  options: {
    queries: MaybeRef<T> | (() => T)
    combine?: (results: ResultsOf<T>) => TCombined
    shallow?: boolean
  },
  queryClient?: VueQueryClient,
) => Readonly<Ref<TCombined>>) &
  typeof useTanStackQueries

type UsePrefetchQuery = (<TQueryFnData, TError, TData, TQueryKey extends QueryKey>(
  options: MaybeRefOrGetter<DefinedQuery<TQueryFnData, TError, TData, TQueryKey>>,
  queryClient?: VueQueryClient,
) => void) &
  typeof useTanStackPrefetchQuery

type UsePrefetchInfiniteQuery = (<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam>(
  options: MaybeRefOrGetter<DefinedInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam>>,
  queryClient?: VueQueryClient,
) => void) &
  typeof useTanStackPrefetchInfiniteQuery

/** TanStack's `useQuery`; takes what `queryOptions` of `tidemark` and of `tidemark/react` return, too. */
export const useQuery: UseQuery = useTanStackQuery as UseQuery

/** TanStack's `useInfiniteQuery`; takes what `infiniteQueryOptions` of `tidemark` returns, too. */
export const useInfiniteQuery: UseInfiniteQuery = useTanStackInfiniteQuery as UseInfiniteQuery

/** TanStack's `useQueries`; takes what `queryOptions` of `tidemark` returns, too. */
export const useQueries: UseQueries = useTanStackQueries as UseQueries

/** TanStack's `usePrefetchQuery`; takes what `queryOptions` of `tidemark` returns, too. */
export const usePrefetchQuery: UsePrefetchQuery = useTanStackPrefetchQuery as UsePrefetchQuery

/** TanStack's `usePrefetchInfiniteQuery`; takes what `infiniteQueryOptions` of `tidemark` returns, too. */
export const usePrefetchInfiniteQuery: UsePrefetchInfiniteQuery =
  useTanStackPrefetchInfiniteQuery as UsePrefetchInfiniteQuery
