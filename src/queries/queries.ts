/**
 * The cache floor as one object: query-core's QueryCache as base, layers over it, views out of it. The queue pushes
 * layers and outcomes in, the stream pushes events in; observers of the view client hear once per transition.
 */
import type { Query, QueryClient, QueryKey } from '@tanstack/query-core'
import { hashKey } from '@tanstack/query-core'
import type { Cursor } from '../base/cursor'
import type { Versions } from '../data/versions'
import type { Layer } from '../evidence/evidence'
import { isCovered, isOpen } from '../evidence/evidence'
import { isAt } from '../evidence/order'
import type { Http } from '../platform/http'
import { adopt } from './adopt'
import type { Answer } from './answer'
import { applyAnswer } from './answer'
import { decide, markStale } from './base'
import type { Mode, QueryRecord } from './cell'
import { hasEffect, isReading, isRepeatable, isWatched } from './cell'
import { extendQueryContext } from './context'
import type { Targets } from './lookup'
import { createTargets } from './lookup'
import { createRefresher } from './reading'
import type { Core, CoreDeps, LayerListener } from './transition'
import { createCore, viewEvent } from './transition'
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
  /** What an answer says, into the bases that the mutation touches. */
  answer(layer: Layer, answer: Answer): void
  /** Whether the first send of this mutation must wait for a read (unbroken writing without cursors would starve reads). */
  holdsBack(layer: Layer): boolean
  /** The layer's mutation makes these stale, or all, or what the stream tells of: it is not reflected before that was read. */
  awaitReads(layer: Layer, what: readonly QueryKey[] | 'all' | 'pushed'): void
  /** The stream has come to this position without a change. */
  reached(cursor: Cursor): void
  /** Marks stale what the keys name. */
  invalidate(keys: readonly QueryKey[]): void
  invalidateAll(): void
  /** Marks stale the queries that the layer touches and that are not known to contain it. */
  invalidateUncovered(layer: Layer): void
  /** Names the mutations that touch what this one touches. */
  neighbours(layer: Layer): string[]
  /** Queries where something waits for an outcome. */
  waiting(): QueryKey[]
  /** What the stream works on. */
  readonly targets: Targets
  readonly versions: Versions
  /** Reads a watched query within so many milliseconds. */
  spread(record: QueryRecord, milliseconds: number): void
  /** Everything (or what the keys name) may be stale; resolves when the reads of watched queries are back. */
  resync(request: {
    cursor?: Cursor | undefined
    keys?: readonly QueryKey[] | undefined
    spread?: number | undefined
  }): Promise<void>
  /** Reads what is watched. */
  poll(): void
  topics(): string[]
  /** Calls `listener` when the topics of cached queries change. */
  watchTopics(listener: () => void): void
  stop(): void
}

export function createCache(deps: CacheDeps, queryClient: QueryClient): Cache {
  const queryCache = queryClient.getQueryCache()
  const core = createCore(deps)
  const refresher = createRefresher(core)
  let onTopics = (): void => {}
  const targets = createTargets(() => onTopics())
  const versions: Versions = new WeakMap()
  core.hashKey = (queryKey) => queryClient.defaultQueryOptions({ queryKey }).queryHash ?? hashKey(queryKey)
  core.refresh = (record) => refresher.want(record)
  core.holders = targets.forRow
  core.moved = targets.moved
  core.evict = ({ query }) => queryCache.remove(query)
  const spread = (record: QueryRecord, milliseconds: number): void => refresher.wantWithin(record, milliseconds)
  const adoptDeps = {
    core,
    refresher,
    targets,
    extendContext: (context: object, record: QueryRecord, read: Parameters<typeof extendQueryContext>[4]) =>
      extendQueryContext(core, deps.http, context, record, read),
  }
  const recordOf = (query: Query): QueryRecord | undefined => {
    const record = core.records.get(query.queryHash)
    return record?.query === query ? record : undefined
  }
  for (const query of queryCache.getAll()) adopt(adoptDeps, query)
  const unsubscribe = queryCache.subscribe((event) => {
    if (event.type === 'updated') core.updated(event)
    else if (event.type === 'added') adopt(adoptDeps, event.query)
    else if (event.type === 'removed') remove(event.query)
    else if (event.type === 'observerAdded') refresher.next(core.records.get(event.query.queryHash))
    else if (event.type === 'observerRemoved') unwatched(event.query)
  })

  function unwatched(query: Query): void {
    core.clock.soon(() => core.transition(core.checkLayers)) // a page that follows another watches it again by then
    if ((recordOf(query)?.missed ?? 0) > 0) core.listener?.onReadSettled() // nobody waits for its read any more
  }

  function remove(query: Query): void {
    const record = recordOf(query)
    if (record === undefined) return
    core.records.delete(query.queryHash)
    core.forget(record)
    targets.remove(record)
    refresher.forget(record)
    core.transition(core.checkLayers)
    core.updated(viewEvent(query, query.state.data)) // whoever waits for its view, waits for nothing now
  }

  const record = (queryKey: QueryKey) => core.records.get(core.hashKey(queryKey))
  const touching = (layer: Layer) => [...core.touchedBy(layer)].map(([each, attached]) => ({ record: each, attached }))
  const staleEach = (records: Iterable<QueryRecord>, cursor?: Cursor): void =>
    core.transition(() => {
      core.tick()
      for (const each of [...records]) if (!isAt(each.base, cursor)) markStale(core, each, cursor)
    })

  return {
    core,
    queryClient,
    viewClient: createViewClient({ queryClient, recordOf, listeners: core.viewListeners }),
    getView: (queryKey) => record(queryKey)?.view.data,
    getBase: (queryKey) => record(queryKey)?.base?.data,
    getMode: (queryKey) => record(queryKey)?.mode,
    listen: (listener) => {
      core.listener = listener
    },
    add: (layer) => core.transition(() => core.addLayer(layer)),
    drop: (layer) =>
      core.transition(() => {
        const contained = touching(layer).filter((each) => isCovered(layer, each.record.base))
        core.removeLayer(layer)
        for (const each of contained) markStale(core, each.record)
      }),
    decided: (layer) => core.transition(() => decide(core, layer)),
    placed: (layer) =>
      core.transition(() => {
        for (const each of core.touchedBy(layer).keys()) core.touch(each)
      }),
    answer: (layer, answer) => core.transition(() => applyAnswer(core, versions, layer, answer)),
    holdsBack: (layer) =>
      touching(layer).some(
        (each) => each.record.missed >= 3 && isWatched(each.record) && (each.record.wanted || isReading(each.record)),
      ),
    awaitReads(layer, what) {
      const records = typeof what === 'string' ? core.records.values() : what.flatMap((key) => [...targets.byKey(key)])
      core.awaitReads(layer, records, what === 'pushed' ? 'told' : 'read')
    },
    reached: (cursor) =>
      core.transition(() => {
        core.streamAt = cursor
        core.settled(core.checkLayers)
      }),
    invalidate(keys) {
      deps.onInvalidate?.(keys)
      staleEach(new Set(keys.flatMap((key) => [...targets.byKey(key)])))
    },
    invalidateAll: () => staleEach(core.records.values()),
    invalidateUncovered: (layer) =>
      core.transition(() => {
        for (const each of touching(layer)) {
          if (!isCovered(layer, each.record.base) && hasEffect(each.record, each.attached, core.drafts))
            markStale(core, each.record, layer.confirmedAt)
        }
      }),
    neighbours: (layer) => {
      const near = touching(layer).flatMap((each) => each.record.attached.map((attached) => attached.layer))
      return [...new Set(near)]
        .filter((other) => other !== layer)
        .sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)) || a.pos - b.pos)
        .map((other) => other.id)
    },
    waiting: () =>
      [...core.records.values()].filter((each) => isWaiting(core, each)).map((each) => each.query.queryKey),
    targets,
    versions,
    spread,
    resync({ cursor, keys, spread: within }) {
      const records =
        keys === undefined ? [...core.records.values()] : [...new Set(keys.flatMap((key) => [...targets.byKey(key)]))]
      if (within !== undefined) for (const each of records) spread(each, within)
      staleEach(records, cursor)
      if (cursor !== undefined) core.streamAt = cursor
      return refresher.settled(records)
    },
    poll: () => {
      for (const each of core.records.values()) if (isWatched(each)) refresher.want(each)
    },
    topics: () => targets.topics(),
    watchTopics: (listener) => {
      onTopics = listener
    },
    stop() {
      unsubscribe()
      refresher.stop()
      for (const { cancel } of core.tombstones.values()) cancel()
      core.tombstones.clear()
    },
  }
}

function isWaiting(core: Core, record: QueryRecord): boolean {
  if (record.held.length > 0) return true
  if (!record.staleness.isStale) return false
  return (
    record.mode === 'fence' &&
    record.attached.some(
      (attached) =>
        isOpen(attached.layer) &&
        (record.base === undefined || !isRepeatable(record, attached, record.base.data, core.drafts)),
    )
  )
}
