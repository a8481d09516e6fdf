/**
 * What is known of a base: does it contain a pending mutation or not? Pure. The invariant: a base is published only when
 * this is known, or does not matter, for every mutation that touches the query.
 *
 * Ticks are a counter of this client: +1 whenever a request is issued and whenever an answer or a push arrives.
 */
import type { Cursor } from '../base/cursor'
import { compareCursors } from '../base/cursor'
import type { Op } from '../data/recipes'

/** One pending mutation's effect, as the cache knows it. Only who records and sends mutations changes it. */
export interface Layer {
  /** The idempotency key; another one when the payload is replaced. */
  readonly id: string
  /** Place in the log: layers are folded in this order. */
  readonly pos: number
  /** Mutations of one scope are applied one after another, in order of `pos`. */
  readonly scope: string
  readonly mutationKey: readonly unknown[]
  readonly ops: readonly Op[]
  /** A request with this id left, or is about to. */
  readonly sent: boolean
  /** Of this id. Sent and without outcome is 'open', whatever the status says. */
  readonly outcome: Outcome | undefined
  readonly confirmedAt: Cursor | undefined
  readonly confirmedTick: number
  readonly firstSendTick: number
  /** More than one request was sent with this id, or it is a replacement. */
  readonly resent: boolean
  /** Shown: folded into views. */
  readonly live: boolean
  /** Its author says what is to be read when it is confirmed. */
  readonly namesReads: boolean
  /** The rows that it changes, as some base had them, by kind and id: for lists that it moves them into. */
  readonly copies: ReadonlyMap<string, RowCopy>
}

/** A row as a base had it; without one it was deleted, or nobody had it. */
export interface RowCopy {
  readonly row: unknown
  /** Taken from a base that lost the row, and that had all changes before this one. */
  readonly isAnew: boolean
}

/** What the server made of one id. */
export type Outcome = 'confirmed' | 'rejected' | 'conflict'

/** What the server said of one query. Never optimistic. */
export interface Base {
  readonly data: unknown
  /** The position that all of it is at; `undefined` where reads of the query carry none. */
  readonly at: Cursor | undefined
  /** A part of it is known to be at this position, or what it replaced was: reads from before are not taken. */
  readonly floor: Cursor | undefined
  /** When that became known. */
  readonly floorTick: number
  /** Rows that answers brought. */
  readonly rowsAt: ReadonlyMap<string, RowNews>
  /** Of data in pages: when each of them was read, as a tick or in their order. */
  readonly pagesAt: readonly number[]
  /** Tick of the request that it was read by. */
  readonly start: number
  /** Tick at which it was accepted. */
  readonly accepted: number
  /** Ids of mutations that it is known to contain. */
  readonly has: ReadonlySet<string>
  /** Those of them of which it has what their answers brought, and perhaps no more. */
  readonly hasPart: ReadonlySet<string>
  /** A read, an answer or a push brought it, a part of it, or what the application changed; `false`: it is all of its own. */
  readonly hasNews: boolean
  /** The `has` of what it was made of: it tells that from others, and does not keep it, and all bases before it, alive. */
  readonly from: ReadonlySet<string> | undefined
}

/** Of a row from an answer: the answer's position, and whether it brought the row or changed something in it. */
export interface RowNews {
  readonly at: Cursor
  readonly isWhole: boolean
}

/** Server data on its way in. */
export interface Incoming {
  readonly kind: 'read' | 'answer' | 'push' | 'manual' | 'stored'
  readonly data: unknown
  readonly at?: Cursor | undefined
  /** Of a read made of several requests: the newest of their positions (`at` is the oldest). */
  readonly newest?: Cursor | undefined
  readonly floor?: Cursor | undefined
  /** Of an answer: its position, which `at` is not where the answer is put into a base, or reads carry no positions. */
  readonly answeredAt?: Cursor | undefined
  /** Only these rows are news (`type id`), or an unknown part; everything else is the base that it was put into. */
  readonly part?: ReadonlySet<string> | 'unknown' | undefined
  /** Of a part: the rows that it brought, or changed something in. */
  readonly rows?: ReadonlySet<string> | undefined
  /** Tick of the request. */
  readonly start: number
  /** Ids of mutations that it is known to contain. */
  readonly has: Set<string>
  /** Ids of mutations that the server says its part contains. */
  readonly reflects?: ReadonlySet<string> | undefined
  /** The ids that the request named, or `'all'`: it is known of every mutation. */
  readonly asked?: ReadonlySet<string> | 'all' | undefined
  /** Its several answers disagree about these. */
  readonly disputed?: ReadonlySet<string> | undefined
  /** The mutation whose own answer it is. */
  readonly own?: string | undefined
  readonly updatedAt?: number | undefined
  /** It is base with one page more, at this end. */
  readonly further?: 'start' | 'end' | undefined
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

/** What of a mutation's effect on a query a part of its data concerns. */
export type Share = 'none' | 'all' | 'some'

export function isOpen(layer: Layer): boolean {
  return layer.sent && layer.outcome === undefined
}

/**
 * Section "When base contains a mutation": the first evidence that applies. Repeatability is the caller's to try.
 *
 * `share`: how much of the mutation's effect on the query the data concerns. An event is a step: base and event are the whole
 * at its position. Of rows from an answer the rest is the base that they were put into: a part that contains some of a
 * mutation's effect makes data that neither contains nor lacks it. `hasLater`: it contains a later mutation of the scope.
 */
export function judge(incoming: Incoming, layer: Layer, share: Share, hasLater = false): Verdict {
  if (share === 'none') return 'lacks'
  const verdict = hasLater && layer.outcome === 'confirmed' ? 'contains' : judgeAll(incoming, layer)
  return incoming.kind === 'push' || share === 'all' || verdict === 'lacks' ? verdict : 'unknowable'
}

function judgeAll(incoming: Incoming, layer: Layer): Verdict {
  if (incoming.has.has(layer.id) || incoming.reflects?.has(layer.id)) return 'contains'
  if (incoming.disputed?.has(layer.id)) return 'unknowable'
  const at = incoming.answeredAt ?? incoming.at
  const asked = incoming.asked === 'all' || incoming.asked?.has(layer.id) === true
  if (layer.outcome === 'confirmed') {
    const order = orderOf(at, layer.confirmedAt)
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
  return (orderOf(newest, confirmedAt) ?? -1) >= 0
}

/** Whether base is known to contain the mutation. */
export function isCovered(layer: Layer, base: Base | undefined): boolean {
  return base !== undefined && (base.has.has(layer.id) || isPast(base, layer))
}

/** Whether all of base is from after the mutation: then it contains those of the scope before it, too. */
export function isPast(base: Base, layer: Layer): boolean {
  if (layer.outcome !== 'confirmed') return false
  const order = orderOf(base.at, layer.confirmedAt)
  return order === undefined ? base.start > layer.confirmedTick : order >= 0
}

/** {@link compareCursors}; `undefined` also where one of them is missing: of that nothing is known. */
export function orderOf(a: Cursor | undefined, b: Cursor | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : compareCursors(a, b)
}
