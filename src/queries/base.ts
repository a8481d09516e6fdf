/**
 * The one way in for server data. `accept` decides whether a base is published now, waits for the outcome of an open
 * mutation, or is discarded; `outcome` decides what waited. Both run inside a transition.
 */

import type { Cursor } from '../base/cursor'
import { compareCursors, isAtOrPast, laterCursor, sameEpoch } from '../base/cursor'
import { canonical } from '../base/key'
import { freezeDeep } from '../data/copies'
import { find, locate } from '../data/entities'
import { fold } from '../data/fold'
import { reconcile } from '../data/share'
import type { Base, Held, Incoming, Layer } from '../evidence/evidence'
import { isBelowFloor, isCovered, isOlder, judge } from '../evidence/evidence'
import type { QueryRecord } from './cell'
import { concernsRows, isRepeatable } from './cell'
import type { Core } from './transition'

/** `older`: base is already past it. `unknown`: it cannot be told what it contains; ask again. */
export type Acceptance = 'accepted' | 'held' | 'older' | 'unknown' | 'ignored'

export function accept(core: Core, record: QueryRecord, arrived: Incoming): Acceptance {
  const { base } = record
  if (arrived.kind === 'manual') return publish(core, record, arrived)
  const incoming = withoutDeleted(core, record, arrived)
  if (isOlder(incoming, base)) {
    if (incoming.at === undefined && base?.at !== undefined) markStale(core, record)
    return 'older'
  }
  if (incoming.kind === 'answer' || incoming.kind === 'push') {
    if (base === undefined) {
      markStale(core, record, incoming.rowsAt ?? incoming.at)
      return 'ignored'
    }
    if (incoming.own !== undefined && base.has.has(incoming.own) && incoming.at === undefined) return 'ignored'
  }
  if (isBelowFloor(incoming, base)) return 'unknown'
  if (incoming.at === undefined && isFenced(core, record, incoming)) return 'unknown'
  const wait = new Set<string>()
  if (!decide(core, record, incoming, wait)) {
    if (incoming.kind !== 'read') markStale(core, record, incoming.at)
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
    const order = incoming.at !== undefined && at !== undefined ? compareCursors(incoming.at, at) : undefined
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

/** Without cursors: whether something was confirmed, or accepted, that this data may be from before of. */
function isFenced(core: Core, record: QueryRecord, incoming: Incoming): boolean {
  for (const [id, tick] of record.fences) {
    if (tick > incoming.start && id !== incoming.own && !incoming.has.has(id)) return true
  }
  if (incoming.kind === 'answer' && record.base !== undefined && record.base.accepted > incoming.start) {
    markStale(core, record)
    return true
  }
  return false
}

/** Decides for every mutation that touches the query; `false`: for one of them it cannot be told. */
function decide(core: Core, record: QueryRecord, incoming: Incoming, wait: Set<string>): boolean {
  for (const attached of record.attached) {
    const { layer } = attached
    if (layer.id === incoming.own) {
      incoming.has.add(layer.id)
      continue
    }
    const known = isCovered(layer, record.base) && isSameLog(incoming, record.base)
    const verdict =
      incoming.rows !== undefined && !concernsRows(attached, incoming.rows) ? 'lacks' : judge(incoming, layer)
    if (verdict === 'contains' || known) incoming.has.add(layer.id)
    else if (verdict === 'lacks' || isRepeatable(record, attached, incoming.data, core.drafts)) continue
    else {
      if (record.mode !== 'exact' && incoming.asked === undefined) warnOfWaiting(core, record, layer)
      if (verdict === 'unknowable') return false
      wait.add(layer.id)
    }
  }
  return true
}

function warnOfWaiting(core: Core, { query }: QueryRecord, { mutationKey }: Layer): void {
  const key = canonical(mutationKey)
  core.warnOnce(
    `waits ${key}`,
    `Mutation ${key} has a recipe that changes its own result when it runs again (it counts or pushes), and the endpoint of ${canonical(query.queryKey)} does not say which writes its answers contain. While such a write is open, the query gets no news. Write it by id (insert, upsert, set), or let the server answer Sync-Reflects.`,
  )
}

function isSameLog(incoming: Incoming, base: Base | undefined): boolean {
  return incoming.at === undefined || base?.at === undefined || sameEpoch(incoming.at, base.at)
}

function publish(core: Core, record: QueryRecord, incoming: Incoming): Acceptance {
  const previous = record.base
  core.touch(record)
  record.missed = 0
  record.unfolded.all = true // coverage may change though the data does not
  const continues = previous !== undefined && isSameLog(incoming, previous)
  const has = new Set(incoming.has)
  if (continues) keepKnown(record, previous, incoming, has)
  const shared = shareData(record, incoming)
  if (core.development) freezeDeep(shared)
  record.base = {
    data: shared,
    at: incoming.at,
    floor: laterCursor(continues ? floorOf(previous, incoming) : undefined, incoming.floor),
    start: startOf(incoming, previous),
    accepted: core.tickNow,
    has,
    hasNews: incoming.kind !== 'manual' && incoming.kind !== 'stored',
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
  for (const [id, tick] of record.fences) if (tick < incoming.start) record.fences.delete(id)
  release(core, record)
  core.afterwards(() => core.listener?.onReadSettled())
  return 'accepted'
}

/** Rows from an answer say nothing of the rest of the query: that is as old as it was. */
function startOf(incoming: Incoming, previous: Base | undefined): number {
  if (previous === undefined) return incoming.start
  if (incoming.kind === 'answer' && incoming.rows !== undefined) return previous.start
  return incoming.kind === 'push' ? Math.max(incoming.start, previous.start) : incoming.start
}

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

// The application's own data has no position, but reads from before the base it replaced are still too old.
function floorOf(previous: Base, incoming: Incoming): Cursor | undefined {
  return incoming.kind === 'manual' ? laterCursor(previous.floor, previous.at) : previous.floor
}

function shareData(record: QueryRecord, { data, isWhole }: Incoming): unknown {
  if (record.share === false) return data
  if (typeof record.share === 'function') return isWhole ? data : record.share(record.base?.data, data)
  return reconcile(record.baseLocated, record.view, data, record.shape)
}

function freshen(core: Core, record: QueryRecord, incoming: Incoming): void {
  if (incoming.kind !== 'read') return
  const behind =
    incoming.at !== undefined && record.staleAt !== undefined && (compareCursors(incoming.at, record.staleAt) ?? 0) < 0
  record.stale = behind || incoming.start <= record.staleTick
  if (record.stale) {
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
  if (record.stale && incoming.kind !== 'manual') query.invalidate()
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
  const all = [...record.held, held].sort((a, b) =>
    a.at === undefined || b.at === undefined ? 0 : (compareCursors(a.at, b.at) ?? 0),
  )
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
  if (!isOlder(ready, record.base) && !isBelowFloor(ready, record.base)) publish(core, record, ready)
}

/** Old by rule: an event that was not applied (with its position), or something that no position tells. */
export function markStale(core: Core, record: QueryRecord, at?: Cursor | undefined): void {
  record.stale = true
  if (at === undefined) record.staleTick = core.tickNow
  else record.staleAt = laterCursor(record.staleAt, at)
  if (!record.query.state.isInvalidated) {
    core.touch(record)
    record.query.invalidate()
  }
  core.refresh(record)
}

/** A mutation's outcome is known: waiting bases are decided in the same transition. */
export function outcome(
  core: Core,
  layer: Layer,
  kind: 'confirmed' | 'rejected' | 'conflict',
  cursor: Cursor | undefined,
): void {
  if (layer.outcome === 'confirmed') {
    layer.confirmedAt ??= cursor
    return
  }
  const tick = core.tick()
  layer.outcome = kind
  if (kind === 'confirmed') {
    layer.confirmedAt = cursor
    layer.confirmedTick = tick
    core.confirmed(layer)
    core.settled(core.checkLayers) // perhaps it touches nothing that is cached
  }
  for (const record of core.touchedBy(layer).keys()) {
    core.touch(record)
    // With positions they tell which read is too old.
    if (kind === 'confirmed' && record.base?.at === undefined) record.fences.set(layer.id, tick)
    decideHeld(core, record, layer, kind === 'confirmed', cursor)
    if (record.wanted) core.refresh(record)
  }
}

function decideHeld(
  core: Core,
  record: QueryRecord,
  layer: Layer,
  confirmed: boolean,
  cursor: Cursor | undefined,
): void {
  for (const held of [...record.held]) {
    if (!held.wait.has(layer.id)) continue
    const at = held.rowsAt ?? held.at
    const split =
      held.newest !== undefined &&
      cursor !== undefined &&
      at !== undefined &&
      isAtOrPast(held.newest, cursor) &&
      !isAtOrPast(at, cursor)
    if (confirmed && (cursor === undefined || split)) {
      record.held = record.held.filter((other) => other !== held)
      record.wanted = true
      markStale(core, record)
      continue
    }
    held.wait.delete(layer.id)
    if (confirmed && at !== undefined && cursor !== undefined && isAtOrPast(at, cursor)) held.has.add(layer.id)
  }
  release(core, record)
}
