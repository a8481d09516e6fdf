/**
 * The one way in for server data. `accept` decides whether a base is published now, waits for the outcome of an open
 * mutation, or is discarded; `outcome` decides what waited. Both run inside a transition.
 */

import type { Cursor } from '../base/cursor'
import { canonical } from '../base/key'
import { freezeDeep } from '../data/copies'
import { find, locate } from '../data/entities'
import { fold } from '../data/fold'
import { reconcile } from '../data/share'
import type { Base, Held, Incoming, Layer, RowNews, Share, Verdict } from '../evidence/evidence'
import { isCovered, judge, orderOf } from '../evidence/evidence'
import {
  byPosition,
  floorOf,
  isBelowFloor,
  isComputedOn,
  isFenced,
  isOlder,
  isOneLog,
  isOvertaken,
} from '../evidence/order'
import { afterRead, staled } from '../evidence/staleness'
import type { Attached, QueryRecord } from './cell'
import { isRepeatable, shareOf } from './cell'
import type { Core } from './transition'

/** `older`: base is already past it. `unknown`: it cannot be told what it contains; ask again. */
export type Acceptance = 'accepted' | 'held' | 'older' | 'unknown' | 'ignored'

/** Nothing is dropped without a mark: what is not taken leaves the query stale, and is read. */
export function accept(core: Core, record: QueryRecord, arrived: Incoming): Acceptance {
  const { base } = record
  if (arrived.kind === 'manual') return publish(core, record, arrived)
  const incoming = withoutDeleted(core, record, arrived)
  const at = incoming.answeredAt ?? incoming.at
  const isPart = incoming.kind === 'answer' || incoming.kind === 'push'
  if (isOlder(incoming, base, record.missed)) {
    if (incoming.at !== undefined || base?.at === undefined) return 'older'
    if (incoming.kind !== 'read') markStale(core, record, incoming.answeredAt)
    return 'unknown' // without a position it may be of any age
  }
  if (isPart && base === undefined) {
    markStale(core, record, at)
    return 'ignored'
  }
  if (isPart && incoming.own !== undefined && base?.has.has(incoming.own) && at === undefined) return 'ignored'
  const wait = new Set<string>()
  const isTaken =
    !isBelowFloor(incoming, base) &&
    !isFenced(incoming, record.fences) &&
    !isOvertaken(incoming, base) &&
    isDecidable(core, record, incoming, wait)
  if (!isTaken) {
    if (incoming.kind !== 'read') markStale(core, record, at)
    return 'unknown'
  }
  if (incoming.on !== undefined && 'wait' in incoming.on) for (const id of incoming.on.wait) wait.add(id)
  for (const id of incoming.has) wait.delete(id)
  if (wait.size === 0) return publish(core, record, incoming)
  hold(core, record, { ...incoming, wait })
  return 'held'
}

/** A read from before a deletion may still have the row. */
function withoutDeleted(core: Core, record: QueryRecord, incoming: Incoming): Incoming {
  if (incoming.kind !== 'read' || core.tombstones.size === 0 || record.shape === undefined) return incoming
  let located = locate(incoming.data, record.shape)
  for (const { type, id, version, at, tick } of core.tombstones.values()) {
    const order = orderOf(incoming.at, at)
    // Of another log, or without positions: a read that was issued after the deletion was heard of is younger.
    if (order === undefined ? incoming.start > tick : order >= 0) continue
    const place = find(located, type, id)[0]
    const list = place === undefined ? undefined : located.lists[place.list]
    if (place === undefined || list === undefined || list.single) continue
    const there = list.entity.versionOf(list.rows[place.at])
    if (typeof there === 'number' && typeof version === 'number' && there > version) continue
    located = fold(located, [{ kind: 'remove', entity: list.entity, id }], core.drafts)
  }
  return { ...incoming, data: located.data }
}

/** Decides for every mutation that touches the query; `false`: for one of them it cannot be told. */
function isDecidable(core: Core, record: QueryRecord, incoming: Incoming, wait: Set<string>): boolean {
  const { base } = record
  const isContinued = base !== undefined && isOneLog(incoming, base)
  /** Scopes of which it contains a mutation: then it contains those before it. */
  const reached = new Set<string>()
  for (const attached of [...record.attached].reverse()) {
    const { layer } = attached
    const isKnown = layer.id === incoming.own || (isContinued && isCovered(layer, base))
    const verdict = isKnown ? 'contains' : verdictOn(incoming, attached, reached.has(layer.scope))
    if (verdict === 'contains') {
      incoming.has.add(layer.id)
      if (!isKnown || incoming.part === undefined) reached.add(layer.scope)
      continue
    }
    if (verdict === 'lacks' || isRepeatable(record, attached, incoming.data, core.drafts)) continue
    if (record.mode !== 'exact' && incoming.asked === undefined) warnOfWaiting(core, record, layer)
    if (verdict === 'unknowable') return false
    wait.add(layer.id)
  }
  return true
}

function verdictOn(incoming: Incoming, attached: Attached, hasLater = false): Verdict {
  const { part } = incoming
  const share: Share = part === undefined ? 'all' : part === 'unknown' ? 'some' : shareOf(attached, part)
  return judge(incoming, attached.layer, share, hasLater)
}

function warnOfWaiting(core: Core, { query }: QueryRecord, { mutationKey }: Layer): void {
  const key = canonical(mutationKey)
  core.warnOnce(
    `waits ${key}`,
    `Mutation ${key} has a recipe that changes its own result when it runs again (it counts or pushes), and the endpoint of ${canonical(query.queryKey)} does not say which writes its answers contain. While such a write is open, the query gets no news. Write it by id (insert, upsert, set), or let the server answer Sync-Reflects.`,
  )
}

function publish(core: Core, record: QueryRecord, incoming: Incoming): Acceptance {
  const previous = record.base
  core.touch(record)
  record.missed = 0
  record.unfolded.all = true // coverage may change though the data does not
  const has = new Set(incoming.has)
  if (previous !== undefined && isOneLog(incoming, previous)) keepKnown(record, previous, incoming, has)
  const shared = shareData(record, incoming)
  if (core.development) freezeDeep(shared)
  record.base = {
    data: shared,
    at: incoming.at,
    ...floorAfter(core, incoming, previous),
    rowsAt: rowsAtOf(incoming, previous),
    start: startOf(incoming, previous),
    accepted: core.tickNow,
    has,
    hasNews: incoming.kind === 'manual' ? previous?.hasNews === true : incoming.kind !== 'stored',
    from: incoming.has,
  }
  if (!Object.is(record.baseLocated.data, shared) || record.baseLocated.shape !== record.shape) {
    record.baseLocated = locate(shared, record.shape)
    if (core.moved(record)) core.attachAll(record)
  }
  freshen(core, record, incoming)
  write(record, incoming)
  for (const held of record.held) for (const id of has) if (held.wait.delete(id)) held.has.add(id)
  record.held = record.held.filter(
    (held) => !isOlder(held, record.base) && (held.at === undefined || held.at !== record.base?.at),
  )
  release(core, record)
  core.afterwards(() => core.listener?.onReadSettled())
  return 'accepted'
}

function floorAfter(core: Core, incoming: Incoming, previous: Base | undefined): Pick<Base, 'floor' | 'floorTick'> {
  const floor = floorOf(incoming, previous)
  const isKnown = floor === previous?.floor
  return { floor, floorTick: isKnown ? (previous?.floorTick ?? 0) : core.tickNow }
}

/** Parts, and the application's own data, say nothing of the rest of the query: that is as old as it was. */
function startOf(incoming: Incoming, previous: Base | undefined): number {
  const { kind, start, part } = incoming
  if (kind === 'manual') return previous?.start ?? 0
  if (previous === undefined || (kind !== 'push' && part === undefined)) return start
  return kind === 'push' ? Math.max(start, previous.start) : previous.start
}

/** What answers have brought stays known until the whole is at their position. */
function rowsAtOf(incoming: Incoming, previous: Base | undefined): ReadonlyMap<string, RowNews> {
  const { kind, part, rows, answeredAt } = incoming
  const before = kind === 'push' || part !== undefined ? [...(previous?.rowsAt ?? [])] : []
  const kept = before.filter(([, { at }]) => (orderOf(incoming.at, at) ?? -1) < 0)
  if (rows === undefined || answeredAt === undefined) return kept.length === 0 ? NO_ROWS : new Map(kept)
  const news: RowNews = { at: answeredAt, isWhole: part !== 'unknown' }
  return new Map([...kept, ...[...rows].map((name) => [name, news] as const)])
}

const NO_ROWS: ReadonlyMap<string, RowNews> = new Map()

// What base was known to contain is not forgotten; old ids beyond 256 are of mutations that have long left.
function keepKnown(record: QueryRecord, previous: Base, incoming: Incoming, has: Set<string>): void {
  for (const id of previous.has) has.add(id)
  if (incoming.kind === 'manual')
    for (const { layer } of record.attached) if (isCovered(layer, previous)) has.add(layer.id)
  if (has.size <= 256) return
  for (const id of has) {
    if (has.size <= 128) break
    if (!record.attached.some(({ layer }) => layer.id === id)) has.delete(id)
  }
}

function shareData(record: QueryRecord, { data, isWhole }: Incoming): unknown {
  if (record.share === false) return data
  if (typeof record.share === 'function') return isWhole ? data : record.share(record.base?.data, data)
  return reconcile(record.baseLocated, record.view, data, record.shape)
}

function freshen(core: Core, record: QueryRecord, incoming: Incoming): void {
  if (incoming.kind !== 'read') return
  record.staleness = afterRead(record.staleness, incoming)
  if (record.staleness.isStale) {
    core.refresh(record)
    return
  }
  record.attempts = 0
  if (record.held.length === 0) record.wanted = false // what was asked for while it was on its way, it has brought
}

/** Writes the base into query-core. A fetch's own result ends that fetch; anything else leaves it running. */
function write(record: QueryRecord, incoming: Incoming): void {
  const { query, originals, base } = record
  const updated = incoming.updatedAt === undefined ? undefined : { updatedAt: incoming.updatedAt }
  if (incoming.kind === 'read' && query.promise !== undefined && !('wait' in incoming)) {
    originals.setData(base?.data, updated as never)
  } else {
    originals.setData(base?.data, { ...updated, manual: true })
    if (query.promise === undefined && query.state.fetchStatus !== 'idle' && !record.wanted) becomeIdle(record)
  }
  ;(query.state as { cursor?: Cursor | undefined }).cursor = base?.at
  if (record.staleness.isStale && incoming.kind !== 'manual') query.invalidate()
  record.arrival?.resolve(base?.data)
  record.arrival = undefined
}

/** A fetch is over whose data waited. query-core looks for what can be collected when a fetch ends, so it looks again. */
function becomeIdle({ query, originals }: QueryRecord): void {
  originals.setState({ fetchStatus: 'idle' })
  ;(query as unknown as { scheduleGc(): void }).scheduleGc()
}

// The first and the newest waiting base are kept: the first is released soonest, the newest is the one to end at.
function hold(core: Core, record: QueryRecord, held: Held): void {
  const all = [...record.held, held].sort(byPosition)
  record.held = all.filter((_, at) => at === 0 || at === all.length - 1)
  core.afterwards(() => core.listener?.onReadSettled())
  if (record.mode === 'exact') {
    record.wanted = true
    core.refresh(record)
  }
}

function release(core: Core, record: QueryRecord): void {
  const ready = record.held.filter((held) => held.wait.size === 0).at(-1)
  if (ready === undefined) return
  record.held = record.held.filter((held) => held !== ready)
  if (isOlder(ready, record.base)) return
  if (fitsOn(record, ready)) publish(core, record, ready)
  else ask(core, record, ready)
}

/** Whether what waited can follow base as it is now: put onto base, or onto what waited and could follow it itself. */
function fitsOn(record: QueryRecord, held: Held): boolean {
  const { base, fences } = record
  if (isOlder(held, base) || isBelowFloor(held, base) || isFenced(held, fences)) return false
  const { on } = held
  return isComputedOn(on, base) || (on !== undefined && 'wait' in on && fitsOn(record, on))
}

/** What waited cannot be used: a read brings it. */
function ask(core: Core, record: QueryRecord, held: Held): void {
  record.held = record.held.filter((other) => other !== held)
  record.wanted = true
  markStale(core, record, held.answeredAt ?? held.at)
}

/** Old by rule: news that was not applied (with its position), or something that no position tells. */
export function markStale(core: Core, record: QueryRecord, at?: Cursor | undefined): void {
  record.staleness = staled(record.staleness, core.tickNow, at)
  if (!record.query.state.isInvalidated) {
    core.touch(record)
    record.query.invalidate()
  }
  core.refresh(record)
}

/** A mutation's outcome is known: waiting bases are decided in the same transition. */
export function decide(core: Core, layer: Layer): void {
  if (layer.outcome === 'confirmed') {
    core.confirmed(layer)
    core.settled(core.checkLayers) // perhaps it touches nothing that is cached
  }
  for (const record of core.touchedBy(layer).keys()) {
    core.touch(record)
    for (const held of [...record.held]) decideHeld(core, record, held, layer)
    release(core, record)
    if (record.wanted) core.refresh(record)
  }
}

/** An event that waits on what waits is known as far as all of them are. */
function verdictOnChain(held: Held, attached: Attached): Verdict {
  const { on } = held
  const before = on !== undefined && 'wait' in on ? verdictOnChain(on, attached) : 'lacks'
  return before === 'lacks' ? verdictOn(held, attached) : before
}

function decideHeld(core: Core, record: QueryRecord, held: Held, layer: Layer): void {
  if (!held.wait.has(layer.id)) return
  const attached = record.attached.find((each) => each.layer === layer)
  const verdict = attached === undefined ? judge(held, layer, 'all') : verdictOnChain(held, attached)
  if (verdict === 'unknowable' || verdict === 'open') {
    ask(core, record, held)
    return
  }
  held.wait.delete(layer.id)
  if (verdict === 'contains') held.has.add(layer.id)
}
