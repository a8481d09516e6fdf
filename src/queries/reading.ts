/** What a query knows of its reads: what a read must be past to be news, what the one on its way has said, who waits for it. */
import type { Cursor } from '../base/cursor'
import { createDeferred } from '../base/deferred'
import type { ReadEvidence } from '../evidence/answers'
import { evidenceOfPages } from '../evidence/answers'
import type { Base, Incoming } from '../evidence/evidence'
import { isCovered } from '../evidence/evidence'
import { isAtOnePosition } from '../evidence/order'
import type { Staleness } from '../evidence/staleness'
import { afterRead, declared, freshAt, heard, staled } from '../evidence/staleness'
import type { Cell, Mode, Owned, ReadingPart, When } from './cell'
import { isReading } from './cell'
import type { Core } from './core'

const own = (cell: Cell): Owned<ReadingPart> => cell

/** It is made while the stream is where it is: what comes after that is news. */
export function startFresh({ streamAt, tickNow }: Core, cell: Cell): void {
  own(cell).staleness = freshAt(streamAt, tickNow)
}

/** Old by rule: news that was not applied (with its position), or something that no position tells. */
export function markStale(core: Core, cell: Cell, at?: Cursor | undefined, when: When = 'now'): void {
  note(cell, (known) => staled(known, core.tickNow, at))
  becomeStale(core, cell, when)
}

/** So many pushed changes are kept for one read; more are read. */
const KEPT_MAX = 256

/**
 * Pushed news that base cannot take now. While a read is out it is kept, and `apply` runs on what that brings; where no read
 * is out, or that one cannot be told to be from before the news, the next read brings it.
 */
export function keep(
  core: Core,
  cell: Cell,
  ...[at, apply, when = 'paced']: [at: Cursor | undefined, apply: () => void, when?: When]
): void {
  const { staleness, kept, query } = cell
  const of = query.promise
  const { since, news } = kept !== undefined && kept.of === of ? kept : { since: staleness, news: [] }
  if (at === undefined || !isReading(cell) || news.length >= KEPT_MAX) {
    markStale(core, cell, at, when)
    return
  }
  own(cell).kept = { of, since, news: [...news, apply] }
  own(cell).staleness = staled(staleness, core.tickNow, at)
  becomeStale(core, cell, when)
}

/** A read was taken: the news that was kept for it. */
export function takeKept(cell: Cell): ReadonlyArray<() => void> {
  const { news = [] } = cell.kept ?? {}
  own(cell).kept = undefined
  return news
}

function becomeStale(core: Core, cell: Cell, when: When): void {
  if (!cell.query.state.isInvalidated) {
    core.touch(cell)
    cell.query.invalidate()
  }
  core.refresh(cell, when)
}

/** Of all that makes the query stale: what is kept for a read is beside it. */
function note(cell: Cell, change: (known: Staleness) => Staleness): void {
  own(cell).staleness = change(cell.staleness)
  if (cell.kept !== undefined) own(cell).kept = { ...cell.kept, since: change(cell.kept.since) }
}

/** Base has the news, and the read that is out may be from before it. */
export function markHeard({ tickNow }: Core, cell: Cell): void {
  note(cell, (known) => heard(known, tickNow))
}

/** As the application, or query-core, says. */
export function declareStale(cell: Cell, isStale: boolean): void {
  note(cell, (known) => declared(known, isStale))
}

/** After a read that was taken. `true`: it brought all that was to be had, but for the news that was kept for it. */
export function freshen(cell: Cell, read: Incoming, previous: Base | undefined): boolean {
  const { kept, staleness } = cell
  // One that has waited is from before the read that is out.
  const isOut = kept !== undefined && kept.of === cell.query.promise && !('wait' in read)
  if (isOut && isAtOnePosition(read)) {
    const after = afterRead(kept.since, read, previous)
    own(cell).staleness = after.isStale ? { ...staleness, isStale: true } : after
    if (!after.isStale) return true
  } else own(cell).staleness = afterRead(staleness, read, previous)
  own(cell).kept = undefined
  return !cell.staleness.isStale
}

/** The read of a query function that is called now; of an infinite query, that of the pages before it. */
export function readOf(core: Core, cell: Cell): ReadEvidence {
  const { query, read } = cell
  if (read !== undefined && query.queryType === 'infinite' && read.of === query.promise) return read
  const begun = beginRead(core, cell)
  own(cell).read = begun
  return begun
}

function beginRead(core: Core, cell: Cell): ReadEvidence {
  const { query, base } = cell
  const read: ReadEvidence = { of: query.promise, start: core.tick(), answers: [], unanswered: 0 }
  if (query.state.fetchMeta?.fetchMore === undefined || base === undefined) return read
  // A further page joins pages of the base: the base is one of the answers that the read is made of, and as old as it is.
  return { ...read, start: Math.min(read.start, base.start), answers: [knownPages(cell, base)] }
}

function knownPages({ placements }: Cell, base: Base): ReadEvidence['answers'][number] {
  const layers = placements.map(({ layer }) => layer)
  const covered = layers.filter((layer) => isCovered(layer, base))
  return evidenceOfPages(base, layers, covered)
}

/**
 * What the answers of a failed read said is nothing that the next one, or its retry, is made of. A page that failed is read
 * again behind those before it: the read stays as old as they are, and keeps their `answers`.
 */
export function forgetRead(cell: Cell, read: ReadEvidence, answers: number): void {
  own(cell).isRefused = read.saidNo === true
  if (cell.read !== read) return
  own(cell).read =
    answers === 0 ? undefined : { ...read, answers: read.answers.slice(0, answers), unanswered: 0, saidNo: false }
}

/** Its data is here: what its answers have said. */
export function takeRead(cell: Cell): ReadEvidence | undefined {
  const { read } = cell
  own(cell).read = undefined
  return read
}

/** How exactly the answers of a read say what they contain. */
export function noteMode(cell: Cell, { asked, at }: Incoming): void {
  const mode: Mode = asked !== undefined ? 'exact' : at === undefined ? 'fence' : 'cursor'
  own(cell).mode = mode
}

/** A read was discarded; it is asked for again. */
export function noteMissed(cell: Cell): void {
  own(cell).missed++
}

/** A base was published, or no read comes for now: nothing waits for one. */
export function endMissing(cell: Cell): void {
  own(cell).missed = 0
}

/** The fetch has ended, and its caller waits for the base that comes. */
export function awaitArrival(cell: Cell): void {
  own(cell).arrival ??= createDeferred()
}

/** The base is there. */
export function arrive(cell: Cell): void {
  cell.arrival?.resolve(cell.base?.data)
  own(cell).arrival = undefined
}

/** None will come. */
export function failArrival(cell: Cell, error: unknown): void {
  cell.arrival?.reject(error)
  own(cell).arrival = undefined
}
