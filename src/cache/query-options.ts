/** Typed query definitions: TanStack's own options, a key that knows its data, and the few fields of ours. */
import type {
  DataTag,
  DefaultError,
  InfiniteData,
  InfiniteQueryObserverOptions,
  OmitKeyof,
  QueryFunction,
  QueryFunctionContext,
  QueryKey,
  QueryObserverOptions,
  SkipToken,
} from '@tanstack/query-core'
import type { ContextFetch } from './context'
import type { RowsOption } from './entities'

/** What TanStack gives a query function, and `fetch`: headers, signal and cursor added, rejects unless 2xx. */
export type QueryContext<TQueryKey extends QueryKey = QueryKey, TPageParam = never> = QueryFunctionContext<
  TQueryKey,
  TPageParam
> & {
  readonly fetch: ContextFetch
}

/** The fields that Tidemark adds to a query's options. */
export interface SyncFields<TData> {
  /** Push topics that make it stale; prefixes of its key always match too. */
  topics?: readonly string[] | undefined
  /** Where its rows are: pushes and layers address them. Of an infinite query `locate` is given one page. */
  rows?: RowsOption<TData> | undefined
  /** `false` (default): in memory only. `true`: kept. `{ maxAge }`: kept for so many milliseconds. */
  persist?: boolean | { maxAge: number } | undefined
  /** `false`: the query shows what the server said, never a pending change. */
  optimistic?: boolean | undefined
}

type Fn<T, TQueryKey extends QueryKey, TPageParam> = (context: QueryContext<TQueryKey, TPageParam>) => T | Promise<T>

export type QueryDefinition<TQueryFnData, TError, TData, TQueryKey extends QueryKey> = OmitKeyof<
  QueryObserverOptions<TQueryFnData, TError, TData, TQueryFnData, TQueryKey>,
  'queryKey' | 'queryFn' | 'suspense'
> &
  SyncFields<NoInfer<TQueryFnData>> & {
    queryKey: TQueryKey
    queryFn?: Fn<TQueryFnData, TQueryKey, never> | SkipToken
  }

/** What {@link queryOptions} returns: accepted by TanStack's own functions and hooks. */
export type DefinedQuery<TQueryFnData, TError, TData, TQueryKey extends QueryKey> = OmitKeyof<
  QueryObserverOptions<TQueryFnData, TError, TData, TQueryFnData, TQueryKey>,
  'queryKey' | 'queryFn' | 'suspense'
> &
  SyncFields<TQueryFnData> & {
    queryKey: DataTag<TQueryKey, TQueryFnData, TError>
    queryFn?: QueryFunction<TQueryFnData, TQueryKey>
  }

/**
 * Defines a query: TanStack's options, unchanged at run time, with a key that is typed by its data.
 *
 * @example
 * ```ts
 * const todosQuery = queryOptions({
 *   queryKey: ['todos'],
 *   queryFn: ({ fetch }) => fetch('/api/todos').then((r): Promise<Todo[]> => r.json()),
 *   rows: [todoRow, (todos) => todos],
 * })
 * ```
 */
export function queryOptions<
  TQueryFnData = unknown,
  TError = DefaultError,
  TData = TQueryFnData,
  const TQueryKey extends QueryKey = QueryKey,
>(
  options: QueryDefinition<TQueryFnData, TError, TData, TQueryKey>,
): DefinedQuery<TQueryFnData, TError, TData, TQueryKey> {
  return options as unknown as DefinedQuery<TQueryFnData, TError, TData, TQueryKey>
}

export type InfiniteQueryDefinition<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam> = OmitKeyof<
  InfiniteQueryObserverOptions<TQueryFnData, TError, TData, TQueryKey, TPageParam>,
  'queryKey' | 'queryFn' | 'suspense'
> &
  SyncFields<NoInfer<TQueryFnData>> & {
    queryKey: TQueryKey
    queryFn?: Fn<TQueryFnData, TQueryKey, TPageParam> | SkipToken
  }

export type DefinedInfiniteQuery<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam> = OmitKeyof<
  InfiniteQueryObserverOptions<TQueryFnData, TError, TData, TQueryKey, TPageParam>,
  'queryKey' | 'queryFn' | 'suspense'
> &
  SyncFields<TQueryFnData> & {
    queryKey: DataTag<TQueryKey, InfiniteData<TQueryFnData, TPageParam>, TError>
    queryFn?: QueryFunction<TQueryFnData, TQueryKey, TPageParam>
  }

/** {@link queryOptions} for an infinite query; its `rows` are those of one page. */
export function infiniteQueryOptions<
  TQueryFnData,
  TError = DefaultError,
  TPageParam = unknown,
  TData = InfiniteData<TQueryFnData, TPageParam>,
  const TQueryKey extends QueryKey = QueryKey,
>(
  options: InfiniteQueryDefinition<TQueryFnData, TError, TData, TQueryKey, TPageParam>,
): DefinedInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam> {
  return options as unknown as DefinedInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam>
}
