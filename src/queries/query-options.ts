/** Typed query definitions: TanStack's own options, a key that knows its data, and the few fields of ours. */
import type {
  DataTag,
  DefaultError,
  InfiniteData,
  InfiniteQueryObserverOptions,
  InitialDataFunction,
  NonUndefinedGuard,
  OmitKeyof,
  QueryFunction,
  QueryFunctionContext,
  QueryKey,
  QueryObserverOptions,
  SkipToken,
} from '@tanstack/query-core'
import type { DefinedRows, RowsOption } from '../data/entities'
import type { ContextFetch } from './context'

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
  /**
   * Where its rows are: pushes and layers address them. Of an infinite query `locate` is given one page. A third element says
   * how the server makes the list, so that rows move in and out of it by themselves.
   */
  rows?: RowsOption<TData> | undefined
  /** To be kept over a reload, `{ maxAge }` for so many milliseconds. Without effect in this version. @defaultValue `false` */
  persist?: boolean | { maxAge: number } | undefined
  /** `false`: the query shows what the server said, never a pending change. */
  optimistic?: boolean | undefined
  /** Milliseconds that the context's `fetch` waits for an answer; `Infinity` for ever. @defaultValue the client's `timeout` */
  timeout?: number | undefined
}

type Fn<T, TQueryKey extends QueryKey, TPageParam> = (context: QueryContext<TQueryKey, TPageParam>) => T | Promise<T>

// TanStack's options field by field, but for those whose presence decides what a hook returns.
type Fields<TQueryFnData, TError, TData, TQueryKey extends QueryKey> = OmitKeyof<
  QueryObserverOptions<TQueryFnData, TError, TData, TQueryFnData, TQueryKey>,
  'queryKey' | 'queryFn' | 'suspense' | 'initialData'
>

type InfiniteFields<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam> = OmitKeyof<
  InfiniteQueryObserverOptions<TQueryFnData, TError, TData, TQueryKey, TPageParam>,
  'queryKey' | 'queryFn' | 'suspense' | 'initialData'
>

type MaybeInitialData<T> = {
  initialData?: NonUndefinedGuard<T> | InitialDataFunction<NonUndefinedGuard<T>> | undefined
}
// As TanStack writes the field: without `undefined`.
type KeptInitialData<T> = { initialData?: NonUndefinedGuard<T> | InitialDataFunction<NonUndefinedGuard<T>> }
type InitialData<T> = { initialData: NonUndefinedGuard<T> | (() => NonUndefinedGuard<T>) }

/** What {@link queryOptions} takes. `fetch` in the context of `queryFn` is what Tidemark adds. */
export type QueryDefinition<
  TQueryFnData,
  TError,
  TData,
  TQueryKey extends QueryKey,
  TRow = never,
  TRows = never,
> = Fields<TQueryFnData, TError, TData, TQueryKey> &
  Omit<SyncFields<NoInfer<TQueryFnData>>, 'rows'> & {
    queryKey: TQueryKey
    rows?: DefinedRows<NoInfer<TQueryFnData>, TRow, TRows> | undefined
  }

/** What {@link queryOptions} returns: accepted by TanStack's own functions and hooks, of either framework. */
export type DefinedQuery<TQueryFnData, TError, TData, TQueryKey extends QueryKey> = Fields<
  TQueryFnData,
  TError,
  TData,
  TQueryKey
> &
  SyncFields<TQueryFnData> &
  KeptInitialData<TQueryFnData> & {
    queryKey: DataTag<TQueryKey, TQueryFnData, TError>
    queryFn?: QueryFunction<TQueryFnData, TQueryKey>
  }

/** A query with initial data: a hook's `data` is never `undefined`. */
export type DefinedQueryWithData<TQueryFnData, TError, TData, TQueryKey extends QueryKey> = OmitKeyof<
  DefinedQuery<TQueryFnData, TError, TData, TQueryKey>,
  'initialData'
> &
  InitialData<TQueryFnData>

/** A query that may be skipped (`skipToken`): hooks that suspend do not take it. */
export type SkippableQuery<TQueryFnData, TError, TData, TQueryKey extends QueryKey> = OmitKeyof<
  DefinedQuery<TQueryFnData, TError, TData, TQueryKey>,
  'queryFn'
> & { queryFn?: QueryFunction<TQueryFnData, TQueryKey> | SkipToken }

/**
 * Defines a query: TanStack's options, unchanged at run time, with a key that is typed by its data.
 *
 * @example
 * ```ts
 * const todosQuery = queryOptions({
 *   queryKey: ['todos'],
 *   queryFn: ({ fetch }) => fetch('/api/todos').then((r): Promise<Todo[]> => r.json()),
 *   rows: [todoRow, (todos) => todos, { where: () => true }], // all of them, in the server's order
 * })
 * ```
 */
export function queryOptions<
  TQueryFnData = unknown,
  TError = DefaultError,
  TData = TQueryFnData,
  const TQueryKey extends QueryKey = QueryKey,
  TRow = never,
  TRows = never,
>(
  options: QueryDefinition<TQueryFnData, TError, TData, TQueryKey, TRow, TRows> &
    InitialData<TQueryFnData> & { queryFn?: Fn<TQueryFnData, TQueryKey, never> },
): DefinedQueryWithData<TQueryFnData, TError, TData, TQueryKey>
export function queryOptions<
  TQueryFnData = unknown,
  TError = DefaultError,
  TData = TQueryFnData,
  const TQueryKey extends QueryKey = QueryKey,
  TRow = never,
  TRows = never,
>(
  options: QueryDefinition<TQueryFnData, TError, TData, TQueryKey, TRow, TRows> &
    MaybeInitialData<TQueryFnData> & { queryFn?: Fn<TQueryFnData, TQueryKey, never> },
): DefinedQuery<TQueryFnData, TError, TData, TQueryKey>
export function queryOptions<
  TQueryFnData = unknown,
  TError = DefaultError,
  TData = TQueryFnData,
  const TQueryKey extends QueryKey = QueryKey,
  TRow = never,
  TRows = never,
>(
  options: QueryDefinition<TQueryFnData, TError, TData, TQueryKey, TRow, TRows> &
    MaybeInitialData<TQueryFnData> & { queryFn?: Fn<TQueryFnData, TQueryKey, never> | SkipToken },
): SkippableQuery<TQueryFnData, TError, TData, TQueryKey>
export function queryOptions(options: unknown): unknown {
  return options
}

/** What {@link infiniteQueryOptions} takes; its `rows` are those of one page. */
export type InfiniteQueryDefinition<
  TQueryFnData,
  TError,
  TData,
  TQueryKey extends QueryKey,
  TPageParam,
  TRow = never,
  TRows = never,
> = InfiniteFields<TQueryFnData, TError, TData, TQueryKey, TPageParam> &
  Omit<SyncFields<NoInfer<TQueryFnData>>, 'rows'> & {
    queryKey: TQueryKey
    rows?: DefinedRows<NoInfer<TQueryFnData>, TRow, TRows> | undefined
  }

/** What {@link infiniteQueryOptions} returns: accepted by TanStack's own functions and hooks, of either framework. */
export type DefinedInfiniteQuery<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam> = InfiniteFields<
  TQueryFnData,
  TError,
  TData,
  TQueryKey,
  TPageParam
> &
  SyncFields<TQueryFnData> &
  KeptInitialData<InfiniteData<TQueryFnData, TPageParam>> & {
    queryKey: DataTag<TQueryKey, InfiniteData<TQueryFnData, TPageParam>, TError>
    queryFn?: QueryFunction<TQueryFnData, TQueryKey, TPageParam>
  }

/** An infinite query with initial data: a hook's `data` is never `undefined`. */
export type DefinedInfiniteQueryWithData<
  TQueryFnData,
  TError,
  TData,
  TQueryKey extends QueryKey,
  TPageParam,
> = OmitKeyof<DefinedInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam>, 'initialData'> &
  InitialData<InfiniteData<TQueryFnData, TPageParam>>

/** An infinite query that may be skipped (`skipToken`): hooks that suspend do not take it. */
export type SkippableInfiniteQuery<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam> = OmitKeyof<
  DefinedInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam>,
  'queryFn'
> & { queryFn?: QueryFunction<TQueryFnData, TQueryKey, TPageParam> | SkipToken }

/** {@link queryOptions} for an infinite query; its `rows` are those of one page. */
export function infiniteQueryOptions<
  TQueryFnData,
  TError = DefaultError,
  TPageParam = unknown,
  TData = InfiniteData<TQueryFnData, TPageParam>,
  const TQueryKey extends QueryKey = QueryKey,
  TRow = never,
  TRows = never,
>(
  options: InfiniteQueryDefinition<TQueryFnData, TError, TData, TQueryKey, TPageParam, TRow, TRows> &
    InitialData<InfiniteData<TQueryFnData, TPageParam>> & { queryFn?: Fn<TQueryFnData, TQueryKey, TPageParam> },
): DefinedInfiniteQueryWithData<TQueryFnData, TError, TData, TQueryKey, TPageParam>
export function infiniteQueryOptions<
  TQueryFnData,
  TError = DefaultError,
  TPageParam = unknown,
  TData = InfiniteData<TQueryFnData, TPageParam>,
  const TQueryKey extends QueryKey = QueryKey,
  TRow = never,
  TRows = never,
>(
  options: InfiniteQueryDefinition<TQueryFnData, TError, TData, TQueryKey, TPageParam, TRow, TRows> &
    MaybeInitialData<InfiniteData<TQueryFnData, TPageParam>> & { queryFn?: Fn<TQueryFnData, TQueryKey, TPageParam> },
): DefinedInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam>
export function infiniteQueryOptions<
  TQueryFnData,
  TError = DefaultError,
  TPageParam = unknown,
  TData = InfiniteData<TQueryFnData, TPageParam>,
  const TQueryKey extends QueryKey = QueryKey,
  TRow = never,
  TRows = never,
>(
  options: InfiniteQueryDefinition<TQueryFnData, TError, TData, TQueryKey, TPageParam, TRow, TRows> &
    MaybeInitialData<InfiniteData<TQueryFnData, TPageParam>> & {
      queryFn?: Fn<TQueryFnData, TQueryKey, TPageParam> | SkipToken
    },
): SkippableInfiniteQuery<TQueryFnData, TError, TData, TQueryKey, TPageParam>
export function infiniteQueryOptions(options: unknown): unknown {
  return options
}
