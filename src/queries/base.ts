/**
 * The one door for bases: what the server said of a query, with what is known of it, into Tidemark and into query-core. Who
 * comes here has decided that it is taken (`accept.ts`). Runs inside a transition.
 */
import type { Cursor } from '../base/cursor'
import { locate, locateBeside } from '../data/entities'
import { reconcile } from '../data/share'
import type { Base, Incoming, Layer, RowNews } from '../evidence/evidence'
import { isCovered, orderOf } from '../evidence/evidence'
import type { Fence } from '../evidence/order'
import { floorOf, isAtOnePosition, isOneLog, withFloor } from '../evidence/order'
import type { BasePart, Cell, Echo, Owned, Placement } from './cell'
import { isReading, shapeNow } from './cell'
import type { Core } from './core'
import { scheduleGc, setPosition } from './insides'
import { rowsOf } from './placements'
import { arrive, endMissing, freshen } from './reading'
import { satisfy } from './refresher'
import { keepLost } from './rows'
import { check } from './trust'
import { foldAnew } from './view'

interface OwnedBase extends Owned<BasePart> {
  fences: Map<string, Fence>
  echoes: Map<string, Echo>
}

const own = (cell: Cell): OwnedBase => cell as never

/** Data that is taken: it is base from now on. */
export function putBase(core: Core, cell: Cell, incoming: Incoming): void {
  const previous = cell.base
  core.touch(cell, core.rowListeners.size > 0 ? rowsOfNews(cell, incoming) : undefined)
  endMissing(cell)
  foldAnew(cell) // coverage may change though the data does not
  const has = new Set(incoming.has)
  if (previous !== undefined && isOneLog(incoming, previous)) keepKnown(cell, previous, incoming, has)
  const data = shareData(cell, incoming)
  core.aids?.freeze(data)
  own(cell).base = {
    data,
    at: incoming.at,
    ...floorAfter(core, incoming, previous),
    rowsAt: rowsAtOf(incoming, previous),
    pagesAt: pagesAtOf(core, incoming, previous),
    start: startOf(incoming, previous),
    accepted: core.tickNow,
    has,
    hasPart: partsAfter(incoming, previous, has),
    hasNews: incoming.kind === 'manual' ? previous?.hasNews === true : incoming.kind !== 'stored',
    from: incoming.has,
  }
  if (incoming.kind !== 'push' && incoming.part === undefined) check(core, cell, data, isAtOnePosition(incoming))
  if (!Object.is(cell.baseLocated.data, data) || cell.baseLocated.shape !== shapeNow(cell)) {
    const before = cell.baseLocated
    own(cell).baseLocated = locateBeside(before, data, shapeNow(cell))
    if (incoming.kind === 'read') {
      core.aids?.reread(cell.query, before, cell.baseLocated)
      keepLost(core, cell, before, previous)
    }
    if (core.moved(cell)) core.attachAll(cell)
  }
  if (incoming.kind === 'read') {
    endEchoes(cell, incoming)
    if (freshen(cell, incoming, previous)) satisfy(cell)
    else core.refresh(cell, cell.isPaced ? 'paced' : 'now')
  }
  write(cell, incoming)
  core.afterwards(() => core.listener?.onReadSettled())
}

/** The rows that news of a part may change: those that it is of, and those of writes that it says base has. */
function rowsOfNews({ placements }: Cell, { part, has }: Incoming): Iterable<string> | undefined {
  if (part === undefined || part === 'unknown') return undefined
  const named = placements.filter(({ layer }) => has.has(layer.id)).map(rowsOf)
  return named.includes(undefined) ? undefined : [...part, ...named.flatMap((names) => [...(names ?? [])])]
}

/** What a query is created with: initial data, hydrated state, or the data of a client that was brought along. */
export function putFirst(core: Core, cell: Cell, data: unknown, at: Cursor | undefined): void {
  const { aids, tickNow } = core
  aids?.freeze(data)
  own(cell).base = {
    ...{ data, at, floor: undefined, floorTick: 0, rowsAt: NO_ROWS, pagesAt: [] },
    ...{ start: 0, accepted: tickNow, has: NO_IDS, hasPart: NO_IDS, hasNews: false, from: undefined },
  }
  relocate(core, cell)
}

/** The query has no data any more. */
export function clearBase(core: Core, cell: Cell): void {
  own(cell).base = undefined
  relocate(core, cell)
}

/** Finds rows anew, and looks at their rules; the view is folded anew at the next commit. */
export function relocate(core: Core, cell: Cell): void {
  check(core, cell, cell.base?.data, false)
  findAnew(cell)
}

/** Finds rows anew. */
export function findAnew(cell: Cell): void {
  own(cell).baseLocated = locate(cell.base?.data, shapeNow(cell))
  foldAnew(cell)
}

/** Base is known to be past a position, in a part that no position of its own tells. */
export function raiseFloor({ tickNow }: Core, cell: Cell, at: Cursor | undefined): void {
  if (cell.base !== undefined) own(cell).base = withFloor(cell.base, at, tickNow)
}

/** A layer leaves because base contains its mutation: a read that is out, or that waits, may not. */
export function fence(cell: Cell, { id, confirmedTick, confirmedAt }: Layer): void {
  if (isReading(cell) || cell.held.length > 0) own(cell).fences.set(id, { tick: confirmedTick, at: confirmedAt })
}

/** Nothing is left that may be from before a mutation whose layer has left. */
export function clearFences(cell: Cell): void {
  if (!isReading(cell) && cell.held.length === 0) own(cell).fences.clear()
}

const ECHOES = 64

/** A layer leaves, and nothing says where base stands to it: events for its rows may be from before it, until its own has come. */
export function expectEcho(cell: Cell, placement: Placement): void {
  const { echoes } = own(cell)
  const { id, confirmedTick: tick } = placement.layer
  echoes.set(id, { rows: rowsOf(placement) ?? 'all', tick })
  const [first] = echoes.keys()
  if (echoes.size > ECHOES && first !== undefined) echoes.delete(first)
}

/** The events of these mutations have come. Returns the rows that they changed. */
export function takeEchoes(cell: Cell, ids: readonly string[]): readonly Echo[] {
  const { echoes } = own(cell)
  const known = ids.flatMap((id) => echoes.get(id) ?? [])
  for (const id of ids) echoes.delete(id)
  return known
}

/** A read from after a mutation, at a position: events from before the mutation are before that, too. */
function endEchoes(cell: Cell, { at, start }: Incoming): void {
  const { echoes } = own(cell)
  if (at !== undefined) for (const [id, { tick }] of echoes) if (start > tick) echoes.delete(id)
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

/** What an answer brings of a mutation is a part of it, until all of the query is read. */
function partsAfter(
  { kind, part, own: id }: Incoming,
  previous: Base | undefined,
  has: ReadonlySet<string>,
): ReadonlySet<string> {
  if (kind !== 'push' && part === undefined) return NO_IDS
  const before = previous?.hasPart ?? NO_IDS
  if (id === undefined) return before
  return new Set([...before, id].filter((each) => has.has(each))) // what base has forgotten is forgotten here, too
}

/** A further page is read later than those before it; in a read of all each is later than the one before. */
function pagesAtOf({ tickNow }: Core, incoming: Incoming, previous: Base | undefined): readonly number[] {
  const { further, kind, part } = incoming
  const before = previous?.pagesAt ?? []
  if (kind === 'push' || part !== undefined) return before
  const { length = 0 } = (incoming.data as { pages?: readonly unknown[] } | null)?.pages ?? []
  // The oldest pages may have gone at the other end.
  if (further === 'start') return [tickNow, ...before].slice(0, length)
  return further === 'end' ? [...before, tickNow].slice(-length) : new Array<number>(length).fill(tickNow)
}

const NO_IDS: ReadonlySet<string> = new Set()
const NO_ROWS: ReadonlyMap<string, RowNews> = new Map()

// What base was known to contain is not forgotten; old ids beyond 256 are of mutations that have long left.
function keepKnown({ placements }: Cell, previous: Base, incoming: Incoming, has: Set<string>): void {
  for (const id of previous.has) has.add(id)
  if (incoming.kind === 'manual') for (const { layer } of placements) if (isCovered(layer, previous)) has.add(layer.id)
  if (has.size <= 256) return
  for (const id of has) {
    if (has.size <= 128) break
    if (!placements.some(({ layer }) => layer.id === id)) has.delete(id)
  }
}

function shareData(cell: Cell, { data, isWhole }: Incoming): unknown {
  if (cell.share === false) return data
  if (typeof cell.share === 'function') return isWhole ? data : cell.share(cell.base?.data, data)
  return reconcile(cell.baseLocated, cell.view, data, cell.shape)
}

/** Writes the base into query-core. A fetch's own result ends that fetch; anything else leaves it running. */
function write(cell: Cell, incoming: Incoming): void {
  const { query, originals, base } = cell
  const updated = incoming.updatedAt === undefined ? undefined : { updatedAt: incoming.updatedAt }
  if (incoming.kind === 'read' && query.promise !== undefined && !('wait' in incoming)) {
    originals.setData(base?.data, updated as never)
  } else {
    originals.setData(base?.data, { ...updated, manual: true })
    if (query.promise === undefined && query.state.fetchStatus !== 'idle' && !cell.wanted) becomeIdle(cell)
  }
  setPosition(query, base?.at)
  if (cell.staleness.isStale && incoming.kind !== 'manual') query.invalidate()
  arrive(cell)
}

/** A fetch is over whose data waited. query-core looks for what can be collected when a fetch ends, so it looks again. */
function becomeIdle({ query, originals }: Cell): void {
  originals.setState({ fetchStatus: 'idle' })
  scheduleGc(query)
}
