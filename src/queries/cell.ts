/**
 * One cached query as Tidemark knows it, beside query-core's Query, in parts: what its options say (this file), its base and
 * what it remembers of it (`base.ts`), whether its lists keep to their rules (`trust.ts`), what waits (`waiting.ts`), whether
 * it must be read (`reading.ts`, `refresher.ts`), its layers and its view (`view.ts`). Everybody reads all of it; a part is assigned in its own file alone.
 */
import type { InfiniteQueryPageParamsOptions, Query, QueryObserver } from '@tanstack/query-core'
import type { Deferred } from '../base/deferred'
import type { Ends, Located, RowsOption, Shape } from '../data/entities'
import { locate, shapeOf } from '../data/entities'
import type { Op } from '../data/recipes'
import type { ReadEvidence } from '../evidence/answers'
import type { Base, Held, Incoming, Layer } from '../evidence/evidence'
import type { Fence } from '../evidence/order'
import type { Staleness } from '../evidence/staleness'
import { freshAt } from '../evidence/staleness'

/** How exactly an endpoint says what its answers contain: by names, by positions, by nothing (order of requests). */
export type Mode = 'exact' | 'cursor' | 'fence'

/** The parts of a Query that Tidemark stands in front of, as they were. */
export interface Originals {
  readonly setData: Query['setData']
  readonly setState: Query['setState']
  readonly setOptions: Query['setOptions']
  readonly fetch: Query['fetch']
}

export interface Cell extends SaidPart, BasePart, TrustPart, WaitingPart, ReadingPart, RefresherPart, ViewPart {
  readonly query: Query
  readonly originals: Originals
}

/** What the query's options say. */
export interface SaidPart {
  readonly shape: Shape | undefined
  readonly topics: readonly string[]
  /** `false`: this query shows its base, never a layer. */
  readonly optimistic: boolean
  /** Its own way of sharing, or none; `undefined`: by rows and equal parts. */
  readonly share: ((previous: unknown, next: unknown) => unknown) | false | undefined
}

/** What the server said. */
export interface BasePart {
  readonly base: Base | undefined
  readonly baseLocated: Located
  /** Mutations whose layers have left while something was on its way that may be from before them. */
  readonly fences: ReadonlyMap<string, Fence>
  /** Own mutations that base contains, by no position, and whose events are still to come; the rows that they changed. */
  readonly echoes: ReadonlyMap<string, Echo>
}

/** Whether the server makes its lists as their rules say. */
export interface TrustPart {
  /** Why the rules do not count now, for a sentence. */
  readonly fault: string | undefined
  /** What was reported last. */
  readonly reported: string | undefined
}

/** The event of an own mutation that is expected: the rows that it changes, and when the mutation was confirmed. */
export interface Echo {
  readonly rows: ReadonlySet<string> | 'all'
  readonly tick: number
}

/** What was said and cannot be published yet. */
export interface WaitingPart {
  readonly held: readonly Held[]
}

/** Whether base is old, and the read that is on its way. */
export interface ReadingPart {
  readonly staleness: Staleness
  /** News that came while a read was out, and that base could not take. */
  readonly kept: Kept | undefined
  /** Reads discarded in a row. */
  readonly missed: number
  /** What the answers to the read on its way have said. */
  readonly read: ReadEvidence | undefined
  /** The server has said no to the last read that failed. */
  readonly isRefused: boolean
  readonly mode: Mode
  /** Of a fetch that ended without a base: its caller waits for the one that comes. */
  readonly arrival: Deferred<unknown> | undefined
}

/** Pushed news for the read that is out, in order. */
export interface Kept {
  /** The fetch of query-core that it is kept for. */
  readonly of: unknown
  /** What the read must be past without it. */
  readonly since: Staleness
  /** Each puts a change into base, or makes the query stale. */
  readonly news: ReadonlyArray<() => void>
}

/** When Tidemark reads it of itself. */
export interface RefresherPart {
  /** A read is to be made as soon as it can be. */
  readonly wanted: boolean
  /** It is wanted for pushes alone. */
  readonly isPaced: boolean
  /** When it was read for a push last, in milliseconds. */
  readonly pacedAt: number
  /** Reads in a row that did not help. */
  readonly fruitless: number
  /** The page that is wanted at this end, when the query is not stale any more: a read of it was not taken. */
  readonly further: Incoming['further']
  /** How many wait for its view, though nothing watches it: a component that is suspended. */
  readonly awaited: number
  readonly cancelTimer: (() => void) | undefined
  /** It has left the cache. */
  readonly removed: boolean
}

/** When what is stale is read: as soon as it may be, with pauses between pushes, or when the writes of a scope are all decided. */
export type When = 'now' | 'paced' | 'later'

/** What is shown. A view that is read is always the fold of base and layers: `viewOf` of the core reads it. */
export interface ViewPart {
  /** The layers that touch the query, in order. */
  readonly placements: readonly Placement[]
  readonly view: Located
  /** Something has changed since the view was folded; nobody has read it. */
  readonly isBehind: boolean
  /** What the view was folded from. */
  readonly foldedBase: unknown
  /** A layer threw on this base: only a fold of all tells what the view is without it. */
  readonly skipped: boolean
  /** What has happened to the layers since the view was folded; `all`: fold everything anew. */
  readonly unfolded: Unfolded
  /** How many of the layers do more than change rows where they stand. */
  readonly notPlain: number
}

/** A layer in one query. */
export interface Placement {
  readonly layer: Layer
  readonly ops: readonly Op[]
  /** It changes rows where they stand, and nothing else. */
  readonly isPlain: boolean
}

export interface Unfolded {
  readonly appended: Placement[]
  readonly removed: Placement[]
  readonly all: boolean
}

/** A part, for the file that owns it. */
export type Owned<T> = { -readonly [K in keyof T]: T[K] }

export function createCell(query: Query, originals: Originals): Cell {
  const located = locate(undefined, undefined)
  return {
    query,
    originals,
    shape: undefined,
    topics: [],
    optimistic: true,
    share: undefined,
    base: undefined,
    baseLocated: located,
    fences: new Map(),
    echoes: new Map(),
    fault: undefined,
    reported: undefined,
    held: [],
    staleness: freshAt(undefined, 0),
    kept: undefined,
    missed: 0,
    read: undefined,
    isRefused: false,
    mode: 'fence',
    arrival: undefined,
    wanted: false,
    isPaced: false,
    further: undefined,
    pacedAt: Number.NEGATIVE_INFINITY,
    fruitless: 0,
    awaited: 0,
    cancelTimer: undefined,
    removed: false,
    placements: [],
    view: located,
    isBehind: false,
    foldedBase: undefined,
    skipped: false,
    unfolded: { appended: [], removed: [], all: false },
    notPlain: 0,
  }
}

/**
 * What Tidemark's own query options say of the query; once said it holds, for query-core keeps only the last options.
 * `true`: its rows are to be found anew.
 */
export function describe(cell: Cell, options: Record<string, unknown>, share: SaidPart['share']): boolean {
  const said: Owned<SaidPart> = cell
  const isInfinite = cell.query.queryType === 'infinite'
  const endsOf = isInfinite ? (data: unknown): Ends => endsOfPages(cell.query, data as Pages) : undefined
  const shape = shapeOf(options['rows'] as RowsOption<never> | undefined, isInfinite, endsOf)
  const isNew = shape !== undefined && !isSameShape(cell, shape)
  if (isNew) said.shape = shape
  if (Array.isArray(options['topics'])) said.topics = options['topics'] as string[]
  if (typeof options['optimistic'] === 'boolean') said.optimistic = options['optimistic']
  said.share = share
  return isNew
}

interface Pages {
  readonly pages: readonly unknown[]
  readonly pageParams: readonly unknown[]
}

/** Whether there are pages before and after those that are loaded, as query-core asks it. */
function endsOfPages({ options }: Query, { pages, pageParams }: Pages): Ends {
  const { getNextPageParam, getPreviousPageParam } = options as Partial<InfiniteQueryPageParamsOptions>
  if (pages.length === 0) return { start: false, end: false }
  const last = pages.length - 1
  const previous = getPreviousPageParam?.(pages[0], [...pages], pageParams[0], [...pageParams])
  const next = getNextPageParam?.(pages[last], [...pages], pageParams[last], [...pageParams])
  return { start: previous !== undefined && previous !== null, end: next !== undefined && next !== null }
}

/** The rows as they are found now: with rules, while the server keeps to them. */
export function shapeNow({ shape, fault }: Cell): Shape | undefined {
  return fault === undefined ? shape : (shape?.plain ?? shape)
}

/**
 * By what it finds, not by which object it is: written in a component, `rows` is new at each render, and vue-query copies
 * options each time it reads them. To find the rows anew would make a new view, and that another render.
 */
function isSameShape({ shape, base, baseLocated }: Cell, other: Shape): boolean {
  if (shape?.pairs.length !== other.pairs.length) return false
  // Said without a rule elsewhere, it has that rule all the same.
  if (other.plain !== undefined && shape.plain === undefined) return false
  if (other.pairs.some(([kind], i) => kind.type !== shape.pairs[i]?.[0].type)) return false
  if (other.pairs.every(([, find], i) => find === shape.pairs[i]?.[1])) return true
  const { lists } = locate(base?.data, other)
  return (
    lists.length === baseLocated.lists.length &&
    lists.every(({ path, single }, i) => {
      const known = baseLocated.lists[i]
      return known?.single === single && String(known.path) === String(path)
    })
  )
}

/** Whether an enabled observer watches the query. */
export function isWatched({ query }: Cell): boolean {
  return query.observers.length > 0 && query.isActive()
}

/** Whether a read of the query is on its way (and not merely its answer waiting). */
export function isReading({ query }: Cell): boolean {
  return query.promise !== undefined
}

export type AnyObserver = QueryObserver<never, never, never, never, never>
