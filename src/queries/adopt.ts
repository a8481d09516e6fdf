/**
 * Every Query is adopted when the cache announces it: its `setData`, `setState`, `setOptions` and `fetch` go through
 * `accept`, whoever calls them (fetches, `setQueryData`, hydration, persisters, initial data), with whatever options.
 */

import type { Query, QueryState } from '@tanstack/query-core'
import { CancelledError, environmentManager, skipToken } from '@tanstack/query-core'
import { isCursor } from '../base/cursor'
import { createDeferred } from '../base/deferred'
import { isSyncError } from '../base/errors'
import { canonical } from '../base/key'
import { isThenable } from '../base/kinds'
import { meaningOf } from '../base/meaning'
import { freezeDeep } from '../data/copies'
import { locate } from '../data/entities'
import type { ReadEvidence } from '../evidence/answers'
import { incomingRead } from '../evidence/answers'
import type { Base, Incoming } from '../evidence/evidence'
import { isCovered } from '../evidence/evidence'
import { freshAt } from '../evidence/staleness'
import type { Acceptance } from './base'
import { accept } from './base'
import type { Mode, QueryRecord } from './cell'
import { clearFences, createRecord, describe, isReading, relocate } from './cell'
import type { Targets } from './lookup'
import type { Refresher } from './reading'
import type { Core } from './transition'

export interface AdoptDeps {
  core: Core
  refresher: Refresher
  targets: Targets
  /** Adds `fetch` to a query function's context; its answers are noted in `read`. */
  extendContext(context: object, record: QueryRecord, read: ReadEvidence): object
}

type AnyQueryFn = (context: never) => unknown

export function adopt(deps: AdoptDeps, query: Query): QueryRecord {
  const { core } = deps
  const originals = {
    setData: query.setData.bind(query),
    setState: query.setState.bind(query),
    setOptions: query.setOptions.bind(query),
    fetch: query.fetch.bind(query),
  }
  const record = createRecord(query, originals)
  record.staleness = freshAt(core.streamAt, core.tickNow)
  core.records.set(query.queryHash, record)
  const wrapped = new WeakMap<AnyQueryFn, AnyQueryFn>()
  const dress = () => {
    if (describe(record, query.options as Record<string, unknown>)) {
      deps.targets.add(record)
      core.transition(() => core.attachAll(record))
    }
    query.options = dressOptions(deps, record, wrapped)
  }
  dress()
  core.transition(() => {
    takeFirst(core, record)
    core.attachAll(record)
  })
  deps.targets.add(record)
  Object.assign(query, {
    setOptions(options) {
      originals.setOptions(options)
      dress()
    },
    setData: (data, options) => setData(deps, record, data, options),
    setState: (state) => setState(core, record, state),
    fetch(options, fetchOptions) {
      const result = originals.fetch(options, fetchOptions)
      return result.then(
        () => {
          ended(deps, record, record.read === undefined ? 'done' : 'cancelled')
          return record.arrival?.promise ?? record.base?.data
        },
        (error: unknown) => {
          record.arrival?.reject(error)
          record.arrival = undefined
          ended(deps, record, howItFailed(record, error))
          throw error
        },
      )
    },
  } satisfies Partial<Query>)
  return record
}

type Ending = 'done' | 'cancelled' | 'failed' | 'refused'

function howItFailed({ isRefused }: QueryRecord, error: unknown): Ending {
  if ((error as Error | undefined)?.message === 'CancelledError') return 'cancelled'
  if (isRefused) return 'refused'
  const meaning = meaningOf(error)
  return meaning === 'refused' || meaning === 'credentials' ? 'refused' : 'failed'
}

/**
 * A fetch ended. What made the query stale outlives one that was cancelled or that failed: while somebody watches it is
 * asked again, after a failure with pauses, unless the server has refused it.
 */
function ended({ core, refresher }: AdoptDeps, record: QueryRecord, ending: Ending): void {
  clearFences(record)
  const isWanted = ending === 'failed' || ending === 'cancelled'
  if (isWanted && record.staleness.isStale && !isReading(record)) refresher.want(record, ending === 'failed')
  else refresher.next(record)
  if (record.missed === 0) return
  if (ending === 'failed') record.missed = 0 // no read comes for now: nothing waits for it
  core.listener?.onReadSettled() // a send may wait for it, whatever it brought
}

// query-core copies the options at each `setOptions`, so they can be changed here. Sharing is done once, on the way in.
function dressOptions(
  deps: AdoptDeps,
  record: QueryRecord,
  wrapped: WeakMap<AnyQueryFn, AnyQueryFn>,
): Query['options'] {
  const { options } = record.query
  const { structuralSharing } = options
  record.share =
    typeof structuralSharing === 'function' && !isOwnShare(structuralSharing)
      ? structuralSharing
      : structuralSharing === false
        ? false
        : undefined
  const { queryFn } = options
  const dressed = { ...options, structuralSharing: false, retry: dressRetry(options.retry) as never }
  if (typeof queryFn !== 'function' || (queryFn as unknown) === skipToken) return dressed
  let wrapper = wrapped.get(queryFn as AnyQueryFn)
  if (wrapper === undefined) {
    wrapper = wrapQueryFn(deps, record, queryFn as AnyQueryFn)
    wrapped.set(queryFn as AnyQueryFn, wrapper)
    wrapped.set(wrapper, wrapper)
  }
  return { ...dressed, queryFn: wrapper as never }
}

/** Nothing is asked again that cannot end otherwise: without credentials, or wrongly. A function of the application's decides alone. */
function dressRetry(retry: Query['options']['retry']): Query['options']['retry'] {
  if (typeof retry === 'function' || retry === false) return retry
  return (count, error) => {
    if (isSyncError(error, 'usage') || meaningOf(error) === 'credentials') return false
    return retry === true || count < (retry ?? (environmentManager.isServer() ? 0 : 3))
  }
}

/** Marks the sharing function that the view client gives its observers. */
export const OWN_SHARE: unique symbol = Symbol('tidemark.share')

function isOwnShare(share: object): boolean {
  return OWN_SHARE in share
}

function wrapQueryFn(deps: AdoptDeps, record: QueryRecord, queryFn: AnyQueryFn): AnyQueryFn {
  const { core } = deps
  return (context: object) => {
    const more = record.query.queryType === 'infinite' && record.read?.of === record.query.promise
    const read = (more && record.read) || beginRead(core, record)
    if (!more) record.read = read
    const result = queryFn(deps.extendContext(context, record, read) as never)
    if (isThenable(result)) result.then(undefined, () => forgetRead(record, read))
    return result
  }
}

/** What the answers of a failed read said is nothing that the next one, or its retry, is made of. */
function forgetRead(record: QueryRecord, read: ReadEvidence): void {
  record.isRefused = read.isRefused === true
  if (record.read === read) record.read = undefined
}

function beginRead(core: Core, record: QueryRecord): ReadEvidence {
  const { query, base } = record
  const read: ReadEvidence = { of: query.promise, start: core.tick(), answers: [], unanswered: 0 }
  if (query.state.fetchMeta?.fetchMore === undefined || base === undefined) return read
  // A further page joins pages of the base: the base is one of the answers that the read is made of, and as old as it is.
  return { ...read, start: Math.min(read.start, base.start), answers: [knownPages(record, base)] }
}

function knownPages({ attached }: QueryRecord, base: Base): ReadEvidence['answers'][number] {
  const asked = new Set(attached.map(({ layer }) => layer.id))
  const covered = attached.filter(({ layer }) => isCovered(layer, base)).map(({ layer }) => layer.id)
  return { cursor: base.at, asked, reflects: new Set([...covered, ...base.has]) }
}

// What a query is created with: initial data, hydrated state, or the data of a client that was brought along.
function takeFirst(core: Core, record: QueryRecord): void {
  const { state } = record.query
  if (state.data === undefined) return
  if (core.development) freezeDeep(state.data)
  const { cursor } = state as { cursor?: unknown }
  const at = isCursor(cursor) ? cursor : undefined
  record.base = {
    data: state.data,
    at,
    floor: undefined,
    floorTick: 0,
    rowsAt: new Map(),
    start: 0,
    accepted: core.tickNow,
    has: new Set(),
    hasNews: false,
    from: undefined,
  }
  record.staleness = { ...record.staleness, isStale: state.isInvalidated }
  relocate(record)
}

function setData(
  deps: AdoptDeps,
  record: QueryRecord,
  data: unknown,
  options?: { updatedAt?: number | undefined; manual: boolean },
): unknown {
  const { core } = deps
  const updatedAt = options?.updatedAt
  if (options?.manual === true) {
    core.transition(() => {
      warnAboutLayers(core, record)
      const isUnknown = record.base?.at !== undefined || isWaitedFor(record)
      accept(core, record, { kind: 'manual', data, start: core.tick(), has: new Set(), updatedAt })
      if (isUnknown) record.staleness = { ...record.staleness, isStale: true }
    })
    return record.base?.data
  }
  const { read } = record
  record.read = undefined
  core.transition(() => {
    core.tick()
    const incoming: Incoming =
      read === undefined
        ? { kind: 'stored', data, start: record.base?.start ?? 0, has: new Set() }
        : incomingRead(read, data)
    record.mode = modeOf(incoming)
    const acceptance = accept(core, record, { ...incoming, updatedAt })
    if (acceptance !== 'accepted') endWithout(deps, record, acceptance)
  })
  return record.base?.data ?? data
}

function modeOf(incoming: Incoming): Mode {
  if (incoming.asked !== undefined) return 'exact'
  return incoming.at === undefined ? 'fence' : 'cursor'
}

// The fetch ended without a base of its own. Base is newer: that is its result. Otherwise query-core goes on to see one
// fetch, and its promise resolves with the base that comes at last.
function endWithout(deps: AdoptDeps, record: QueryRecord, acceptance: Acceptance): void {
  const { core, refresher } = deps
  core.touch(record)
  if (acceptance === 'older' && record.base !== undefined) {
    record.originals.setState({
      fetchStatus: 'idle',
      fetchFailureCount: 0,
      fetchFailureReason: null,
      isInvalidated: record.staleness.isStale,
    })
    if (record.staleness.isStale) refresher.want(record)
    return
  }
  record.arrival ??= createDeferred()
  if (acceptance === 'held') return
  record.staleness = { ...record.staleness, isStale: true }
  record.missed++
  core.afterwards(() => core.listener?.onReadSettled())
  refresher.want(record)
}

/** Whether a confirmed change is not in base yet: the application's own data does not end the wait for it. */
function isWaitedFor({ attached, base }: QueryRecord): boolean {
  return attached.some(({ layer }) => layer.outcome === 'confirmed' && !isCovered(layer, base))
}

function warnAboutLayers(core: Core, record: QueryRecord): void {
  if (!core.development || !record.attached.some(({ layer }) => layer.live && !isCovered(layer, record.base))) return
  core.warn(
    `setQueryData was called on ${canonical(record.query.queryKey)} while a mutation of it is pending: its data now counts as the server's. To show a change before the server has answered, use a mutation's "optimistic".`,
    record.query.queryKey,
  )
}

function setState(core: Core, record: QueryRecord, state: Partial<QueryState<unknown, Error>>): void {
  const { originals, base } = record
  if (!('data' in state) || Object.is(state.data, base?.data)) {
    // A fetch that is cancelled puts back what was before it: what has made the query stale since stays.
    const isStale = 'isInvalidated' in state && record.staleness.isStale
    originals.setState(isStale ? { ...state, isInvalidated: true } : state)
    return
  }
  core.transition(() => {
    core.touch(record)
    if (state.data === undefined) {
      record.base = undefined
      record.held = []
      record.baseLocated = locate(undefined, record.shape)
      record.arrival?.reject(new CancelledError({ silent: true }))
      record.arrival = undefined
      return originals.setState(state)
    }
    const { cursor } = state as { cursor?: unknown }
    const at = isCursor(cursor) ? cursor : undefined
    const kind = at === undefined && base !== undefined ? 'manual' : 'stored'
    const acceptance = accept(core, record, {
      kind,
      data: state.data,
      at,
      start: core.tick(),
      has: new Set(),
      updatedAt: state.dataUpdatedAt,
      isWhole: true,
    })
    // What is said of data that was not taken is not said of what stands there.
    originals.setState({
      ...(acceptance === 'accepted' ? state : undefined),
      ...{ data: record.base?.data, cursor: record.base?.at },
      fetchStatus: state.fetchStatus ?? (isReading(record) ? record.query.state.fetchStatus : 'idle'),
    })
  })
}
