/**
 * The QueryClient with one difference: the queries that observers are built on read as views. TanStack's observers and
 * hooks run on it unmodified. A face stands in for each Query: its `state` has the view as data, everything else is the
 * Query itself (methods are bound to it, for query-core keeps private fields).
 */
import type {
  DefaultedQueryObserverOptions,
  Query,
  QueryCache,
  QueryCacheNotifyEvent,
  QueryClient,
  QueryState,
} from '@tanstack/query-core'
import { usageError } from '../base/errors'
import { share } from '../data/share'
import { OWN_SHARE } from './adopt'
import type { Cell } from './cell'
import { awaitView } from './refresher'
import type { UpdatedEvent } from './transition'

/** Under this name a QueryClient carries the sync client that it belongs to. */
export const CLIENT: symbol = Symbol.for('tidemark.client')

export interface ViewClientDeps {
  queryClient: QueryClient
  cellOf(query: Query): Cell | undefined
  /** What the query shows now. */
  viewOf(cell: Cell): { readonly data: unknown }
  /** Who hears that queries have changed, when their views have. */
  listeners: Set<(event: UpdatedEvent) => void>
}

export function createViewClient({ queryClient, cellOf, viewOf, listeners }: ViewClientDeps): QueryClient {
  const cache = queryClient.getQueryCache()
  const faces = new WeakMap<Query, Query>()
  const faceOf = (query: Query): Query => {
    let face = faces.get(query)
    if (face === undefined) {
      face = createFace(query, { cellOf, viewOf, listeners })
      faces.set(query, face)
    }
    return face
  }
  const realOf = (query: Query): Query => (query as FaceOf)[REAL] ?? query

  // `getAll` stays the plain cache's: what is written down (dehydrate, persisters) is base, whichever client they are given.
  const views = bindAll(cache, {
    build: (_client: QueryClient, options: Parameters<QueryCache['build']>[1], state?: QueryState) =>
      faceOf(cache.build(queryClient, options, state) as Query),
    get: (hash: string) => mapFace(cache.get(hash) as Query | undefined, faceOf),
    find: (filters: never) => mapFace(cache.find(filters) as Query | undefined, faceOf),
    findAll: (filters?: never) => cache.findAll(filters).map(faceOf),
    remove: (query: Query) => cache.remove(realOf(query)),
    // query-core announces a base before its view is folded: these subscribers hear when it is.
    subscribe(listener: (event: QueryCacheNotifyEvent) => void) {
      const own = (event: UpdatedEvent): void => listener(event)
      const unsubscribe = cache.subscribe((event) => {
        if (event.type !== 'updated') listener(event)
      })
      listeners.add(own)
      return () => {
        listeners.delete(own)
        unsubscribe()
      }
    },
  }) as QueryCache

  return bindAll(queryClient, {
    getQueryCache: () => views,
    // Views share with what they were; only results of `select` are left to compare.
    defaultQueryOptions(options: DefaultedQueryObserverOptions) {
      if (!Array.isArray(options.queryKey))
        throw usageError("A query has no queryKey, or one that is not a list; give it one such as ['todos'].")
      const defaulted = queryClient.defaultQueryOptions(options)
      return defaulted.structuralSharing === undefined ? { ...defaulted, structuralSharing: shareResults } : defaulted
    },
  }) as QueryClient
}

const shareResults: (previous: unknown, next: unknown) => unknown = Object.assign(
  (previous: unknown, next: unknown) => share(previous, next),
  { [OWN_SHARE]: true },
)

const REAL: unique symbol = Symbol('query behind a face')
type FaceOf = Query & { [REAL]?: Query }

function mapFace(query: Query | undefined, faceOf: (query: Query) => Query): Query | undefined {
  return query === undefined ? undefined : faceOf(query)
}

type FaceDeps = Pick<ViewClientDeps, 'cellOf' | 'viewOf' | 'listeners'>

/** The state that observers see: query-core's own while nothing is pending, else with the view in place of base. */
function createFace(query: Query, deps: FaceDeps): Query {
  let seen: { state: QueryState; data: unknown; face: QueryState } | undefined
  const state = (): QueryState => {
    const cell = deps.cellOf(query)
    const data = cell === undefined ? query.state.data : deps.viewOf(cell).data
    if (Object.is(data, query.state.data)) return query.state
    if (seen?.state !== query.state || !Object.is(seen.data, data)) {
      seen = { state: query.state, data, face: stateWith(query.state, data) }
    }
    return seen.face
  }
  /** There is a base, and pending writes take all of it away: a row that is being deleted. */
  const isHidden = (): boolean => state().data === undefined && query.state.data !== undefined
  /** A write that hides it is accepted: the next read brings what the server has instead. */
  const mayReadHelp = (): boolean =>
    deps.cellOf(query)?.placements.some(({ layer }) => layer.outcome === 'confirmed') === true
  // To read again before would bring the same base: what ends the state is the outcome of the writes.
  const untilShown = (): Promise<unknown> =>
    shown(query, () => state().status !== 'pending', deps).then(() => state().data)
  const face = bindAll(query, {
    [REAL]: query,
    isStaleByTime: (time?: never) => isHidden() || query.isStaleByTime(time),
    fetch(...args: Parameters<Query['fetch']>) {
      // A refetch and a further page are asked for in so many words; all else is asked for to have something to show.
      if (args[1] !== undefined) return query.fetch(...args)
      if (isHidden() && state().status === 'pending' && !mayReadHelp()) return untilShown()
      return query.fetch(...args).then((data) => (isHidden() ? untilShown() : data))
    },
  })
  Object.defineProperty(face, 'state', { get: state, enumerable: true, configurable: true })
  return face as Query
}

/** Without data a query is one that query-core knows too: pending or failed, never fetched while it is fetching. */
function stateWith(state: QueryState, data: unknown): QueryState {
  if (data === undefined) {
    const isFailed = state.status === 'error' && state.fetchStatus === 'idle'
    return { ...state, data, dataUpdatedAt: 0, ...(isFailed ? undefined : { status: 'pending', error: null }) }
  }
  // A view of a query that was never fetched (`view.set`).
  if (state.data === undefined) return { ...state, data, status: 'success', error: null }
  return { ...state, data }
}

/** Resolves when the view of a query is there, or the query has failed. Meanwhile its reads are made as if it were watched. */
function shown(query: Query, isShown: () => boolean, { cellOf, listeners }: FaceDeps): Promise<void> {
  const cell = cellOf(query)
  if (cell === undefined || isShown()) return Promise.resolve()
  const end = awaitView(cell)
  return new Promise((resolve) => {
    const look = (event: UpdatedEvent): void => {
      if (event.query !== query || !isShown()) return
      listeners.delete(look)
      end()
      resolve()
    }
    listeners.add(look)
  })
}

/** An object that is `target` but for `own`: its methods run on the target, its fields are read and written through. */
function bindAll<T extends object>(target: T, own: object): object {
  const bound = new Map<PropertyKey, unknown>()
  // Not made from the target: V8 gives each object that is a prototype a shape of its own, and loops over many become slow.
  const proxy = {}
  return new Proxy(proxy, {
    get(_, name, receiver) {
      const found = Object.getOwnPropertyDescriptor(proxy, name)
      if (found !== undefined) return Reflect.get(proxy, name, receiver)
      if (Object.hasOwn(own, name)) return Reflect.get(own, name)
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const known = bound.get(name) as { of: unknown; call: unknown } | undefined
      if (known?.of === value) return known.call
      const call = (...args: unknown[]): unknown => (value as (...args: unknown[]) => unknown).apply(target, args)
      bound.set(name, { of: value, call })
      return call
    },
    set: (_, name, value) => Reflect.set(target, name, value, target),
    has: (_, name) => name in target || Object.hasOwn(own, name),
    defineProperty: (_, name, descriptor) => Reflect.defineProperty(proxy, name, descriptor),
    getPrototypeOf: () => Object.getPrototypeOf(target) as object | null,
  })
}
