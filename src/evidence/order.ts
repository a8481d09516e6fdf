/**
 * What comes before what: data, events, and the base that they meet. Pure. Positions of one epoch decide; where they say
 * nothing (none, or another epoch) ticks of issue do, and where those say nothing either, the data is read again.
 */
import type { Cursor } from '../base/cursor'
import { laterCursor } from '../base/cursor'
import type { Base, Held, Incoming } from './evidence'
import { orderOf } from './evidence'

/** Monotonic reads: whether `incoming` is behind `base`. `missed`: reads before it that were not taken, in a row. */
export function isOlder(incoming: Incoming, base: Base | undefined, missed = 0): boolean {
  if (base === undefined || incoming.kind === 'manual') return false
  // Data that was not read says nothing of what the server had when a read began: as over TanStack, the read is what counts.
  if (incoming.kind === 'read' && base.at === undefined && !base.hasNews) return false
  const order = orderOf(incoming.at, base.at)
  if (order !== undefined) return order < 0
  if (incoming.at === undefined && base.at !== undefined) return !mayLosePosition(incoming, base, missed)
  // The application's own data stands there without a position: what it replaced had one.
  if (base.at === undefined && orderOf(incoming.at, base.floor) !== undefined) return false
  return incoming.start < base.start
}

/**
 * One answer without a position is an exception, and is asked for again. A second one says that reads carry none any more
 * (another server, a CORS rule that hides the header): then ticks decide, or the query would never have news again.
 */
function mayLosePosition({ kind, start }: Incoming, { accepted }: Base, missed: number): boolean {
  return kind === 'read' && missed > 0 && start > accepted
}

/** Whether whole data comes from before something that base is known to be past. Rows are only a step from base on. */
export function isBelowFloor(incoming: Incoming, base: Base | undefined): boolean {
  if (incoming.kind === 'manual' || incoming.part !== undefined) return false
  if (base?.floor === undefined || incoming.at === undefined) return false
  const order = orderOf(incoming.at, base.floor)
  return order === undefined ? incoming.start <= base.floorTick : order < 0
}

/** Base is known to be past a position, in a part that no position of its own tells. */
export function withFloor(base: Base, at: Cursor | undefined, tick: number): Base {
  return at === undefined ? base : { ...base, floor: laterCursor(base.floor, at), floorTick: tick }
}

/** A mutation that base contains, and whose layer has left while a read was out that may be from before it. */
export interface Fence {
  readonly tick: number
  readonly at: Cursor | undefined
}

/** Whether a read may be from before a mutation whose layer has left: to take it would take the mutation out of the view. */
export function isFenced(incoming: Incoming, fences: ReadonlyMap<string, Fence>): boolean {
  if (incoming.kind !== 'read') return false
  for (const [id, { tick, at }] of fences) {
    if (incoming.has.has(id)) continue
    const order = orderOf(incoming.at, at)
    if (order === undefined ? tick > incoming.start : order < 0) return true
  }
  return false
}

/**
 * Where positions say nothing, data in an answer may be from before what base has: it counts only where base was accepted
 * before its first send.
 */
export function isOvertaken(incoming: Incoming, base: Base | undefined): boolean {
  if (incoming.kind !== 'answer' || base === undefined) return false
  return orderOf(incoming.at, base.at) === undefined && base.accepted > incoming.start
}

/** Whether positions say where a stored answer stands. */
export function isPlaced(base: Base, cursor: Cursor | undefined): boolean {
  return orderOf(base.at, cursor) !== undefined
}

/** Whether all of a read is of one position: then events after that are the next steps from it. */
export function isAtOnePosition({ at, newest }: Incoming): boolean {
  return at !== undefined && newest === undefined
}

/** Whether a position is known to be at or past another. */
export function isOrAfter(a: Cursor | undefined, b: Cursor | undefined): boolean {
  return (orderOf(a, b) ?? -1) >= 0
}

/** Whether base contains everything up to the position. */
export function isAt(base: Base | Held | undefined, cursor: Cursor | undefined): boolean {
  return isOrAfter(base?.at, cursor)
}

/**
 * What an event at the position is for a row that an answer has brought: `known` where the answer was at it or past it,
 * `doubtful` where only something in the row is.
 */
export function newsOf(base: Base | Held, name: string, cursor: Cursor | undefined): 'news' | 'known' | 'doubtful' {
  const known = 'rowsAt' in base ? base.rowsAt.get(name) : undefined
  const order = orderOf(known?.at, cursor)
  if (known === undefined || order === undefined || order < 0) return 'news'
  if (known.isWhole) return 'known'
  return order === 0 ? 'news' : 'doubtful'
}

/** Whether a later answer has brought this row. */
export function isRowPast({ rowsAt }: Base, name: string, cursor: Cursor | undefined): boolean {
  return (orderOf(rowsAt.get(name)?.at, cursor) ?? -1) > 0
}

/** Whether answers have brought base something that an answer at this position may be from before of. */
export function isOvertakenByRows({ rowsAt }: Base, cursor: Cursor | undefined): boolean {
  return [...rowsAt.values()].some(({ at }) => (orderOf(at, cursor) ?? 1) > 0)
}

/**
 * Whether an event is the next step from this base, or waiting base. Of another epoch it is not, nor from before something
 * that a base without a position is known to contain.
 */
export function mayFollow(on: Base | Held, cursor: Cursor | undefined): boolean {
  if (cursor === undefined) return true
  const isOfLog = on.floor === undefined || orderOf(on.floor, cursor) !== undefined
  if (on.at !== undefined) return isOfLog && orderOf(on.at, cursor) !== undefined
  return isOfLog && (orderOf(on.floor, cursor) ?? -1) < 0
}

/** Whether `on`, which something was put onto, is what base is made of. Of nothing it is. */
export function isComputedOn(on: Base | Held | undefined, base: Base | undefined): boolean {
  return on === undefined || (base !== undefined && (on.has === base.from || Object.is(on.data, base.data)))
}

/** Whether what is known of `base` is known of what comes after it, too: both are of one log. */
export function isOneLog(incoming: Incoming, base: Base): boolean {
  return incoming.at === undefined || base.at === undefined || orderOf(incoming.at, base.at) !== undefined
}

/** The newest position that base is known to be past in some part, with what `incoming` adds. */
export function floorOf(incoming: Incoming, previous: Base | undefined): Cursor | undefined {
  if (previous === undefined || !isOneLog(incoming, previous)) return incoming.floor
  // What loses its position keeps it as the position that reads must not be before.
  const known = incoming.at === undefined ? laterCursor(previous.floor, previous.at) : previous.floor
  return laterCursor(known, incoming.floor)
}

/** Waiting bases in order of their positions. */
export function byPosition(a: Held, b: Held): number {
  return orderOf(a.at, b.at) ?? 0
}
