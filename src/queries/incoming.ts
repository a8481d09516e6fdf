/** Data that comes in through a Query: of its reads, of the application, of storage and hydration. */
import type { QueryState } from '@tanstack/query-core'
import { CancelledError } from '@tanstack/query-core'
import type { Cursor } from '../base/cursor'
import { isCursor } from '../base/cursor'
import { incomingRead } from '../evidence/answers'
import type { Incoming } from '../evidence/evidence'
import { isCovered } from '../evidence/evidence'
import type { Acceptance } from './accept'
import { accept } from './accept'
import { clearBase, putFirst } from './base'
import type { Cell } from './cell'
import { isReading } from './cell'
import type { Core } from './core'
import { positionOf } from './insides'
import { awaitArrival, declareStale, failArrival, noteMissed, noteMode, takeKept, takeRead } from './reading'
import { wantFurther } from './refresher'
import { clearWaiting } from './waiting'

/** What a query is created with: initial data, hydrated state, or the data of a client that was brought along. */
export function takeFirst(core: Core, cell: Cell): void {
  const { state } = cell.query
  if (state.data === undefined) return
  putFirst(core, cell, state.data, cursorOf(state))
  declareStale(cell, state.isInvalidated)
}

function cursorOf(state: object): Cursor | undefined {
  const cursor = positionOf(state)
  return isCursor(cursor) ? cursor : undefined
}

/** In place of the query's own: a read has brought data, or (`manual`) the application has set it. */
export function setData(
  core: Core,
  cell: Cell,
  data: unknown,
  options?: { updatedAt?: number | undefined; manual: boolean },
): unknown {
  const updatedAt = options?.updatedAt
  if (options?.manual === true) {
    core.transition(() => {
      const { base, placements, query } = cell
      if (placements.some(({ layer }) => layer.live && !isCovered(layer, base))) core.aids?.overwrites(query)
      const isUnknown = base?.at !== undefined || isWaitedFor(cell)
      accept(core, cell, { kind: 'manual', data, start: core.tick(), has: new Set(), updatedAt })
      if (isUnknown) declareStale(cell, true)
    })
    return cell.base?.data
  }
  const read = takeRead(cell)
  core.transition(() => {
    core.tick()
    // A further page where there is none: nothing was asked for.
    if (read === undefined && furtherOf(cell) !== undefined) return endWithout(core, cell, 'older')
    const incoming: Incoming =
      read === undefined
        ? { kind: 'stored', data, start: cell.base?.start ?? 0, has: new Set() }
        : incomingRead(read, data)
    noteMode(cell, incoming)
    const acceptance = accept(core, cell, { ...incoming, updatedAt, further: furtherOf(cell) })
    if (acceptance === 'older' || acceptance === 'unknown') wantFurther(cell, furtherOf(cell))
    if (acceptance !== 'accepted') endWithout(core, cell, acceptance)
    else for (const apply of takeKept(cell)) apply()
  })
  return cell.base?.data ?? data
}

/** Of an infinite query: at which end the fetch has added a page. */
function furtherOf({ query }: Cell): Incoming['further'] {
  const direction = (query.state.fetchMeta as { fetchMore?: { direction?: string } } | null)?.fetchMore?.direction
  return direction === undefined ? undefined : direction === 'backward' ? 'start' : 'end'
}

// The fetch ended without a base of its own. Base is newer: that is its result. Otherwise query-core goes on to see one
// fetch, and its promise resolves with the base that comes at last.
function endWithout(core: Core, cell: Cell, acceptance: Acceptance): void {
  core.touch(cell)
  if (acceptance === 'older' && cell.base !== undefined) {
    const { isStale } = cell.staleness
    const idle = { fetchStatus: 'idle', fetchFailureCount: 0, fetchFailureReason: null } as const
    cell.originals.setState({ ...idle, isInvalidated: isStale })
    if (isStale || cell.further !== undefined) core.refresh(cell)
    return
  }
  awaitArrival(cell)
  if (acceptance === 'held') return
  declareStale(cell, true)
  noteMissed(cell)
  core.afterwards(() => core.listener?.onReadSettled())
  core.refresh(cell)
}

/** Whether a confirmed change is not in base yet: the application's own data does not end the wait for it. */
function isWaitedFor({ placements, base }: Cell): boolean {
  return placements.some(({ layer }) => layer.outcome === 'confirmed' && !isCovered(layer, base))
}

/** In place of the query's own: a state that is hydrated, reset, or put back. */
export function setState(core: Core, cell: Cell, state: Partial<QueryState<unknown, Error>>): void {
  const { originals, base } = cell
  if (!('data' in state) || Object.is(state.data, base?.data)) {
    // A fetch that is cancelled puts back what was before it: what has made the query stale since stays.
    const isStale = 'isInvalidated' in state && cell.staleness.isStale
    originals.setState(isStale ? { ...state, isInvalidated: true } : state)
    return
  }
  core.transition(() => {
    core.touch(cell)
    if (state.data === undefined) {
      clearBase(core, cell)
      clearWaiting(cell)
      failArrival(cell, new CancelledError({ silent: true }))
      originals.setState(state)
    } else setWhole(core, cell, state)
  })
}

function setWhole(core: Core, cell: Cell, state: Partial<QueryState<unknown, Error>>): void {
  const { data, dataUpdatedAt: updatedAt } = state
  const at = cursorOf(state)
  const kind = at === undefined && cell.base !== undefined ? 'manual' : 'stored'
  const incoming: Incoming = { kind, data, at, start: core.tick(), has: new Set(), updatedAt, isWhole: true }
  const acceptance = accept(core, cell, incoming)
  // The caller's other fields describe data that may not have been taken: then they are not copied.
  cell.originals.setState({
    ...(acceptance === 'accepted' ? state : undefined),
    ...{ data: cell.base?.data, cursor: cell.base?.at },
    fetchStatus: state.fetchStatus ?? (isReading(cell) ? cell.query.state.fetchStatus : 'idle'),
  })
}
