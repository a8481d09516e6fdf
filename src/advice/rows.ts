/** Why a change of a row is shown nowhere: what `rows` of the cached queries find. Reads records, and changes nothing. */
import { sentence } from '../base/errors'
import { canonical } from '../base/key'
import { messageOf } from '../base/kinds'
import type { Entity, Locate, RowsPair } from '../data/entities'
import { isOfRow } from '../data/verbs'
import type { Layer } from '../evidence/evidence'
import type { Cell } from '../queries/cell'
import type { Core } from '../queries/core'
import { isAlike } from './alike'

/** What is wrong with the rows that a query's data is said to have; `undefined` if they have ids. */
export function faultOfRows(cell: Cell): string | undefined {
  const thrown = thrownIn(cell)
  if (thrown !== undefined) return thrown
  for (const { entity, single, rows } of cell.baseLocated.lists) {
    const row = rows[0]
    if (row === undefined || row === null || idOf(entity, row) !== undefined) continue
    const query = `Query ${canonical(cell.query.queryKey)}`
    const fields = fieldsOf(row)
    if (single) {
      const list = Object.entries(row).find(([, value]) => Array.isArray(value))?.[0]
      const hint = list === undefined ? 'return the list, or the row' : `return the list, (data) => data.${list}`
      return `${query} has no "${entity.type}" where its "rows" look: "locate" returned an object ${fields} and no id; ${hint}.`
    }
    return `${query} has rows of "${entity.type}" without an id, they are objects ${fields}: say entity('${entity.type}', { id: (row) => … }).`
  }
  return undefined
}

/** Whether some cached query has a place for what the layer changes, or may have one when it is loaded. */
export function isPlaced(core: Core, layer: Layer): boolean {
  return [...core.touchedBy(layer)].some(
    ([{ base, baseLocated }, { ops }]) => base === undefined || baseLocated.lists.length > 0 || !ops.every(isOfRow),
  )
}

/** Why nothing of a layer is shown; `undefined` where {@link faultOfRows} says it. */
export function whyNothing(core: Core, layer: Layer): string | undefined {
  const start = `Mutation ${canonical(layer.mutationKey)} touches no query that is cached: `
  const cells = [...core.cells.values()]
  for (const op of layer.ops) {
    if (op.hash !== undefined) {
      const named = cells.find(({ query }) => query.queryHash === op.hash)
      if (named !== undefined && isOfRow(op)) return noPlace(layer, named, op.entity.type)
      const meant = cells.find(({ query }) => isAlike(query.queryHash, op.hash ?? ''))?.query.queryHash
      if (meant !== undefined) return `${start}nothing is under the key ${op.hash}; did you mean ${meant}?`
    } else if (isOfRow(op)) {
      const { type } = op.entity
      const declaring = cells.filter(({ shape }) => shape?.pairs.some(([kind]) => kind.type === type))
      if (declaring.some((cell) => faultOfRows(cell) !== undefined)) return undefined
      const empty = declaring.map((cell) => nothingFound(cell, type)).find((fault) => fault !== undefined)
      if (empty !== undefined) return `${start}${empty}`
      const others = [...new Set(cells.flatMap(({ shape }) => shape?.pairs.map(([kind]) => kind.type) ?? []))]
      if (declaring.length === 0 && others.length > 0)
        return `${start}none has "rows" of "${type}", they have those of ${others.map((name) => `"${name}"`).join(', ')}.`
    }
  }
  return `${start}nothing of it is shown before one of its queries is fetched.`
}

/** The query is there, and has no list that the row could be put into. */
function noPlace(layer: Layer, cell: Cell, type: string): string {
  const start = `Mutation ${canonical(layer.mutationKey)} puts a row of "${type}" into query ${canonical(cell.query.queryKey)}, where it is shown nowhere: `
  const fault = nothingFound(cell, type)
  return `${start}${fault ?? `the query does not say where its rows are; give it rows: [${type}Row, (data) => data].`}`
}

/** Data is there, and `locate` found no place for rows in it. */
function nothingFound({ base, baseLocated, shape, query }: Cell, type: string): string | undefined {
  const pair = shape?.pairs.find(([kind]) => kind.type === type)
  if (base === undefined || pair === undefined || baseLocated.lists.some((list) => list.entity.type === type))
    return undefined
  return `"locate" of query ${canonical(query.queryKey)} returned ${resultOf(pair, base.data, shape?.infinite)}, where the list of "${type}" or one row is meant.`
}

function resultOf([, locate]: RowsPair<never>, data: unknown, isInfinite: boolean | undefined): string {
  try {
    const result = found(locate, data, isInfinite)
    return Array.isArray(result)
      ? 'a list without rows of the data'
      : result === null
        ? 'null'
        : `a value of type ${typeof result}`
  } catch {
    return 'nothing, because it threw'
  }
}

/** A `locate` that finds nothing because it throws; its error is not seen otherwise. */
function thrownIn({ base, baseLocated, query, shape }: Cell): string | undefined {
  if (base === undefined || base.data === null) return undefined
  for (const [{ type }, locate] of shape?.pairs ?? []) {
    if (typeof locate !== 'function' || baseLocated.lists.some((list) => list.entity.type === type)) continue
    try {
      found(locate, base.data, shape?.infinite)
    } catch (cause) {
      return sentence(
        `"locate" of query ${canonical(query.queryKey)} threw over its data, so no change of a "${type}" is shown in it: ${messageOf(cause)}`,
      )
    }
  }
  return undefined
}

function found(locate: Locate<never>, data: unknown, isInfinite: boolean | undefined): unknown {
  const pages = isInfinite === true ? (data as { pages?: unknown[] }).pages : undefined
  return locate((pages === undefined ? data : pages[0]) as never)
}

function idOf(entity: Entity, row: unknown): unknown {
  try {
    return entity.idOf(row) ?? undefined
  } catch {
    return undefined
  }
}

function fieldsOf(row: unknown): string {
  const names = typeof row === 'object' ? Object.keys(row ?? {}) : []
  return names.length === 0 ? 'without fields' : `with the fields ${names.slice(0, 5).join(', ')}`
}
