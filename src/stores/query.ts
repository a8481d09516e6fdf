/** A query as a read-only Zustand store: lazy, it fetches and listens while somebody subscribes. */
import type {
  InfiniteQueryObserverOptions,
  InfiniteQueryObserverResult,
  QueryClient,
  QueryKey,
  QueryObserverOptions,
  QueryObserverResult,
} from '@tanstack/query-core'
import { InfiniteQueryObserver, QueryObserver } from '@tanstack/query-core'
import type { StateCreator, StoreApi, StoreMutatorIdentifier } from 'zustand/vanilla'
import { createStore } from 'zustand/vanilla'
import type { ReadonlyStore } from './live'

export interface QueryStoreSettings<TState> {
  /** Applies Zustand middleware inside, e.g. `subscribeWithSelector` or `devtools`. */
  enhance?:
    | ((creator: StateCreator<TState, [], []>) => StateCreator<TState, [], [StoreMutatorIdentifier, unknown][]>)
    | undefined
}

/** Whom a query store is made for: anything with a view client. */
export interface ViewSource {
  readonly viewClient: QueryClient
}

/**
 * Makes a read-only Zustand store of a query's result. Nothing is fetched before the first `subscribe`; after the last
 * subscriber left, the query stays cached for its `gcTime`. `getState()` without subscribers reads the cache.
 *
 * @example
 * ```ts
 * const todos = createQueryStore(sync, todosQuery)
 * const stop = todos.subscribe(({ data }) => render(data))
 * ```
 */
export function createQueryStore<TQueryFnData, TError, TData, TQueryKey extends QueryKey, TPageParam>(
  sync: ViewSource,
  options: InfiniteQueryObserverOptions<TQueryFnData, TError, TData, TQueryKey, TPageParam>,
  settings?: QueryStoreSettings<InfiniteQueryObserverResult<TData, TError>>,
): ReadonlyStore<InfiniteQueryObserverResult<TData, TError>>
export function createQueryStore<TQueryFnData, TError, TData, TQueryKey extends QueryKey>(
  sync: ViewSource,
  options: QueryObserverOptions<TQueryFnData, TError, TData, TQueryFnData, TQueryKey>,
  settings?: QueryStoreSettings<QueryObserverResult<TData, TError>>,
): ReadonlyStore<QueryObserverResult<TData, TError>>
export function createQueryStore(
  sync: ViewSource,
  options: object,
  settings: object = {},
  // The overloads above are the types; the state's type is theirs.
): ReadonlyStore<never> {
  return queryStore(sync, options as QueryObserverOptions, settings) as ReadonlyStore<never>
}

function queryStore(
  sync: ViewSource,
  options: QueryObserverOptions,
  settings: QueryStoreSettings<QueryObserverResult>,
): ReadonlyStore<QueryObserverResult> {
  const isInfinite = 'getNextPageParam' in options
  const observe = (): QueryObserver =>
    isInfinite
      ? (new InfiniteQueryObserver(sync.viewClient, options as never) as unknown as QueryObserver)
      : new QueryObserver(sync.viewClient, options)
  const creator: StateCreator<QueryObserverResult> = () => observe().getCurrentResult()
  const inner = createStore((settings.enhance?.(creator) ?? creator) as StateCreator<QueryObserverResult>)
  let watchers = 0
  let stop: (() => void) | undefined
  let watching: QueryObserver | undefined
  /** Reads the cache while nobody watches; it remembers what it selected, so that the same is the same object. */
  let reader: QueryObserver | undefined

  // A new observer each time: the one from before may watch a query that has left the cache.
  function begin(): void {
    const observer = observe()
    watching = observer
    const show = (result: QueryObserverResult) => {
      if (!Object.is(result, inner.getState())) inner.setState(result, true)
    }
    stop = observer.subscribe(show)
    show(observer.getCurrentResult())
  }

  const subscribe = ((...args: Parameters<StoreApi<QueryObserverResult>['subscribe']>) => {
    if (watchers++ === 0) begin()
    const unsubscribe = inner.subscribe(...args)
    let active = true
    return () => {
      if (!active) return
      active = false
      unsubscribe()
      if (--watchers > 0) return
      stop?.()
      stop = undefined
      watching = undefined
    }
  }) as StoreApi<QueryObserverResult>['subscribe']

  return {
    getState() {
      // The observer, not the store: after a transition all observers are new before the first subscriber is called.
      if (watching !== undefined) return watching.getCurrentResult()
      const { queryHash } = sync.viewClient.defaultQueryOptions(options as never)
      // A query that has left the cache and came back is another query.
      if (reader?.getCurrentQuery() !== sync.viewClient.getQueryCache().get(queryHash)) reader = undefined
      reader ??= observe()
      reader.updateResult()
      const now = reader.getCurrentResult()
      const first = inner.getState()
      return sameResult(now, first) ? first : now
    },
    getInitialState: inner.getInitialState,
    subscribe,
  }
}

function sameResult(a: QueryObserverResult, b: QueryObserverResult): boolean {
  return (Object.keys(a) as Array<keyof QueryObserverResult>).every(
    (name) => name === 'refetch' || typeof a[name] === 'function' || Object.is(a[name], b[name]),
  )
}
