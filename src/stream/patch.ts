/**
 * What the stream brings, into bases: patches of rows wherever they are cached, whole states, invalidations. One
 * transaction is one transition. A change that cannot be placed in a query leaves that query stale at its position.
 */
import type { Cursor } from '../base/cursor'
import { applyPatch } from '../base/json-patch'
import type {
  EntityRef,
  InvalidateMessage,
  MutationOutcome,
  PatchMessage,
  RowChange,
  StateMessage,
  Version,
} from '../base/messages'
import { rowName } from '../base/rows'
import type { Located } from '../data/entities'
import { find, locate } from '../data/entities'
import { fold } from '../data/fold'
import type { Op } from '../data/recipes'
import type { Versions } from '../data/versions'
import { isAtLeast, knownVersion } from '../data/versions'
import type { Base, Held, Layer } from '../evidence/evidence'
import { isAt, mayFollow, newsOf } from '../evidence/order'
import { isFrozen } from '../evidence/staleness'
import { accept } from '../queries/accept'
import { takeEchoes } from '../queries/base'
import type { Cell, Echo, When } from '../queries/cell'
import { isReading, shapeNow } from '../queries/cell'
import type { Core } from '../queries/core'
import type { Lookup } from '../queries/lookup'
import { isByHand } from '../queries/placements'
import { keep, markHeard, markStale } from '../queries/reading'
import type { RowsBefore } from './place-rows'
import { rowOp, rowsBefore, tryPlace } from './place-rows'
import type { ChangeMessage } from './target'

/** The cache, as the stream works on it. */
export interface PushDeps {
  core: Core
  lookup: Lookup
  /** Refetches a watched query within so many milliseconds. */
  spread(cell: Cell, milliseconds: number): void
}

/** Applies one transaction. First the data with its names, then `confirm` with the outcomes; the caller holds the transition. */
export function applyPush(
  deps: PushDeps,
  messages: readonly ChangeMessage[],
  cursor: Cursor | undefined,
  confirm: (outcomes: readonly MutationOutcome[]) => void,
): void {
  const { core } = deps
  core.tick()
  const outcomes = messages.flatMap((message) => message.mutations ?? [])
  const names = messages.some((message) => message.mutations !== undefined)
    ? outcomes.filter(({ status }) => status !== 'rejected').map(({ id }) => id)
    : undefined
  const changes = messages.flatMap((message) => (message.event === 'patch' ? message.changes : []))
  const event: PushEvent = { cursor, names, versions: core.versions, before: rowsBefore(core, changes) }
  for (const change of changes) core.bury(change, cursor)
  for (const { op, type, id } of changes) if (op === 'del') core.bereave(rowName(type, id))
  // What a transaction makes stale is not patched by it, in whatever order it says so: a read brings it.
  for (const message of messages) {
    if (message.event === 'patch') staleWithoutRows(deps, message, event)
    if (message.event === 'invalidate') invalidate(deps, message, event)
  }
  for (const [cell, concerned] of concernedBy(deps.lookup, changes)) patchRecord(core, cell, concerned, event)
  for (const message of messages) if (message.event === 'state') applyState(core, message, event)
  confirm(outcomes)
}

/** Queries that listen to the patch's topics, or whose key begins with one, but do not say where such rows are in them. */
function staleWithoutRows({ core, lookup }: PushDeps, { topics, changes }: PatchMessage, event: PushEvent): void {
  for (const topic of topics ?? []) {
    for (const cell of new Set([...lookup.byTopic(topic), ...lookup.byKey([topic])])) {
      const types = cell.shape?.pairs.map(([kind]) => kind.type) ?? []
      if (changes.every(({ type }) => types.includes(type)) || isAt(cell.base, event.cursor) || isOwnEcho(cell, event))
        continue
      markStale(core, cell, event.cursor, whenToRead(core, cell, event))
    }
  }
}

interface PushEvent {
  cursor: Cursor | undefined
  /** Whose writes the event contains; `undefined`: it does not say. */
  names: readonly string[] | undefined
  /** Of rows, as events told them. */
  versions: Versions
  /** The rows that changes are made on, as some base had them. */
  before: RowsBefore
}

function concernedBy(lookup: Lookup, changes: readonly RowChange[]): Map<Cell, RowChange[]> {
  const concerned = new Map<Cell, RowChange[]>()
  for (const change of changes) {
    for (const cell of lookup.forRow(change.type, change.id)) {
      const list = concerned.get(cell)
      if (list === undefined) concerned.set(cell, [change])
      else list.push(change)
    }
  }
  return concerned
}

function patchRecord(core: Core, cell: Cell, changes: readonly RowChange[], event: PushEvent): void {
  if (isAt(cell.base, event.cursor)) return
  const { names, cursor } = event
  // An event that says what it contains goes onto base although a read waits, unless what waits is an event before it.
  const waiting = names === undefined || cell.held.some(({ kind }) => kind !== 'read') ? cell.held.at(-1) : undefined
  const on = waiting ?? cell.base
  const isNext = on !== undefined && !isAt(on, cursor) && mayFollow(on, cursor) && !isFrozen(on, cell.staleness)
  const fits = isNext && !isOfMove(cell, event)
  const news = fits ? newsFor(cell, on, changes, event) : undefined
  const placed =
    fits && news ? tryPlace(core, cell, locateOn(cell, on.data), { changes: news, before: event.before }) : undefined
  if (on === undefined || placed === undefined) {
    keep(core, cell, cursor, () => patchRecord(core, cell, changes, event), whenToRead(core, cell, event))
    takeOut(core, cell, changes)
    return
  }
  // The read in flight may be from before.
  if (isReading(cell) && on.at === undefined) markHeard(core, cell)
  accept(core, cell, {
    kind: 'push',
    data: placed,
    ...(on.at === undefined ? { floor: cursor } : { at: cursor }),
    start: on.start,
    has: new Set([...on.has, ...(names ?? [])]),
    asked: names === undefined ? undefined : 'all',
    part: new Set(changes.map(({ type, id }) => rowName(type, id))),
    on,
  })
}

/** Of an own write that orders the list by hand. */
function isOfMove({ placements }: Cell, { names, cursor }: PushEvent): boolean {
  const isNamed = ({ id, confirmedAt }: Layer): boolean =>
    names?.includes(id) === true || (cursor !== undefined && confirmedAt === cursor)
  return placements.some((placement) => isByHand(placement) && isNamed(placement.layer))
}

/** Of an own write whose scope is busy: when that is idle its queue says that it is time to read. */
function whenToRead({ listener }: Core, { placements }: Cell, { names }: PushEvent): When {
  const isOwn = ({ id, scope }: Layer): boolean => names?.includes(id) === true && listener?.isBusy(scope) === true
  return placements.some(({ layer }) => isOwn(layer)) ? 'later' : 'paced'
}

/** What of an event base lacks; `undefined`: it may be from before an own write that base has. */
function newsFor(
  cell: Cell,
  on: Base | Held,
  changes: readonly RowChange[],
  { cursor, names, versions }: PushEvent,
): readonly RowChange[] | undefined {
  const kinds = changes.map(({ type, id }) => newsOf(on, rowName(type, id), cursor))
  if (kinds.includes('doubtful')) return undefined
  const unknown = changes.filter((_, i) => kinds[i] === 'news')
  const known = takeEchoes(cell, names ?? [])
  const isAmong = (echoes: readonly Echo[], name: string): boolean =>
    echoes.some(({ rows }) => rows === 'all' || rows.has(name))
  // At a position base takes its own echo, too: an answer, or the application, has told a part of it.
  const news = on.at === undefined ? unknown.filter(({ type, id }) => !isAmong(known, rowName(type, id))) : unknown
  const waited = [...cell.echoes.values()]
  const isDoubtful = (change: RowChange): boolean => {
    if (!isAmong(waited, rowName(change.type, change.id))) return false
    return typeof versionIn(versions, cell, change) !== 'number' || typeof change.version !== 'number'
  }
  return news.some(isDoubtful) ? undefined : news
}

/** A base that waits for a read keeps no row that is known to be deleted. */
function takeOut(core: Core, cell: Cell, changes: readonly RowChange[]): void {
  const { base, baseLocated } = cell
  const gone = changes.filter(({ op }) => op === 'del')
  const ops = gone.flatMap((change): Op[] => {
    const { type, id } = change
    const at = find(baseLocated, type, id).at(-1)
    const list = at === undefined ? undefined : baseLocated.lists[at.list]
    const op =
      at === undefined || list === undefined
        ? undefined
        : rowOp(core, cell, { kind: list.entity, row: list.rows[at.at], isIn: true }, change)
    return op === undefined || op === 'known' ? [] : [op]
  })
  const { data } = fold(baseLocated, ops, core.drafts)
  if (base === undefined || Object.is(data, base.data)) return
  const { at, start, has } = base
  const part = new Set(gone.map(({ type, id }) => rowName(type, id)))
  accept(core, cell, { kind: 'push', data, at, start, has: new Set(has), part, on: base })
}

function locateOn(cell: Cell, data: unknown): Located {
  return Object.is(data, cell.baseLocated.data) ? cell.baseLocated : locate(data, shapeNow(cell))
}

/**
 * A whole value is news only where its position can be compared with base's, or base is no news itself (the application's
 * own, initial or stored data); else it says no more than that base is old.
 */
function applyState(core: Core, message: StateMessage, event: PushEvent): void {
  const cell = core.cells.get(core.hashKey(message.key))
  if (cell === undefined || isAt(cell.base, event.cursor)) return
  const { base } = cell
  const { cursor, names } = event
  const { versions } = core
  const current = typeof base?.data === 'object' && base.data !== null ? versions.get(base.data) : undefined
  if (message.version !== undefined && isAtLeast(current, message.version)) return
  const isPatch = message.patch !== undefined
  const follows = base !== undefined && cursor !== undefined && mayFollow(base, cursor)
  takeEchoes(cell, names ?? [])
  const isComparable = follows && (base.at === undefined ? !base.hasNews : cell.echoes.size === 0)
  if (!isComparable || (isPatch && (current !== message.base || isFrozen(base, cell.staleness)))) {
    keep(core, cell, cursor, () => applyState(core, message, event))
    return
  }
  let data: unknown
  try {
    data = message.patch === undefined ? message.value : applyPatch(base.data, message.patch)
  } catch {
    markStale(core, cell, cursor)
    return
  }
  // Names say what the event contains. That base contains all before it is known where nothing was missed or waits.
  const isNext = base.at !== undefined && !isFrozen(base, cell.staleness) && cell.held.length === 0
  accept(core, cell, {
    kind: 'push',
    data,
    at: cursor,
    start: base.start,
    has: new Set([...(names ?? []), ...(isNext ? base.has : [])]),
    asked: names === undefined || !isNext ? undefined : 'all',
  })
  const published: unknown = cell.base?.data
  if (message.version !== undefined && typeof published === 'object' && published !== null)
    versions.set(published, message.version)
}

function invalidate(deps: PushDeps, message: InvalidateMessage, event: PushEvent): void {
  const { core, lookup, spread } = deps
  const stale = new Set<Cell>()
  for (const key of message.keys ?? []) for (const cell of lookup.byKey(key, message.exact)) stale.add(cell)
  for (const topic of message.topics ?? []) for (const cell of lookup.byTopic(topic)) stale.add(cell)
  for (const entity of message.entities ?? []) {
    for (const cell of lookup.forRow(entity.type, entity.id)) if (!hasVersion(core, cell, entity)) stale.add(cell)
  }
  for (const cell of stale) {
    if (isAt(cell.base, event.cursor) || isOwnEcho(cell, event)) continue
    if (message.spread !== undefined) spread(cell, message.spread)
    markStale(core, cell, event.cursor, whenToRead(core, cell, event))
  }
}

function hasVersion(core: Core, cell: Cell, entity: EntityRef): boolean {
  const { version } = entity
  return version !== undefined && isAtLeast(versionIn(core.versions, cell, entity), version)
}

function versionIn(
  versions: Versions,
  { baseLocated }: Cell,
  { type, id }: Pick<RowChange, 'type' | 'id'>,
): Version | undefined {
  const at = find(baseLocated, type, id)[0]
  const list = at === undefined ? undefined : baseLocated.lists[at.list]
  return at === undefined || list === undefined ? undefined : knownVersion(list.entity, list.rows[at.at], versions)
}

/** It names only mutations that all of base contains: not those of which it has what their answers brought. */
function isOwnEcho({ base }: Cell, { names = [] }: PushEvent): boolean {
  return base !== undefined && names.length > 0 && names.every((id) => base.has.has(id) && !base.hasPart.has(id))
}
