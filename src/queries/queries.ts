/**
 * The cache floor as one object: query-core's QueryCache as base, layers over it, views out of it. The queue pushes
 * layers and outcomes in, the stream pushes events in; observers of the view client hear once per transition.
 */
import type { Query, QueryCache, QueryClient, QueryKey } from '@tanstack/query-core'
import { CancelledError, hashKey } from '@tanstack/query-core'
import type { Cursor } from '../base/cursor'
import type { Layer } from '../evidence/evidence'
import { isCovered, isOpen } from '../evidence/evidence'
import { isAt } from '../evidence/order'
import type { Http } from '../platform/http'
import { decide } from './accept'
import type { AdoptDeps } from './adopt'
import { adopt } from './adopt'
import type { Answer } from './answer'
import { applyAnswer } from './answer'
import type { Cell, Mode } from './cell'
import { isReading, isWatched } from './cell'
import { createContexts } from './context'
import type { Core, CoreDeps, LayerListener } from './core'
import { createCore } from './create-core'
import type { Lookup } from './lookup'
import { createLookup } from './lookup'
import { matters } from './placements'
import { failArrival, markStale } from './reading'
import type { Refresher } from './refresher'
import { createRefresher, isWaiting } from './refresher'
import { viewEvent } from './transition'
import { createViewClient } from './view-client'

export interface CacheDeps extends CoreDeps {
  http: Http
  /** Keys are invalidated, whether they match something or not; for who looks after mistakes. */
  onInvalidate?: ((keys: readonly QueryKey[]) => void) | undefined
}

export interface Cache {
  readonly core: Core
  readonly queryClient: QueryClient
  readonly viewClient: QueryClient
  getView(queryKey: QueryKey): unknown
  getBase(queryKey: QueryKey): unknown
  getMode(queryKey: QueryKey): Mode | undefined
  /** Who hears that layers are reflected or gone. */
  listen(listener: LayerListener): void
  /** Shows a layer. */
  add(layer: Layer): void
  /** Takes a layer away (rejected, cancelled, discarded). */
  drop(layer: Layer): void
  /** The layer's outcome is known: what waited for it is decided. */
  decided(layer: Layer): void
  /** The position at which the layer was confirmed before is known. */
  placed(layer: Layer): void
  /** What an answer says, into the bases that the mutation touches; returns those in which its rows have no place. */
  answer(layer: Layer, answer: Answer): ReadonlySet<Cell>
  /** Whether the first send of this mutation must wait for a read (unbroken writing without cursors would starve reads). */
  holdsBack(layer: Layer): boolean
  /** The layer's mutation makes these stale, or all, or what the stream tells of: it is not reflected before that was read. */
  awaitReads(layer: Layer, what: readonly QueryKey[] | 'all' | 'pushed'): void
  /** The stream has come to this position without a change. */
  reached(cursor: Cursor): void
  /** Marks stale what the keys name. */
  invalidate(keys: readonly QueryKey[]): void
  invalidateAll(): void
  /** The writes of a scope are all decided: what is stale because of them is read. */
  readOwed(): void
  /** Marks stale the queries that the layer touches and that are not known to contain it. */
  invalidateUncovered(layer: Layer): void
  /** Marks stale these queries, if they are not known to contain it. */
  invalidateUnplaced(layer: Layer, cells: ReadonlySet<Cell>): void
  /** Names the mutations that touch what this one touches. */
  neighbours(layer: Layer): string[]
  /** Queries where something waits for an outcome. */
  waiting(): QueryKey[]
  /** What the stream works on. */
  readonly lookup: Lookup
  /** Reads a watched query within so many milliseconds. */
  spread(cell: Cell, milliseconds: number): void
  /** Everything (or what the keys name) may be stale; resolves when the reads of watched queries are back. */
  resync(request: {
    cursor?: Cursor | undefined
    keys?: readonly QueryKey[] | undefined
    spread?: number | undefined
  }): Promise<void>
  /** The server, or the network, is back: reads that wait because the last ones failed are made now. */
  wake(): void
  /** Reads what is watched. */
  poll(): void
  topics(): string[]
  /** Calls `listener` when the topics of cached queries change. */
  watchTopics(listener: () => void): void
  stop(): void
}

export function createCache(deps: CacheDeps, queryClient: QueryClient): Cache {
  const queryCache = queryClient.getQueryCache()
  let onTopics = (): void => {}
  const lookup = createLookup(() => onTopics())
  const core: Core = createCore(deps, {
    lookup,
    hashKey: (queryKey) => queryClient.defaultQueryOptions({ queryKey }).queryHash ?? hashKey(queryKey),
    refresh: (cell, when) => refresher.want(cell, when),
    evict: ({ query }) => queryCache.remove(query),
  })
  const refresher = createRefresher(core)
  const spread = (cell: Cell, milliseconds: number): void => refresher.wantWithin(cell, milliseconds)
  const unsubscribe = follow(queryCache, {
    core,
    refresher,
    extendContext: createContexts(core, deps.http),
  })
  const cellAt = (queryKey: QueryKey): Cell | undefined => core.cells.get(core.hashKey(queryKey))
  const named = (keys: readonly QueryKey[]): Set<Cell> => new Set(keys.flatMap((key) => [...lookup.byKey(key)]))

  return {
    core,
    queryClient,
    viewClient: createViewClient({
      queryClient,
      cellOf: (query) => cellOf(core, query),
      viewOf: core.viewOf,
      listeners: core.viewListeners,
    }),
    getView: (queryKey) => viewOf(core, cellAt(queryKey)),
    getBase: (queryKey) => cellAt(queryKey)?.base?.data,
    getMode: (queryKey) => cellAt(queryKey)?.mode,
    listen: (listener) => {
      core.listener = listener
    },
    ...layerFace(core),
    awaitReads(layer, what) {
      const cells = typeof what === 'string' ? core.cells.values() : named(what)
      core.awaitReads(layer, cells, what === 'pushed' ? 'told' : 'read')
    },
    reached: (cursor) => reached(core, cursor),
    invalidate(keys) {
      deps.onInvalidate?.(keys)
      staleEach(core, named(keys))
    },
    invalidateAll: () => staleEach(core, core.cells.values()),
    waiting: () => [...core.cells.values()].filter((cell) => isWaiting(core, cell)).map(({ query }) => query.queryKey),
    lookup,
    spread,
    resync({ cursor, keys, spread: within }) {
      const cells = [...(keys === undefined ? core.cells.values() : named(keys))]
      refresher.wake(cells)
      if (within !== undefined) for (const cell of cells) spread(cell, within)
      staleEach(core, cells, cursor)
      if (cursor !== undefined) core.sawStream(cursor)
      return refresher.settled(cells)
    },
    readOwed: refresher.readOwed,
    wake: () => refresher.wake(core.cells.values()),
    poll: () => {
      for (const cell of core.cells.values()) if (isWatched(cell)) refresher.want(cell)
    },
    topics: () => lookup.topics(),
    watchTopics: (listener) => {
      onTopics = listener
    },
    stop() {
      unsubscribe()
      refresher.stop()
      core.stop()
    },
  }
}

function viewOf(core: Core, cell: Cell | undefined): unknown {
  return cell && core.viewOf(cell).data
}

function reached(core: Core, cursor: Cursor): void {
  core.transition(() => {
    core.sawStream(cursor)
    core.settled(core.checkLayers)
  })
}

function cellOf({ cells }: Core, query: Query): Cell | undefined {
  const cell = cells.get(query.queryHash)
  return cell?.query === query ? cell : undefined
}

/** Adopts the queries that are there and that come; forgets those that go. */
function follow(queryCache: QueryCache, deps: AdoptDeps & { refresher: Refresher }): () => void {
  const { core, refresher } = deps
  for (const query of queryCache.getAll()) adopt(deps, query)
  return queryCache.subscribe((event) => {
    if (event.type === 'updated') core.updated(event)
    else if (event.type === 'added') adopt(deps, event.query)
    else if (event.type === 'removed') forget(deps, event.query)
    else if (event.type === 'observerAdded') refresher.next(core.cells.get(event.query.queryHash))
    else if (event.type === 'observerRemoved') unwatched(core, event.query)
  })
}

function unwatched(core: Core, query: Query): void {
  core.clock.soon(() => core.transition(core.checkLayers)) // a page that follows another watches it again by then
  if ((cellOf(core, query)?.missed ?? 0) > 0) core.listener?.onReadSettled() // nobody waits for its read any more
}

function forget({ core, refresher }: AdoptDeps, query: Query): void {
  const cell = cellOf(core, query)
  if (cell === undefined) return
  core.cells.delete(query.queryHash)
  core.transition(() => {
    core.forget(cell)
    core.lookup.remove(cell)
  })
  refresher.forget(cell)
  failArrival(cell, new CancelledError({ silent: true }))
  core.transition(core.checkLayers)
  core.updated(viewEvent(query, () => query.state.data)) // whoever waits for its view, waits for nothing now
}

function staleEach(core: Core, cells: Iterable<Cell>, cursor?: Cursor): void {
  core.transition(() => {
    core.tick()
    for (const cell of [...cells]) if (!isAt(cell.base, cursor)) markStale(core, cell, cursor)
  })
}

type LayerFace =
  | 'add'
  | 'drop'
  | 'decided'
  | 'placed'
  | 'answer'
  | 'holdsBack'
  | 'invalidateUncovered'
  | 'invalidateUnplaced'
  | 'neighbours'

/** What the queue does with its writes. */
function layerFace(core: Core): Pick<Cache, LayerFace> {
  const touchedBy = (layer: Layer): Cell[] => [...core.touchedBy(layer).keys()]
  return {
    add: (layer) => core.transition(() => core.addLayer(layer)),
    drop: (layer) =>
      core.transition(() => {
        const contained = touchedBy(layer).filter(({ base }) => isCovered(layer, base))
        core.removeLayer(layer)
        for (const cell of contained) markStale(core, cell)
      }),
    decided: (layer) => core.transition(() => decide(core, layer)),
    placed: (layer) => core.transition(() => touchedBy(layer).forEach((cell) => void core.touch(cell))),
    answer: (layer, answer) => core.transition(() => applyAnswer(core, layer, answer)),
    holdsBack: (layer) =>
      touchedBy(layer).some((cell) => cell.missed >= 3 && isWatched(cell) && (cell.wanted || isReading(cell))),
    invalidateUncovered: (layer) =>
      core.transition(() => {
        for (const [cell, placement] of [...core.touchedBy(layer)])
          if (!isCovered(layer, cell.base) && matters(core, cell, placement)) markStale(core, cell, layer.confirmedAt)
      }),
    invalidateUnplaced: (layer, cells) =>
      core.transition(() => {
        for (const cell of cells)
          if (!cell.removed && !isCovered(layer, cell.base)) markStale(core, cell, layer.confirmedAt)
      }),
    neighbours: (layer) => {
      const near = new Set(touchedBy(layer).flatMap(({ placements }) => placements.map((each) => each.layer)))
      near.delete(layer)
      return [...near].sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)) || a.pos - b.pos).map(({ id }) => id)
    },
  }
}
