/**
 * The one way in for server data. `accept` decides whether a base is published now, waits for the outcome of an open
 * mutation, or is discarded; `decide` decides what waited. Both run inside a transition.
 */
import type { Located } from '../data/entities'
import { find, locate, locateBeside } from '../data/entities'
import { fold } from '../data/fold'
import type { Held, Incoming, Layer, Share, Verdict } from '../evidence/evidence'
import { isCovered, judge, orderOf } from '../evidence/evidence'
import { isBelowFloor, isComputedOn, isFenced, isOlder, isOneLog, isOvertaken } from '../evidence/order'
import { putBase } from './base'
import type { Cell, Placement } from './cell'
import { shapeNow } from './cell'
import type { Core } from './core'
import { isRepeatable, shareOf } from './placements'
import { markStale } from './reading'
import { follow, hold, letGo, noteKnown, takeReady } from './waiting'

/** `older`: base is already past it. `unknown`: it cannot be told what it contains; ask again. */
export type Acceptance = 'accepted' | 'held' | 'older' | 'unknown' | 'ignored'

/** Nothing is dropped without a mark: what is not taken leaves the query stale, and is read. */
export function accept(core: Core, cell: Cell, arrived: Incoming): Acceptance {
  const { base } = cell
  if (arrived.kind === 'manual') return publish(core, cell, arrived)
  const incoming = withoutDeleted(core, cell, arrived)
  // The pages behind it begin elsewhere.
  if (incoming.data !== arrived.data && cell.shape?.infinite)
    core.afterwards(() => core.transition(() => markStale(core, cell)))
  const at = incoming.answeredAt ?? incoming.at
  const isPart = incoming.kind === 'answer' || incoming.kind === 'push'
  if (isOlder(incoming, base, cell.missed)) {
    if (incoming.at !== undefined || base?.at === undefined) return 'older'
    if (incoming.kind !== 'read') markStale(core, cell, incoming.answeredAt)
    return 'unknown' // without a position it may be of any age
  }
  if (isPart && base === undefined) {
    markStale(core, cell, at)
    return 'ignored'
  }
  if (isPart && incoming.own !== undefined && base?.has.has(incoming.own) && at === undefined) return 'ignored'
  const wait = isInPlace(cell, incoming) ? waitsFor(core, cell, incoming) : undefined
  if (wait === undefined) {
    if (incoming.kind !== 'read') markStale(core, cell, at)
    return 'unknown'
  }
  if (wait.size === 0) return publish(core, cell, incoming)
  hold(cell, { ...incoming, wait })
  core.afterwards(() => core.listener?.onReadSettled())
  if (cell.mode === 'exact') core.refresh(cell)
  return 'held'
}

/** Whether nothing says that it is from before something that base, or a layer that has left, is past. */
function isInPlace({ base, fences }: Cell, incoming: Incoming): boolean {
  return !isBelowFloor(incoming, base) && !isFenced(incoming, fences) && !isOvertaken(incoming, base)
}

/** A read from before a deletion may still have the row. */
function withoutDeleted(core: Core, cell: Cell, incoming: Incoming): Incoming {
  if (incoming.kind !== 'read' || core.tombstones.size === 0 || cell.shape === undefined) return incoming
  let located = locate(incoming.data, cell.shape)
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

/**
 * Decides for every mutation that touches the query: those whose outcome must be known first; `undefined`: for one of them
 * it cannot be told.
 */
function waitsFor(core: Core, cell: Cell, incoming: Incoming): Set<string> | undefined {
  const { base } = cell
  const isContinued = base !== undefined && isOneLog(incoming, base)
  const wait = new Set<string>()
  let located: Located | undefined
  const data = (): Located => {
    located ??= locateBeside(cell.baseLocated, incoming.data, shapeNow(cell))
    return located
  }
  /** Scopes of which it contains a mutation: then it contains those before it. */
  const reached = new Set<string>()
  for (const placement of [...cell.placements].reverse()) {
    const { layer } = placement
    const isKnown = layer.id === incoming.own || (isContinued && isCovered(layer, base))
    const verdict = isKnown ? 'contains' : verdictOn(incoming, placement, reached.has(layer.scope))
    if (verdict === 'contains') {
      incoming.has.add(layer.id)
      if (!isKnown || incoming.part === undefined) reached.add(layer.scope)
      continue
    }
    if (verdict === 'lacks' || isRepeatable(placement, data, core.drafts)) continue
    if (cell.mode !== 'exact' && incoming.asked === undefined) core.aids?.waits(cell.query, layer)
    if (verdict === 'unknowable') return undefined
    wait.add(layer.id)
  }
  if (incoming.on !== undefined && 'wait' in incoming.on) for (const id of incoming.on.wait) wait.add(id)
  for (const id of incoming.has) wait.delete(id)
  return wait
}

function verdictOn(incoming: Incoming, placement: Placement, hasLater = false): Verdict {
  const { part } = incoming
  const share: Share = part === undefined ? 'all' : part === 'unknown' ? 'some' : shareOf(placement, part)
  return judge(incoming, placement.layer, share, hasLater)
}

/** It is base; then what waited and can follow it. */
function publish(core: Core, cell: Cell, incoming: Incoming): Acceptance {
  let next: Incoming | undefined = incoming
  while (next !== undefined) {
    putBase(core, cell, next)
    if (cell.base !== undefined) follow(cell, cell.base)
    next = nextReady(core, cell)
  }
  return 'accepted'
}

/** What waits for nothing any more and can follow base; what cannot is asked for. */
function nextReady(core: Core, cell: Cell): Held | undefined {
  const ready = takeReady(cell)
  if (ready === undefined || isOlder(ready, cell.base)) return undefined
  if (fitsOn(cell, ready)) return ready
  ask(core, cell, ready)
  return undefined
}

/** Whether what waited can follow base as it is now: put onto base, or onto what waited and could follow it itself. */
function fitsOn(cell: Cell, held: Held): boolean {
  const { base, fences } = cell
  if (isOlder(held, base) || isBelowFloor(held, base) || isFenced(held, fences)) return false
  const { on } = held
  return isComputedOn(on, base) || (on !== undefined && 'wait' in on && fitsOn(cell, on))
}

/** What waited cannot be used: a read brings it. */
function ask(core: Core, cell: Cell, held: Held): void {
  letGo(cell, held)
  markStale(core, cell, held.answeredAt ?? held.at)
}

/** A mutation's outcome is known: waiting bases are decided in the same transition. */
export function decide(core: Core, layer: Layer): void {
  if (layer.outcome === 'confirmed') {
    core.confirmed(layer)
    core.settled(core.checkLayers) // perhaps it touches nothing that is cached
  }
  for (const cell of core.touchedBy(layer).keys()) {
    core.touch(cell)
    for (const held of [...cell.held]) decideHeld(core, cell, held, layer)
    const ready = nextReady(core, cell)
    if (ready !== undefined) publish(core, cell, ready)
    if (cell.wanted) core.refresh(cell)
  }
}

function decideHeld(core: Core, cell: Cell, held: Held, layer: Layer): void {
  if (!held.wait.has(layer.id)) return
  const placement = cell.placements.find((each) => each.layer === layer)
  const verdict = placement === undefined ? judge(held, layer, 'all') : verdictOnChain(held, placement)
  if (verdict === 'unknowable' || verdict === 'open') ask(core, cell, held)
  else noteKnown(held, layer, verdict === 'contains')
}

/** An event that waits on what waits is known as far as all of them are. */
function verdictOnChain(held: Held, placement: Placement): Verdict {
  const { on } = held
  const before = on !== undefined && 'wait' in on ? verdictOnChain(on, placement) : 'lacks'
  return before === 'lacks' ? verdictOn(held, placement) : before
}
