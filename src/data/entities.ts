/**
 * Rows in a query's data: what kind they are, where they stand, and an index from id to place that is built when it is
 * first asked for. Data is never changed here; a changed list is a new list.
 */
import type { RowId, Version } from '../base/messages'
import { isSameId, rowName } from '../base/rows'
import type { ListRule } from './list-rule'
import type { Path } from './trace'
import { collect } from './trace'

/** A typed handle of a kind of row. */
export interface Entity<TRow = unknown> {
  readonly type: string
  /** The row's id. */
  idOf(row: TRow): RowId
  /** The row's version, if it carries one. */
  versionOf(row: TRow): Version | undefined
}

/** How the rows of a kind say their id and their version; see {@link entity}. */
export interface EntityOptions<TRow> {
  /** @defaultValue `(row) => row.id` */
  id?: ((row: TRow) => RowId) | undefined
  /** @defaultValue `(row) => row.version`, where that is a number or a string */
  version?: ((row: TRow) => Version | undefined) | undefined
}

/**
 * Names a kind of row, so that pushes, layers and answers can address one row wherever it is cached.
 *
 * @example
 * ```ts
 * const todoRow = entity<Todo>('todo')
 * ```
 */
export function entity<TRow>(type: string, options: EntityOptions<TRow> = {}): Entity<TRow> {
  return {
    type,
    idOf: options.id ?? ((row) => (row as { id: RowId }).id),
    versionOf: options.version ?? ownVersion,
  }
}

function ownVersion(row: unknown): Version | undefined {
  const version = (row as { version?: unknown } | null)?.version
  return typeof version === 'number' || typeof version === 'string' ? version : undefined
}

/** Finds rows in a query's data: a list, a list of lists, one row, or nothing. Pure property access is fastest. */
export type Locate<TData> = (data: TData) => unknown

/** `[entity, locate]`, `[entity, locate, rule]`, or several of them. For an infinite query `locate` is given one page. */
export type RowsOption<TData> = RowsPair<TData> | readonly RowsPair<TData>[]
// The row type is the entity's own business here; `locate` is checked against the query's data.
export type RowsPair<TData> = readonly [
  entity: Entity<never>,
  locate: Locate<TData>,
  rule?: ListRule<never, never> | undefined,
]

/** {@link RowsOption}, where rows and rules are told their types by the data and by the entity. */
export type DefinedRows<TData, TRow, TRows> =
  | DefinedPair<TData, TRow>
  | { readonly [K in keyof TRows]: DefinedPair<TData, TRows[K]> }

type DefinedPair<TData, TRow> = readonly [
  entity: Entity<TRow>,
  locate: Locate<TData>,
  rule?: ListRule<NoInfer<TRow>, OwnerOf<TData, NoInfer<TRow>>> | undefined,
]

/** What holds a list of such rows: the object around it, or all of the data. */
export type OwnerOf<TData, TRow> = [Holder<TData, TRow>] extends [never] ? TData : Holder<TData, TRow>

/** The objects in the data that have a list of such rows, four levels deep. */
type Holder<TData, TRow, TDepth extends 1[] = []> = TDepth['length'] extends 4
  ? never
  : TData extends ReadonlyArray<infer TItem>
    ? Holder<TItem, TRow, [...TDepth, 1]>
    : TData extends object
      ? {
          [K in keyof TData]-?: NonNullable<TData[K]> extends readonly TRow[]
            ? TData
            : Holder<NonNullable<TData[K]>, TRow, [...TDepth, 1]>
        }[keyof TData]
      : never

/** One place that holds rows: a list of them, or a single row. */
export interface RowList {
  readonly entity: Entity
  readonly path: Path
  /** `true`: `rows` is the one row at `path` itself (a detail). */
  readonly single: boolean
  readonly rows: readonly unknown[]
  /** How the server makes the list; `undefined`: only the server knows. */
  readonly rule: ListRule<never, never> | undefined
  /** What holds the list: the nearest object around it, or all of the data. */
  readonly owner: unknown
  /** Lists of one name are one list, in pages. */
  readonly chain: string
}

/** Where the rows of one kind of query are. */
export interface Shape {
  readonly pairs: readonly RowsPair<never>[]
  readonly infinite: boolean
  /** Of data in pages. */
  readonly endsOf?: ((data: unknown) => Ends) | undefined
  /** The same without rules, if it has some: for as long as the server does not keep to them. */
  readonly plain?: Shape
}

/** The two ends of a list. */
export interface Ends {
  readonly start: boolean
  readonly end: boolean
}

/** A query's data with its lists of rows. `index` is made by {@link find}. */
export interface Located {
  readonly data: unknown
  readonly shape: Shape | undefined
  readonly lists: readonly RowList[]
  /** Which ends of a list in pages have more rows, that are not loaded. */
  readonly open: Ends
  index: Index | undefined
}

/** Where rows are. Rows that came or went since it was built have moved the others by as many places at most. */
interface Index {
  /** Per list, by id. */
  readonly lists: ReadonlyArray<ReadonlyMap<string, readonly Place[]>>
  /** How many have come or gone since. */
  readonly drift: number
  /** Those that have, by kind and id. */
  readonly moved: ReadonlyMap<string, readonly Place[]>
}

/** What rows that came or went have made of the places of others. */
export interface Shifts {
  readonly drift: number
  /** Where they are, by kind and id. */
  readonly moved: ReadonlyMap<string, readonly Place[]>
}

/** Beyond so many an index is built anew: each look-up searches as far. */
const DRIFT_MAX = 128

/** The index of the same lists after some of their rows have come or gone. */
export function shifted(index: Located['index'], { drift, moved }: Shifts): Located['index'] {
  if (index === undefined || index.drift + drift > DRIFT_MAX) return undefined
  return { lists: index.lists, drift: index.drift + drift, moved: new Map([...index.moved, ...moved]) }
}

/** A row's place: which list, which position. */
export interface Place {
  readonly list: number
  readonly at: number
}

/** `endsOf`: the data is in pages, and this says whether there are more. */
export function shapeOf(
  rows: RowsOption<never> | undefined,
  infinite: boolean,
  endsOf?: Shape['endsOf'],
): Shape | undefined {
  if (!Array.isArray(rows) || rows.length === 0) return undefined
  const pairs = (Array.isArray(rows[0]) ? rows : [rows]) as readonly RowsPair<never>[]
  const isDeclared = pairs.some(([, , rule]) => rule !== undefined)
  if (!isDeclared) return { pairs, infinite }
  return { pairs, infinite, endsOf, plain: { pairs: pairs.map(([kind, find]) => [kind, find] as const), infinite } }
}

/**
 * Finds the lists of rows in `data`. Costs a call of each `locate`, whatever the number of rows. `open`: of the data that it
 * was made of.
 */
export function locate(data: unknown, shape: Shape | undefined, open?: Ends): Located {
  const lists: RowList[] = []
  if (shape !== undefined && data !== undefined && data !== null) {
    for (const [number, pair] of shape.pairs.entries()) {
      const pages = shape.infinite ? (data as { pages?: unknown[] }).pages : undefined
      const add = (path: Path, rows: readonly unknown[] | undefined): void => {
        const [entity, , rule] = pair as RowsPair<never> & { 0: Entity }
        if (rows === undefined) lists.push({ ...SINGLE, entity, path, rows: [getIn(data, path)] })
        else {
          const chain = `${number} ${(pages === undefined ? path : path.slice(2)).join(' ')}`
          lists.push({ entity, path, single: false, rows, rule, owner: ownerOf(data, path), chain })
        }
      }
      if (pages === undefined) collect(add, pair[1], data, [])
      else for (const [at, page] of pages.entries()) collect(add, pair[1], page, ['pages', at])
    }
  }
  return { data, shape, lists, open: open ?? endsOf(data, shape), index: undefined }
}

/** {@link locate} for data in the place of other data: where each row stands as it stood there, its index is taken over. */
export function locateBeside(before: Located, data: unknown, shape: Shape | undefined): Located {
  const located = locate(data, shape)
  if (located.lists.length === before.lists.length && located.lists.every((list, n) => standsAs(list, before.lists[n])))
    located.index = before.index
  return located
}

function standsAs({ entity, path, rows }: RowList, before: RowList | undefined): boolean {
  if (entity !== before?.entity || rows.length !== before.rows.length || String(path) !== String(before.path))
    return false
  for (let at = 0; at < rows.length; at++) {
    const now = rows[at]
    const then = before.rows[at]
    if (Object.is(now, then)) continue
    if (now === undefined || now === null || then === undefined || then === null) return false
    if (!isSameId(entity.idOf(now), entity.idOf(then))) return false
  }
  return true
}

const CLOSED: Ends = { start: false, end: false }

function endsOf(data: unknown, shape: Shape | undefined): Ends {
  if (shape?.endsOf === undefined || data === undefined) return CLOSED
  try {
    return shape.endsOf(data)
  } catch {
    return CLOSED
  }
}

/** The places of a row, in order. Builds the index of the list on first use: one pass over its rows. */
export function find(located: Located, type: string, id: RowId): readonly Place[] {
  located.index ??= { lists: located.lists.map(indexList), drift: 0, moved: NO_ROWS }
  const { lists, drift, moved } = located.index
  const name = String(id)
  let places = drift === 0 ? undefined : moved.get(rowName(type, id))
  if (places === undefined) {
    for (let list = 0; list < located.lists.length; list++) {
      if (located.lists[list]?.entity.type !== type) continue
      const found = lists[list]?.get(name)
      if (found !== undefined) places = places === undefined ? found : [...places, ...found]
    }
  }
  if (places === undefined) return NOWHERE
  return drift === 0 ? places : places.flatMap((place) => near(located, place, name, drift))
}

/** The row is so many places away at most. */
function near({ lists }: Located, { list, at }: Place, name: string, drift: number): Place | readonly [] {
  const { rows, entity } = lists[list] as RowList
  const isAt = (place: number): boolean => {
    const row = rows[place]
    return row !== undefined && row !== null && String(entity.idOf(row)) === name
  }
  for (let away = 0; away <= drift; away++) {
    if (isAt(at - away)) return { list, at: at - away }
    if (isAt(at + away)) return { list, at: at + away }
  }
  return []
}

export function getIn(data: unknown, path: Path): unknown {
  let value = data
  for (const part of path) value = (value as Record<string | number, unknown> | undefined)?.[part]
  return value
}

/** A copy of `data` with `value` at `path`; what is not on the path is shared. */
export function setIn(data: unknown, path: Path, value: unknown, depth = 0): unknown {
  const part = path[depth]
  if (part === undefined) return value
  const child = setIn((data as Record<string | number, unknown>)[part], path, value, depth + 1)
  const copy = Array.isArray(data) ? [...data] : Object.assign(Object.create(Object.getPrototypeOf(data)), data)
  ;(copy as Record<string | number, unknown>)[part] = child
  return copy
}

const NOWHERE: readonly Place[] = []
const NO_ROWS: ReadonlyMap<string, readonly Place[]> = new Map()

const SINGLE = { single: true, rule: undefined, owner: undefined, chain: '' } as const

/** The nearest object around what is at the path, or all of the data. */
function ownerOf(data: unknown, path: Path): unknown {
  let owner = data
  let value = data
  for (const part of path.slice(0, -1)) {
    value = (value as Record<string | number, unknown>)[part]
    if (!Array.isArray(value)) owner = value
  }
  return owner
}

function indexList(list: RowList, at: number): Map<string, Place[]> {
  const index = new Map<string, Place[]>()
  for (let i = 0; i < list.rows.length; i++) {
    const row = list.rows[i]
    if (row === undefined || row === null) continue
    const id = String(list.entity.idOf(row))
    const place = { list: at, at: i }
    const found = index.get(id)
    if (found === undefined) index.set(id, [place])
    else found.push(place)
  }
  return index
}
