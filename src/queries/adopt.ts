/**
 * Every Query is adopted when the cache announces it: its `setData`, `setState`, `setOptions` and `fetch` go through
 * `accept`, whoever calls them (fetches, `setQueryData`, hydration, persisters, initial data), with whatever options.
 */
import type { Query } from '@tanstack/query-core'
import { environmentManager, skipToken } from '@tanstack/query-core'
import { isSyncError } from '../base/errors'
import { isThenable } from '../base/kinds'
import { meaningOf } from '../base/meaning'
import type { ReadEvidence } from '../evidence/answers'
import { clearFences, relocate } from './base'
import type { Cell, SaidPart } from './cell'
import { createCell, describe, isReading } from './cell'
import type { Core } from './core'
import { setData, setState, takeFirst } from './incoming'
import { endMissing, failArrival, forgetRead, readOf, startFresh } from './reading'
import type { Refresher } from './refresher'

export interface AdoptDeps {
  core: Core
  refresher: Refresher
  /** Adds `fetch` to a query function's context; its answers are noted in `read`. */
  extendContext(context: object, cell: Cell, read: ReadEvidence): object
}

type AnyQueryFn = (context: never) => unknown

export function adopt(deps: AdoptDeps, query: Query): Cell {
  const { core } = deps
  const originals = {
    setData: query.setData.bind(query),
    setState: query.setState.bind(query),
    setOptions: query.setOptions.bind(query),
    fetch: query.fetch.bind(query),
  }
  const cell = createCell(query, originals)
  startFresh(core, cell)
  core.cells.set(query.queryHash, cell)
  const wrapped = new WeakMap<AnyQueryFn, AnyQueryFn>()
  const dress = () => {
    const { options } = query
    if (describe(cell, options as Record<string, unknown>, ownShareOf(options.structuralSharing))) {
      relocate(core, cell)
      core.lookup.add(cell)
      core.transition(() => core.attachAll(cell))
    }
    query.options = dressOptions(deps, cell, wrapped)
  }
  dress()
  core.transition(() => {
    takeFirst(core, cell)
    core.attachAll(cell)
  })
  core.lookup.add(cell)
  Object.assign(query, {
    setOptions(options) {
      originals.setOptions(options)
      dress()
    },
    setData: (data, options) => setData(core, cell, data, options),
    setState: (state) => setState(core, cell, state),
    async fetch(options, fetchOptions) {
      try {
        await originals.fetch(options, fetchOptions)
      } catch (error) {
        failArrival(cell, error)
        ended(deps, cell, howItFailed(cell, error))
        throw error
      }
      ended(deps, cell, cell.read === undefined ? 'done' : 'cancelled')
      return cell.arrival?.promise ?? cell.base?.data
    },
  } satisfies Partial<Query>)
  return cell
}

type Ending = 'done' | 'cancelled' | 'failed' | 'refused'

function howItFailed({ isRefused }: Cell, error: unknown): Ending {
  if ((error as Error | undefined)?.message === 'CancelledError') return 'cancelled'
  if (isRefused) return 'refused'
  const meaning = meaningOf(error)
  return meaning === 'refused' || meaning === 'credentials' ? 'refused' : 'failed'
}

/**
 * A fetch ended. What made the query stale outlives one that was cancelled or that failed: while somebody watches it is
 * asked again, after a failure with pauses, unless the server has refused it.
 */
function ended({ core, refresher }: AdoptDeps, cell: Cell, ending: Ending): void {
  clearFences(cell)
  const isWanted = ending === 'failed' || ending === 'cancelled'
  if (isWanted && cell.staleness.isStale && !isReading(cell)) refresher.want(cell, 'now', ending === 'failed')
  else refresher.next(cell)
  if (cell.missed === 0) return
  if (ending === 'failed') endMissing(cell) // no read comes for now: nothing waits for it
  core.listener?.onReadSettled() // a send may wait for it, whatever it brought
}

// query-core copies the options at each `setOptions`, so they can be changed here. Sharing is done once, on the way in.
function dressOptions(deps: AdoptDeps, cell: Cell, wrapped: WeakMap<AnyQueryFn, AnyQueryFn>): Query['options'] {
  const { options } = cell.query
  const { queryFn } = options
  const dressed = { ...options, structuralSharing: false, retry: dressRetry(options.retry) as never }
  if (typeof queryFn !== 'function' || (queryFn as unknown) === skipToken) return dressed
  let wrapper = wrapped.get(queryFn as AnyQueryFn)
  if (wrapper === undefined) {
    wrapper = wrapQueryFn(deps, cell, queryFn as AnyQueryFn)
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

/** How the query itself says that its data is shared. */
function ownShareOf(sharing: Query['options']['structuralSharing']): SaidPart['share'] {
  if (typeof sharing === 'function') return OWN_SHARE in sharing ? undefined : sharing
  return sharing === false ? false : undefined
}

function wrapQueryFn(deps: AdoptDeps, cell: Cell, queryFn: AnyQueryFn): AnyQueryFn {
  return (context: object) => {
    const read = readOf(deps.core, cell)
    const { length } = read.answers
    const result = queryFn(deps.extendContext(context, cell, read) as never)
    if (isThenable(result)) result.then(undefined, () => forgetRead(cell, read, length))
    return result
  }
}
