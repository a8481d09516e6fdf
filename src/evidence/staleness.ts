/**
 * Whether a query is old by rule, and what a read must be past to make it fresh. Pure, and replaced, never changed. Nothing
 * that is not applied is forgotten: it is a mark here until a read is known to be past it.
 */
import type { Cursor } from '../base/cursor'
import { laterCursor } from '../base/cursor'
import type { Base, Held, Incoming } from './evidence'
import { orderOf } from './evidence'

export interface Staleness {
  readonly isStale: boolean
  /** Newest position of news that was not applied. */
  readonly at: Cursor | undefined
  /** When that was heard of. */
  readonly atTick: number
  /** When news without a position was heard of last. */
  readonly tick: number
}

/** A query that is made while the stream is at this position. */
export function freshAt(at: Cursor | undefined, tick: number): Staleness {
  return { isStale: false, at, atTick: tick, tick: 0 }
}

/** There is news, at this position or at none, that base lacks. */
export function staled(known: Staleness, tick: number, at: Cursor | undefined): Staleness {
  if (at === undefined) return { ...known, isStale: true, tick }
  // Of two logs one position can be kept: of the other it counts when it was heard of.
  const isOther = known.at !== undefined && orderOf(known.at, at) === undefined
  return { isStale: true, at: laterCursor(known.at, at), atTick: tick, tick: isOther ? known.atTick : known.tick }
}

/** There is news without a position that base has, and the read that is out may not. */
export function heard(known: Staleness, tick: number): Staleness {
  return { ...known, tick }
}

/** As somebody says who knows: the application, or query-core. What a read must be past stays. */
export function declared(known: Staleness, isStale: boolean): Staleness {
  return { ...known, isStale }
}

/**
 * After this read. Positions decide where both sides have one of the same log, else the read must have begun after the news
 * was heard of. `base`: what the read replaces.
 */
export function afterRead(known: Staleness, read: Incoming, base?: Base | undefined): Staleness {
  const order = orderOf(read.at, known.at)
  const isBehind = order === undefined ? known.at !== undefined && read.start <= known.atTick : order < 0
  // What base was known to be past when its position was lost, the read may be from before of.
  const isFromBefore = read.at === undefined && base?.floor !== undefined && read.start <= base.floorTick
  if (isBehind || isFromBefore || read.start <= known.tick) return { ...known, isStale: true }
  const isOther = order === undefined && read.at !== undefined
  return isOther ? { ...known, isStale: false, at: read.at, atTick: read.start } : { ...known, isStale: false }
}

/**
 * Whether this base, or waiting base, lacks earlier news: then a later event may not be applied to it either, for it would
 * say of what was skipped that it is known. Without a position all news counts that was heard of since it was asked for.
 */
export function isFrozen(on: Base | Held, { isStale, at, atTick, tick }: Staleness): boolean {
  if (on.at !== undefined) return at !== undefined && (orderOf(on.at, at) ?? -1) < 0
  return isStale && on.start <= (at === undefined ? tick : atTick)
}
