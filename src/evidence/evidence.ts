/**
 * What is known of a base: does it contain a pending mutation or not? Pure. The invariant: a base is published only when
 * this is known, or does not matter, for every mutation that touches the query.
 *
 * Ticks are a counter of this client: +1 whenever a request is issued and whenever an answer or a push arrives.
 */
import type { Cursor } from '../base/cursor'
import { compareCursors, sameEpoch } from '../base/cursor'
import type { Op } from '../data/recipes'

/** One pending mutation's effect, as the cache knows it. The queue writes its fields through the cache's methods only. */
export interface Layer {
  /** The idempotency key; changes when the payload is replaced. */
  id: string
  /** Place in the log: layers are folded in this order. */
  readonly pos: number
  readonly mutationKey: readonly unknown[]
  ops: readonly Op[]
  /** The first request left. */
  sent: boolean
  /** Of this id. Sent and without outcome is 'open', whatever the entry's status says. */
  outcome: 'confirmed' | 'rejected' | 'conflict' | undefined
  confirmedAt: Cursor | undefined
  confirmedTick: number
  firstSendTick: number
  /** More than one request was sent with this id, or it is a replacement. */
  resent: boolean
  /** Shown: folded into views. */
  live: boolean
}

/** What the server said of one query. Never optimistic. */
export interface Base {
  readonly data: unknown
  /** The position it was read at. */
  readonly at: Cursor | undefined
  /** Reads before this position are not taken (a row was written into the base from an answer at it). */
  readonly floor: Cursor | undefined
  readonly start: number
  readonly accepted: number
  /** Ids of mutations that it is known to contain. */
  readonly has: Set<string>
  /** A read, an answer or a push brought it, or a part of it; `false`: `setQueryData`, initial data or hydration. */
  readonly hasNews: boolean
}

/** Server data on its way in. */
export interface Incoming {
  readonly kind: 'read' | 'answer' | 'push' | 'manual' | 'stored'
  readonly data: unknown
  readonly at?: Cursor | undefined
  /** Of a read made of several requests: the newest of their positions (`at` is the oldest). */
  readonly newest?: Cursor | undefined
  readonly floor?: Cursor | undefined
  /** Of a row from an answer: the position of the answer; `at` is then that of the base it was put into. */
  readonly rowsAt?: Cursor | undefined
  /** Only these rows are news (`type id`); everything else is the base it was applied to. */
  readonly rows?: ReadonlySet<string> | undefined
  /** Tick of the request. */
  readonly start: number
  readonly has: Set<string>
  /** The ids that the request named, or `'all'`: it is known of every mutation. */
  readonly asked?: ReadonlySet<string> | 'all' | undefined
  /** Its several answers disagree about these. */
  readonly disputed?: ReadonlySet<string> | undefined
  /** The mutation whose own answer it is. */
  readonly own?: string | undefined
  readonly updatedAt?: number | undefined
  /** It is a state (hydrated, reset) and not news: a query's own `structuralSharing` is for news. */
  readonly isWhole?: boolean | undefined
  /** The base that this was computed from: what is known of that, is known of this. */
  readonly on?: Base | Held | undefined
}

/** A base that waits for the outcomes of mutations that were open when it arrived. */
export interface Held extends Incoming {
  readonly wait: Set<string>
}

export type Verdict = 'contains' | 'lacks' | 'open' | 'unknowable'

export function isOpen(layer: Layer): boolean {
  return layer.sent && layer.outcome === undefined
}

/** Section "When base contains a mutation": the first evidence that applies. Repeatability is the caller's to try. */
export function judge(incoming: Incoming, layer: Layer): Verdict {
  if (incoming.has.has(layer.id)) return 'contains'
  if (incoming.disputed?.has(layer.id)) return 'unknowable'
  const at = incoming.rowsAt ?? incoming.at
  const asked = incoming.asked === 'all' || incoming.asked?.has(layer.id) === true
  if (layer.outcome === 'confirmed') {
    const order =
      at !== undefined && layer.confirmedAt !== undefined ? compareCursors(at, layer.confirmedAt) : undefined
    if (order !== undefined && order >= 0) return 'contains'
    if (order !== undefined) return isSpread(incoming, layer.confirmedAt) && !asked ? 'unknowable' : 'lacks'
    if (asked) return 'lacks'
    return incoming.start > layer.confirmedTick ? 'contains' : 'unknowable'
  }
  if (asked || !isOpen(layer)) return 'lacks'
  return at === undefined ? 'unknowable' : 'open'
}

/** The oldest of its answers lacks the mutation, the newest contains it. */
function isSpread({ newest }: Incoming, confirmedAt: Cursor | undefined): boolean {
  return newest !== undefined && confirmedAt !== undefined && (compareCursors(newest, confirmedAt) ?? -1) >= 0
}

/** Whether base is known to contain the mutation. */
export function isCovered(layer: Layer, base: Base | undefined): boolean {
  if (base === undefined) return false
  if (base.has.size > 0 && base.has.has(layer.id)) return true
  if (layer.outcome !== 'confirmed') return false
  if (base.at !== undefined && layer.confirmedAt !== undefined && sameEpoch(base.at, layer.confirmedAt)) {
    return (compareCursors(base.at, layer.confirmedAt) ?? -1) >= 0
  }
  return base.start > layer.confirmedTick
}

/** Monotonic reads: whether `incoming` is behind `base`. Within an epoch positions decide, else ticks of issue. */
export function isOlder(incoming: Incoming, base: Base | undefined): boolean {
  if (base === undefined || incoming.kind === 'manual') return false
  // Data that was not read says nothing of what the server had when a read began: as over TanStack, the read is what counts.
  if (incoming.kind === 'read' && base.at === undefined && !base.hasNews) return false
  if (incoming.at === undefined) return base.at !== undefined || incoming.start < base.start
  const order = base.at === undefined ? undefined : compareCursors(incoming.at, base.at)
  if (order !== undefined) return order < 0
  // The application's own data stands there without a position: what it replaced had one.
  if (base.floor !== undefined && compareCursors(incoming.at, base.floor) !== undefined) return false
  return incoming.start < base.start
}

/** Whether whole data comes from before something that base is known to be past. An event is only a step from base on. */
export function isBelowFloor(incoming: Incoming, base: Base | undefined): boolean {
  if (incoming.kind === 'push' || incoming.kind === 'manual' || incoming.rows !== undefined) return false
  if (incoming.at === undefined || base?.floor === undefined) return false
  return (compareCursors(incoming.at, base.floor) ?? 0) < 0
}
