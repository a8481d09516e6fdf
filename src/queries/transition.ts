/**
 * The cache's shared state and its one transition: change bases and layers, drop what is covered, fold, then publish once:
 * views, outbox, status, mutations. Listeners run after everything has changed, so that a listener of one never sees another
 * half-way.
 */

import type { QueryCacheNotifyEvent } from '@tanstack/query-core'
import { hashKey, notifyManager } from '@tanstack/query-core'
import type { Cursor } from '../base/cursor'
import { laterCursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import { canonical } from '../base/key'
import type { RowId, Version } from '../base/messages'
import type { Drafts } from '../data/fold'
import { createDrafts } from '../data/fold'
import type { HashKey, Op } from '../data/recipes'
import type { Layer } from '../evidence/evidence'
import { isCovered, isPast } from '../evidence/evidence'
import { isOrAfter, withFloor } from '../evidence/order'
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'
import type { AnyObserver, Attached, QueryRecord } from './cell'
import { attach, attachment, detach, expectEcho, fence, hasEffect, isReading, isWatched } from './cell'
import type { MutedListeners } from './muting'
import { mute, unmute } from './muting'
import { refold } from './view'

export interface CoreDeps {
  clock: Clock
  random: Random
  report: (error: SyncError) => void
  /** Says something to a developer; silent in production. */
  warn: (message: string, queryKey?: readonly unknown[]) => void
  development: boolean
  /** Milliseconds that a read waits for its answer. */
  timeout: number
}

/** A row that an event deleted a short while ago. */
export interface Tombstone {
  readonly type: string
  readonly id: RowId
  readonly version: Version
  readonly at: Cursor | undefined
  /** When the event arrived. */
  readonly tick: number
  cancel(): void
}

/** What the owner of the layers (the queue) hears, before the transition's publish: what it changes then is published too. */
export interface LayerListener {
  /** Confirmed, and covered in every watched query that has data. Once per layer. */
  onReflected(layer: Layer): void
  /** No query lacks it any more: its row in the log can go. */
  onGone(layer: Layer): void
  /** After the publish: a read came back or a base was published, so sends that waited for a read may go on. */
  onReadSettled(): void
}

/** Runs `publish`, and must have called it when it returns. `isOwn`: the reason is a write of this client. */
export type PublishWrap = (publish: () => void, isOwn: boolean) => void

/** A change of a query, as the cache announces it. */
export type UpdatedEvent = Extract<QueryCacheNotifyEvent, { type: 'updated' }>

export interface Core extends CoreDeps {
  /** A query's name, as its QueryClient makes it of the key. */
  hashKey: HashKey
  readonly drafts: Drafts
  readonly records: Map<string, QueryRecord>
  /** Ordered by `pos`; all that some query may still lack. */
  readonly layers: Layer[]
  /** By kind and id. */
  readonly tombstones: Map<string, Tombstone>
  listener: LayerListener | undefined
  /** Newest position of an own confirmed mutation. */
  ownAt: Cursor | undefined
  streamAt: Cursor | undefined
  /** Is told each position that an answer names. */
  told: (cursor: Cursor, isOwn: boolean) => void
  tickNow: number
  /** Says something to a developer, once per topic. */
  warnOnce(topic: string, message: string): void
  tick(): number
  /** Runs `run` as one transition; nested calls join the outer one. */
  transition<T>(run: () => T): T
  /** Inside a transition: this record is about to change. */
  touch(record: QueryRecord): void
  /** After the transition: make the reads that are wanted. */
  refresh: (record: QueryRecord) => void
  /** What every publish runs inside of: adapters batch there with their framework's notify manager. */
  readonly wraps: Set<PublishWrap>
  /**
   * Calls `tell` with what the open transition publishes, or at once where none is open. The same function is called once.
   * `own`: it tells of a write of this client.
   */
  announce(tell: () => void, own?: boolean): void
  /** query-core says that a query has changed. */
  updated(event: UpdatedEvent): void
  /** Who hears that queries have changed, as views: inside a transition not before it is published. */
  readonly viewListeners: Set<(event: UpdatedEvent) => void>
  /** Runs `run` when the transition has folded its views, before it publishes: it is known what is reflected. */
  settled(run: () => void): void
  /** The transition's callbacks that run after its publish. */
  afterwards(run: () => void): void
  addLayer(layer: Layer): void
  removeLayer(layer: Layer): void
  attachAll(record: QueryRecord): void
  /** The query has left the cache. */
  forget(record: QueryRecord): void
  /** The queries that a layer touches and that may lack it, with its recipes there. */
  touchedBy(layer: Layer): ReadonlyMap<QueryRecord, Attached>
  /** The queries that hold rows of a kind, for layers that name no query. */
  holders: (type: string, id: RowId) => Iterable<QueryRecord>
  /** The rows of a query's base have changed: the index of rows must know. `true`: it is the detail of another row now. */
  moved: (record: QueryRecord) => boolean
  /** Looks again whether confirmed layers are reflected or gone. */
  checkLayers(): void
  /**
   * What the layer's mutation changes without showing it: it is not reflected before they have been read, or, where the stream
   * is to tell (`told`), before it has told.
   */
  awaitReads(layer: Layer, records: Iterable<QueryRecord>, how: 'read' | 'told'): void
  /** Takes a query that nobody watches out of the cache. */
  evict: (record: QueryRecord) => void
  /** The server has accepted the layer's mutation. */
  confirmed(layer: Layer): void
  /** An own mutation was confirmed at this position. */
  sawOwn(cursor: Cursor | undefined): void
}

export function createCore(deps: CoreDeps): Core {
  const told = new Set<string>()
  const drafts = createDrafts(deps.development ? warnOfImpure : undefined)
  const records = new Map<string, QueryRecord>()
  const layers: Layer[] = []
  const reflected = new WeakSet<Layer>()
  const touched = new Map<Layer, Map<QueryRecord, Attached>>()
  /** Confirmed, and lacking somewhere. */
  const confirmed = new Set<Layer>()
  const unread = new Map<Layer, { records: Set<QueryRecord>; how: 'read' | 'told' }>()
  let depth = 0
  /** The transition is about an own write: it comes, it leaves, or the server has accepted it. */
  let isOwn = false
  let dirty = new Set<QueryRecord>()
  let whenSettled: Array<() => void> = []
  let later: Array<() => void> = []
  let announced = new Set<() => void>()
  let updates: UpdatedEvent[] = []
  const muted = new Map<AnyObserver, MutedListeners>()

  const core: Core = {
    ...deps,
    hashKey,
    drafts,
    records,
    layers,
    tombstones: new Map(),
    listener: undefined,
    ownAt: undefined,
    streamAt: undefined,
    told: () => {},
    tickNow: 0,
    refresh: () => {},
    holders: () => [],
    moved: () => false,
    evict: () => {},
    wraps: new Set(),
    announce(tell, own = false) {
      if (depth === 0) return publish([tell], own)
      announced.add(tell)
      isOwn ||= own
    },
    viewListeners: new Set(),
    updated(event) {
      if (depth > 0) updates.push(event)
      else for (const listener of [...core.viewListeners]) listener(event)
    },
    tick: () => ++core.tickNow,
    warnOnce(topic, message) {
      if (!deps.development || told.has(topic)) return
      told.add(topic)
      deps.warn(message)
    },
    transition(run) {
      depth++
      try {
        return run()
      } finally {
        if (depth === 1) commit()
        else depth--
      }
    },
    touch(record) {
      if (depth === 0) throw new Error('A base changed outside of a transition.')
      if (dirty.has(record)) return
      dirty.add(record)
      for (const observer of record.query.observers as unknown as AnyObserver[]) mute(muted, observer)
    },
    settled: (run) => void whenSettled.push(run),
    afterwards: (run) => void later.push(run),
    addLayer(layer) {
      isOwn = true
      let at = layers.length
      while (at > 0 && (layers[at - 1]?.pos ?? 0) > layer.pos) at--
      layers.splice(at, 0, layer)
      if (layer.outcome === 'confirmed') confirmed.add(layer)
      for (const record of candidates(core, layer.ops)) attachOne(record, layer)
    },
    removeLayer(layer) {
      isOwn = true
      const at = layers.indexOf(layer)
      if (at >= 0) layers.splice(at, 1)
      confirmed.delete(layer)
      for (const [record, attached] of touched.get(layer) ?? NONE) {
        core.touch(record)
        detach(record, attached)
      }
      touched.delete(layer)
    },
    attachAll(record) {
      core.touch(record)
      unlink(record)
      for (const layer of layers) attachOne(record, layer)
    },
    forget: unlink,
    touchedBy: (layer) => touched.get(layer) ?? NONE,
    checkLayers,
    awaitReads(layer, records, how) {
      const awaited = new Set(records)
      if (awaited.size > 0) unread.set(layer, { records: awaited, how })
      else unread.delete(layer)
    },
    confirmed(layer) {
      isOwn = true
      confirmed.add(layer)
      core.sawOwn(layer.confirmedAt)
    },
    sawOwn(cursor) {
      core.ownAt = laterCursor(core.ownAt, cursor)
    },
  }

  function warnOfImpure(recipe: (draft: never) => unknown): void {
    const shown = String(recipe).slice(0, 120)
    core.warnOnce(
      `impure ${shown}`,
      `A recipe gave two results on the same data: ${shown} … It is replayed on every new base, so let it depend on its draft alone; put dates, ids and random values into the variables.`,
    )
  }

  /** Somebody's subscriber that throws stops neither the others nor what follows here. */
  function guarded(run: () => void): void {
    try {
      run()
    } catch (cause) {
      deps.report(new SyncError('usage', 'A subscriber threw; the others are told, and everything goes on.', { cause }))
    }
  }

  function attachOne(record: QueryRecord, layer: Layer): void {
    const attached = attachment(record, layer)
    if (attached === undefined) return
    core.touch(record)
    attach(record, attached)
    const records = touched.get(layer)
    if (records === undefined) touched.set(layer, new Map([[record, attached]]))
    else records.set(record, attached)
  }

  function unlink(record: QueryRecord): void {
    for (const { layer } of record.attached) touched.get(layer)?.delete(record)
    record.attached = []
    record.notPlain = 0
    record.unfolded = { appended: [], removed: [], all: true }
  }

  function commit(): void {
    const changed = new Set<QueryRecord>()
    const views = new Set<QueryRecord>()
    // A recipe that throws, or a callback of the cache, may not leave the transition open.
    let notify: Array<() => void> = []
    try {
      while (dirty.size > 0 || whenSettled.length > 0) settleAll(changed, views)
    } finally {
      dirty = new Set()
      whenSettled = []
      notify = unmute(muted, changed)
      depth = 0
    }
    const calls = [...notify, ...eventsOf(views), ...announced]
    const callbacks = later
    const wasOwn = isOwn
    announced = new Set()
    updates = []
    later = []
    isOwn = false
    publish(calls, wasOwn)
    for (const call of callbacks) call()
  }

  /** Folds what has changed; then those who wait for it, who may change more. */
  function settleAll(changed: Set<QueryRecord>, views: Set<QueryRecord>): void {
    const now = dirty
    const waiting = whenSettled
    dirty = new Set()
    whenSettled = []
    for (const record of now) {
      changed.add(record)
      const { data } = record.view
      settle(record)
      if (!Object.is(data, record.view.data)) views.add(record)
    }
    if (now.size > 0) checkLayers()
    for (const run of waiting) run()
  }

  /** The calls that tell of changed queries: what query-core announced, and views that changed without it. */
  function eventsOf(views: ReadonlySet<QueryRecord>): Array<() => void> {
    if (core.viewListeners.size === 0) return []
    const told = new Set(updates.map(({ query }) => query))
    const others = [...views].filter(({ query }) => !told.has(query))
    const events = [...updates, ...others.map(({ query, view }) => viewEvent(query, view.data))]
    return events.flatMap((event) => [...core.viewListeners].map((listener) => () => listener(event)))
  }

  /** Everything in one batch of query-core, inside the wraps of the adapters. */
  function publish(calls: ReadonlyArray<() => void>, own: boolean): void {
    if (calls.length === 0) return
    const tellAll = (): void => notifyManager.batch(() => calls.forEach(guarded))
    guarded([...core.wraps].reduce<() => void>((inner, wrap) => () => wrap(inner, own), tellAll))
  }

  function settle(record: QueryRecord): void {
    const inPlace = inOrder(confirmed)
    /** Of each scope the newest mutation that all of base is from after: it is from after those before it. */
    const past = new Map<string, number>()
    for (const layer of inPlace)
      if (record.base !== undefined && isPast(record.base, layer)) past.set(layer.scope, layer.pos)
    for (const layer of inPlace) {
      const attached = touched.get(layer)?.get(record)
      const isBefore = layer.pos < (past.get(layer.scope) ?? -1)
      if (attached === undefined || !(isBefore || leaves(record, attached))) continue
      isOwn = true // an echo or a read that brings an own write ends its optimism
      detach(record, attached)
      touched.get(layer)?.delete(record)
      fence(record, layer)
      // Where base has no position, events from before this one must not be put onto it.
      if (record.base !== undefined && record.base.at === undefined) {
        record.base = withFloor(record.base, layer.confirmedAt, core.tickNow)
        expectEcho(record, attached)
      }
    }
    refold(record, drafts, (attached, error) => reportThrow(record, attached, error))
  }

  function leaves(record: QueryRecord, attached: Attached): boolean {
    const { layer } = attached
    if (isCovered(layer, record.base)) return true
    const { base } = record
    if (base === undefined || record.held.length > 0 || hasEffect(record, attached, drafts)) return false
    // Without effect on this base: what matters is only that no base from before the mutation comes after it.
    record.base = withFloor(base, layer.confirmedAt, core.tickNow)
    return true
  }

  function reportThrow(record: QueryRecord, attached: Attached, cause: unknown): void {
    if (attached.reported) return
    attached.reported = true
    const { queryKey } = record.query
    const { mutationKey } = attached.layer
    deps.report(
      new SyncError(
        'recipe',
        `A recipe of mutation ${canonical(mutationKey)} threw on query ${canonical(queryKey)} and is skipped there. Make it accept any base, also one without the row.`,
        { cause, queryKey, mutationKey },
      ),
    )
  }

  function checkLayers(): void {
    const kept: Layer[] = []
    for (const layer of inOrder(confirmed)) {
      const lacking = [...(touched.get(layer) ?? NONE).keys()]
      const isAwaited = isUnread(layer) || lacking.some((record) => record.base !== undefined && isWatched(record))
      if (!isAwaited && !reflected.has(layer)) {
        reflected.add(layer)
        core.listener?.onReflected(layer)
      }
      if (!isAwaited && lacking.length > 0) kept.push(layer)
      if (isAwaited || lacking.length > 0 || !confirmed.delete(layer)) continue
      layers.splice(layers.indexOf(layer), 1)
      touched.delete(layer)
      core.listener?.onGone(layer)
    }
    if (kept.length > KEPT) later.push(() => kept.slice(0, -KEPT).forEach(giveUp))
  }

  /** Whether a query that somebody watches has not been read since the layer's mutation made it stale. */
  function isUnread(layer: Layer): boolean {
    const awaited = unread.get(layer)
    if (awaited === undefined) return false
    const { records, how } = awaited
    const isTold = how === 'told' && isOrAfter(core.streamAt, layer.confirmedAt)
    for (const record of records) {
      const { base, staleness, removed } = record
      const isIdle = removed || base === undefined || !isWatched(record)
      // What the stream has passed without making it stale is not concerned.
      if (isIdle || isCovered(layer, base) || (isTold && !staleness.isStale)) records.delete(record)
    }
    if (records.size === 0) unread.delete(layer)
    return records.size > 0
  }

  /** Nobody watches what lacks it: rather than kept for ever it leaves, and so does data that would be shown without it. */
  function giveUp(layer: Layer): void {
    const lacking = [...(touched.get(layer) ?? NONE).keys()]
    if (lacking.some((record) => isWatched(record) || isReading(record))) return
    for (const record of lacking) core.evict(record)
  }

  return core
}

/** So many confirmed mutations are kept for queries that nobody watches. */
const KEPT = 100

function inOrder(layers: ReadonlySet<Layer>): readonly Layer[] {
  return layers.size < 2 ? [...layers] : [...layers].sort((a, b) => a.pos - b.pos)
}

/** Says that what a query shows is another. */
export function viewEvent(query: QueryRecord['query'], data: unknown): UpdatedEvent {
  return { type: 'updated', query, action: { type: 'setState', state: { data } } }
}

const NONE: ReadonlyMap<QueryRecord, Attached> = new Map()

/** The queries that these changes may touch: those it names, those that match its filters, those with its rows. */
export function candidates(core: Core, ops: readonly Op[]): Iterable<QueryRecord> {
  const found = new Set<QueryRecord>()
  for (const op of ops) {
    if (op.kind === 'update' && op.filters !== undefined) return core.records.values()
    const named = op.hash === undefined ? undefined : core.records.get(op.hash)
    if (named !== undefined) found.add(named)
    if (op.hash === undefined && 'entity' in op)
      for (const record of core.holders(op.entity.type, op.id)) found.add(record)
  }
  return found
}
