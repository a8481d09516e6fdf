/**
 * One cached query as Tidemark knows it, beside query-core's Query: its base, what waits, the layers that touch it, its
 * view. A view is always the fold of base and layers; nothing else writes it.
 */
import type { Query, QueryObserver } from '@tanstack/query-core'
import type { Cursor } from '../base/cursor'
import type { Deferred } from '../base/deferred'
import type { Located, RowsOption, Shape } from './entities'
import { find, locate, shapeOf } from './entities'
import type { Base, Held, Layer } from './evidence'
import { isCovered, rowName } from './evidence'
import type { Drafts } from './fold'
import { fold, refoldRows } from './fold'
import type { ReadEvidence } from './reads'
import type { Op } from './recipes'
import { opsFor } from './recipes'

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
  /** What the view was folded from; `skipped`: one of the layers threw. */
  folded: { base: unknown; layers: readonly Attached[]; skipped: boolean }
  /** Newest position of an event for this query that was not applied to it. */
  staleAt: Cursor | undefined
  staleTick: number
  stale: boolean
  /** Without cursors: tick of the confirmation of each mutation that touched it. */
  readonly fences: Map<string, number>
  /** Reads discarded in a row. */
  missed: number
  /** A read is to be made as soon as it can be. */
  wanted: boolean
  attempts: number
  cancelTimer: (() => void) | undefined
  read: ReadEvidence | undefined
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
    folded: { base: undefined, layers: [], skipped: false },
    staleAt: undefined,
    staleTick: 0,
    stale: false,
    fences: new Map(),
    missed: 0,
    wanted: false,
    attempts: 0,
    cancelTimer: undefined,
    read: undefined,
    mode: 'fence',
    arrival: undefined,
    removed: false,
  }
}

/** What Tidemark's own query options say of the query; once said it holds, for query-core keeps only the last options. */
export function describe(record: QueryRecord, options: Record<string, unknown>): boolean {
  const rows = options['rows'] as RowsOption<never> | undefined
  const changed = rows !== undefined && (record.shape === undefined || !sameRows(record.shape, rows))
  if (changed) {
    record.shape = shapeOf(rows, record.query.queryType === 'infinite')
    relocate(record)
  }
  if (Array.isArray(options['topics'])) record.topics = options['topics'] as string[]
  if (typeof options['optimistic'] === 'boolean') record.optimistic = options['optimistic']
  return changed
}

// By what an entity is, not by which object: vue-query copies options each time it reads them.
function sameRows(shape: Shape, rows: RowsOption<never>): boolean {
  const other = shapeOf(rows, shape.infinite)?.pairs ?? []
  return (
    other.length === shape.pairs.length &&
    other.every(([kind, find], i) => {
      const [known, knownFind] = shape.pairs[i] ?? []
      return find === knownFind && kind.type === known?.type && kind.idOf === known.idOf
    })
  )
}

/** Finds rows anew; the view is folded anew at the next commit. */
export function relocate(record: QueryRecord): void {
  record.baseLocated = locate(record.base?.data, record.shape)
  record.folded = { base: NEVER, layers: [], skipped: false }
}

const NEVER = Symbol('never folded')

/** The ops of a layer for this query; `undefined` when it does not touch it. */
export function attachment(record: QueryRecord, layer: Layer): Attached | undefined {
  const ops = opsFor(layer.ops, record.query, record.shape).filter((op) => !isElsewhere(record, op))
  return ops.length === 0 ? undefined : { layer, ops, reported: false }
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
  record.attached.splice(at, 0, attached)
}

export function detach(record: QueryRecord, attached: Attached): void {
  const at = record.attached.indexOf(attached)
  if (at >= 0) record.attached.splice(at, 1)
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
 * Folds the live, uncovered layers over base. Returns whether the view changed. Layers that are appended cost those
 * layers, rows whose layers leave cost those rows; a new base costs all layers (a recipe runs once per row object).
 */
export function refold(
  record: QueryRecord,
  drafts: Drafts,
  onThrow: (attached: Attached, error: unknown) => void,
): boolean {
  const layers = record.optimistic
    ? record.attached.filter(({ layer }) => layer.live && !isCovered(layer, record.base))
    : []
  const { folded } = record
  const same = Object.is(folded.base, record.base?.data)
  const gone = same ? missing(folded.layers, layers) : undefined
  if (gone?.length === 0 && folded.layers.length === layers.length) return false
  const before = record.view.data
  const appended = gone === undefined ? 0 : layers.length - (folded.layers.length - gone.length)
  const kept = gone === undefined || folded.skipped ? undefined : keptView(record, gone, layers, appended, drafts)
  let skipped = kept !== undefined && folded.skipped
  record.view = foldLayers(
    kept ?? record.baseLocated,
    kept === undefined ? layers : layers.slice(layers.length - appended),
    drafts,
    (attached, error) => {
      skipped = true
      onThrow(attached, error)
    },
  )
  record.folded = { base: record.base?.data, layers, skipped }
  return !Object.is(before, record.view.data)
}

/** What of `before` is not in `after`, if `after` is `before` without it and with more behind it; else `undefined`. */
function missing(before: readonly Attached[], after: readonly Attached[]): Attached[] | undefined {
  const gone: Attached[] = []
  let at = 0
  for (const each of before) {
    if (after[at] === each) at++
    else gone.push(each)
  }
  return gone.length === 0 || before.length - gone.length === at ? gone : undefined
}

/** The view without the layers that have left, where only their rows have to be folded anew. */
function keptView(
  record: QueryRecord,
  gone: readonly Attached[],
  layers: readonly Attached[],
  appended: number,
  drafts: Drafts,
): Located | undefined {
  if (gone.length === 0) return record.view
  const left = layers.slice(0, layers.length - appended).flatMap(({ ops }) => ops)
  const leaving = gone.flatMap(({ ops }) => ops)
  if (![...left, ...leaving].every((op) => op.kind === 'row' || op.kind === 'upsert')) return undefined
  try {
    return refoldRows(record.baseLocated, record.view, leaving, left, drafts)
  } catch {
    return undefined
  }
}

/** All at once; when one throws, one by one, so that only that one is skipped. */
function foldLayers(
  start: Located,
  layers: readonly Attached[],
  drafts: Drafts,
  onThrow: (attached: Attached, error: unknown) => void,
): Located {
  try {
    return fold(start, layers.length === 1 ? (layers[0]?.ops ?? []) : layers.flatMap(({ ops }) => ops), drafts)
  } catch {
    let located = start
    for (const attached of layers) {
      try {
        located = fold(located, attached.ops, drafts)
      } catch (error) {
        onThrow(attached, error)
      }
    }
    return located
  }
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

/** Whether the layer changes one of these rows of the query (all of it, if it has a recipe for the whole data). */
export function concernsRows({ ops }: Attached, rows: ReadonlySet<string>): boolean {
  return ops.some((op) => op.kind === 'update' || op.kind === 'set' || rows.has(rowName(op.entity.type, op.id)))
}

export type AnyObserver = QueryObserver<never, never, never, never, never>
