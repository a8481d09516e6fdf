/**
 * One cached query as Tidemark knows it, beside query-core's Query: its base, what waits, the layers that touch it, its
 * view. A view is always the fold of base and layers; nothing else writes it.
 */
import type { Query, QueryObserver } from '@tanstack/query-core'
import type { Deferred } from '../base/deferred'
import { rowName } from '../base/rows'
import type { Located, RowsOption, Shape } from '../data/entities'
import { find, locate, shapeOf } from '../data/entities'
import type { Drafts } from '../data/fold'
import { fold } from '../data/fold'
import type { Op } from '../data/recipes'
import { opsFor } from '../data/recipes'
import type { ReadEvidence } from '../evidence/answers'
import type { Base, Held, Layer, Share } from '../evidence/evidence'
import { isCovered } from '../evidence/evidence'
import type { Fence } from '../evidence/order'
import type { Staleness } from '../evidence/staleness'
import { freshAt } from '../evidence/staleness'

/** How exactly an endpoint says what its answers contain: by names, by positions, by nothing (order of requests). */
export type Mode = 'exact' | 'cursor' | 'fence'

/** The parts of a Query that Tidemark stands in front of, as they were. */
export interface Originals {
  setData: Query['setData']
  setState: Query['setState']
  setOptions: Query['setOptions']
  fetch: Query['fetch']
}

export interface Attached {
  readonly layer: Layer
  readonly ops: readonly Op[]
  /** It changes rows where they stand, and nothing else. */
  readonly isPlain: boolean
  /** It threw on this query; reported once. */
  reported: boolean
}

export interface QueryRecord {
  readonly query: Query
  readonly originals: Originals
  shape: Shape | undefined
  topics: readonly string[]
  /** `false`: this query shows its base, never a layer. */
  optimistic: boolean
  share: ((previous: unknown, next: unknown) => unknown) | false | undefined
  base: Base | undefined
  baseLocated: Located
  held: Held[]
  attached: Attached[]
  view: Located
  /** What the view was folded from. */
  foldedBase: unknown
  /** A layer threw on this base: only a fold of all tells what the view is without it. */
  skipped: boolean
  /** What has happened to `attached` since the view was folded; `all`: fold everything anew. */
  unfolded: { appended: Attached[]; removed: Attached[]; all: boolean }
  /** How many of the attached layers do more than change rows where they stand. */
  notPlain: number
  staleness: Staleness
  readonly fences: Map<string, Fence>
  /** Own mutations that base contains, by no position, and whose events are still to come; the rows that they changed. */
  readonly echoes: Map<string, ReadonlySet<string> | 'all'>
  /** Reads discarded in a row. */
  missed: number
  /** A read is to be made as soon as it can be. */
  wanted: boolean
  /** How many wait for its view, though nothing watches it: a component that is suspended. */
  awaited: number
  attempts: number
  cancelTimer: (() => void) | undefined
  read: ReadEvidence | undefined
  /** The server has said no to the last read that failed. */
  isRefused: boolean
  mode: Mode
  arrival: Deferred<unknown> | undefined
  removed: boolean
}

export function createRecord(query: Query, originals: Originals): QueryRecord {
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
    held: [],
    attached: [],
    view: located,
    foldedBase: undefined,
    skipped: false,
    unfolded: { appended: [], removed: [], all: false },
    notPlain: 0,
    staleness: freshAt(undefined, 0),
    fences: new Map(),
    echoes: new Map(),
    missed: 0,
    wanted: false,
    awaited: 0,
    attempts: 0,
    cancelTimer: undefined,
    read: undefined,
    isRefused: false,
    mode: 'fence',
    arrival: undefined,
    removed: false,
  }
}

/** What Tidemark's own query options say of the query; once said it holds, for query-core keeps only the last options. */
export function describe(record: QueryRecord, options: Record<string, unknown>): boolean {
  const rows = options['rows'] as RowsOption<never> | undefined
  const shape = shapeOf(rows, record.query.queryType === 'infinite')
  const changed = shape !== undefined && !isSameShape(record, shape)
  if (changed) {
    record.shape = shape
    relocate(record)
  }
  if (Array.isArray(options['topics'])) record.topics = options['topics'] as string[]
  if (typeof options['optimistic'] === 'boolean') record.optimistic = options['optimistic']
  return changed
}

/**
 * By what it finds, not by which object it is: written in a component, `rows` is new at each render, and vue-query copies
 * options each time it reads them. To find the rows anew would make a new view, and that another render.
 */
function isSameShape({ shape, base, baseLocated }: QueryRecord, other: Shape): boolean {
  if (shape?.pairs.length !== other.pairs.length) return false
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

/** Finds rows anew; the view is folded anew at the next commit. */
export function relocate(record: QueryRecord): void {
  record.baseLocated = locate(record.base?.data, record.shape)
  record.unfolded.all = true
}

/** The ops of a layer for this query; `undefined` when it does not touch it. */
export function attachment(record: QueryRecord, layer: Layer): Attached | undefined {
  const ops = opsFor(layer.ops, record.query, record.shape).filter((op) => !isElsewhere(record, op))
  const isPlain = ops.every((op) => op.kind === 'row' || (op.kind === 'upsert' && op.hash === undefined))
  return ops.length === 0 ? undefined : { layer, ops, isPlain, reported: false }
}

/** Whether the query is the detail of another row. */
function isElsewhere({ baseLocated, base }: QueryRecord, op: Op): boolean {
  if (base === undefined || op.hash !== undefined || !('entity' in op)) return false
  const { entity, id } = op
  const lists = baseLocated.lists.filter((list) => list.entity.type === entity.type)
  return lists.length > 0 && lists.every((list) => list.single) && find(baseLocated, entity.type, id).length === 0
}

export function attach(record: QueryRecord, attached: Attached): void {
  const { pos } = attached.layer
  let at = record.attached.length
  while (at > 0 && (record.attached[at - 1]?.layer.pos ?? 0) > pos) at--
  if (at === record.attached.length) record.unfolded.appended.push(attached)
  else record.unfolded.all = true
  record.attached.splice(at, 0, attached)
  if (!attached.isPlain) record.notPlain++
}

export function detach(record: QueryRecord, attached: Attached): void {
  const at = record.attached.indexOf(attached)
  if (at < 0) return
  record.attached.splice(at, 1)
  if (!attached.isPlain) record.notPlain--
  const { appended, removed } = record.unfolded
  const fresh = appended.indexOf(attached)
  if (fresh >= 0) appended.splice(fresh, 1)
  else removed.push(attached)
}

/** Whether an enabled observer watches the query. */
export function isWatched({ query }: QueryRecord): boolean {
  return query.observers.length > 0 && query.isActive()
}

/** Whether a read of the query is on its way (and not merely its answer waiting). */
export function isReading({ query }: QueryRecord): boolean {
  return query.promise !== undefined
}

/**
 * Whether running the layer's recipes on their own result over `data` changes nothing: then it does not matter whether
 * `data` contains the mutation. What an author declared overrules the trial.
 */
export function isRepeatable(record: QueryRecord, attached: Attached, data: unknown, drafts: Drafts): boolean {
  const tried = attached.ops.filter((op) => op.repeatable === undefined)
  if (attached.ops.some((op) => op.repeatable === false)) return false
  if (tried.length === 0) return true
  try {
    const once = fold(locate(data, record.shape), tried, drafts)
    return Object.is(fold(once, tried, drafts).data, once.data)
  } catch {
    return true // a recipe that throws is skipped: it has no effect on this data
  }
}

/** Whether the layer's recipes change what this query shows at all. */
export function hasEffect(record: QueryRecord, attached: Attached, drafts: Drafts): boolean {
  if (record.base === undefined || standsOnOthers(record, attached)) return true
  try {
    return !Object.is(fold(record.baseLocated, attached.ops, drafts).data, record.base.data)
  } catch {
    return false
  }
}

/** Whether an earlier change that base lacks is of the same rows: then base alone does not tell what this one changes. */
function standsOnOthers(record: QueryRecord, { layer, ops }: Attached): boolean {
  const names = ops.flatMap((op) => ('entity' in op ? [rowName(op.entity.type, op.id)] : []))
  const rows = names.length === ops.length ? new Set(names) : undefined
  return record.attached.some(
    (other) =>
      other.layer.live &&
      other.layer.pos < layer.pos &&
      !isCovered(other.layer, record.base) &&
      (rows === undefined || concernsRows(other, rows)),
  )
}

/** How much of what the layer changes in the query these rows are. */
export function shareOf({ ops }: Attached, rows: ReadonlySet<string>): Share {
  const isIn = ops.map((op) => 'entity' in op && rows.has(rowName(op.entity.type, op.id)))
  if (isIn.every(Boolean)) return 'all'
  return isIn.some(Boolean) || ops.some((op) => op.kind === 'update' || op.kind === 'set') ? 'some' : 'none'
}

/** Whether the layer changes one of these rows of the query (all of it, if it has a recipe for the whole data). */
export function concernsRows({ ops }: Attached, rows: ReadonlySet<string>): boolean {
  return ops.some((op) => op.kind === 'update' || op.kind === 'set' || rows.has(rowName(op.entity.type, op.id)))
}

/** A layer leaves because base contains its mutation: a read that is out, or that waits, may not. */
export function fence(record: QueryRecord, { id, confirmedTick, confirmedAt }: Layer): void {
  if (isReading(record) || record.held.length > 0) record.fences.set(id, { tick: confirmedTick, at: confirmedAt })
}

const ECHOES = 64

/** A layer leaves a base without a position: events for its rows may be from before it, until its own has come. */
export function expectEcho({ echoes }: QueryRecord, { layer, ops }: Attached): void {
  const rows = ops.flatMap((op) => ('entity' in op ? [rowName(op.entity.type, op.id)] : []))
  echoes.set(layer.id, rows.length === ops.length ? new Set(rows) : 'all')
  const [first] = echoes.keys()
  if (echoes.size > ECHOES && first !== undefined) echoes.delete(first)
}

/** Nothing is left that may be from before a mutation whose layer has left. */
export function clearFences(record: QueryRecord): void {
  if (!isReading(record) && record.held.length === 0) record.fences.clear()
}

export type AnyObserver = QueryObserver<never, never, never, never, never>
