/** Tables as queries and mutations of the sync kit. Every write is told as the row's change, to the topic of its table. */

import type { SyncHandlerOptions } from '../server/options'
import { conflict, refuse, reject } from '../server/problem'
import type { StateRecord } from '../server/store'
import type { ReadTransaction, WriteTransaction } from '../server/transaction'
import { validate } from '../server/validate'
import { isPlainObject } from '../src/base/key'
import type { RowId } from '../src/base/messages'
import type { ResolvedTable } from './options'

type Queries = NonNullable<SyncHandlerOptions['queries']>
type Mutations = NonNullable<SyncHandlerOptions['mutations']>

/** Writes a row, new or not, and tells it. */
export function putRow(tx: WriteTransaction, { type, name }: ResolvedTable, id: RowId, row: object): Promise<object> {
  return tx.put(type, id, row, { topics: [name] })
}

/** Deletes a row and tells it; `false`: there was none. */
export function deleteRow(tx: WriteTransaction, { type, name }: ResolvedTable, id: RowId): Promise<boolean> {
  return tx.del(type, id, { topics: [name] })
}

/** A row by the id that stands in a path, where a number is text. */
export async function findRow(
  tx: ReadTransaction,
  table: ResolvedTable,
  given: RowId,
): Promise<StateRecord<object> | undefined> {
  const found = await tx.get<object>(table.type, given)
  if (found !== undefined || typeof given === 'number' || !/^-?\d{1,15}$/.test(given)) return found
  return tx.get<object>(table.type, Number(given))
}

/** The queries `<table>` and `<table>/one` of each table. */
export function tableQueries(tables: Iterable<ResolvedTable>): Queries {
  const queries: Queries = {}
  for (const table of tables) {
    queries[table.name] = async (tx, params) => {
      const rows = await tx.rows<object>(table.type)
      return rows.filter((row) => isLike(row, params))
    }
    queries[`${table.name}/one`] = async (tx, params) => {
      const { id } = fieldsOf(params)
      return (await findRow(tx, table, id as RowId))?.value ?? missing(table, id)
    }
  }
  return queries
}

/** The mutations `<table>/create`, `/replace`, `/update` and `/delete` of each table. */
export function tableMutations(tables: Iterable<ResolvedTable>): Mutations {
  const mutations: Mutations = {}
  for (const table of tables) {
    mutations[`${table.name}/create`] = (tx, row) => create(tx, table, row)
    mutations[`${table.name}/replace`] = async (tx, variables) => {
      const { id, row } = fieldsOf(variables)
      return replace(tx, table, id as RowId, row)
    }
    mutations[`${table.name}/update`] = async (tx, variables) => {
      const { id, fields } = fieldsOf(variables)
      const before = (await findRow(tx, table, id as RowId))?.value ?? missing(table, id)
      return replace(tx, table, id as RowId, { ...before, ...fieldsOf(fields) })
    }
    mutations[`${table.name}/delete`] = async (tx, variables) => {
      const { id } = fieldsOf(variables)
      const before = (await findRow(tx, table, id as RowId)) ?? missing(table, id)
      await tx.expect(table.type, before.id)
      await deleteRow(tx, table, before.id)
      return before.value
    }
  }
  return mutations
}

async function create(tx: WriteTransaction, table: ResolvedTable, given: unknown): Promise<object> {
  const fields = fieldsOf(given)
  const named = table.idOf(fields) === undefined ? { ...fields, id: await newId(tx, table) } : fields
  const row = fieldsOf(await validate(table.check, named))
  const id = table.idOf(row) ?? noId(table)
  const before = await tx.get(table.type, id)
  if (before !== undefined) throw conflict(before, `${table.name} has a row ${JSON.stringify(id)} already`)
  return putRow(tx, table, id, row)
}

async function replace(tx: WriteTransaction, table: ResolvedTable, given: RowId, value: unknown): Promise<object> {
  const before = await findRow(tx, table, given)
  const fields = fieldsOf(value)
  const named = table.idOf(fields) === undefined ? { ...fields, id: before?.id ?? given } : fields
  const row = fieldsOf(await validate(table.check, named))
  const id = table.idOf(row) ?? noId(table)
  if (String(id) !== String(given)) throw reject({ detail: `a row cannot change its id: ${JSON.stringify(id)}` })
  if (before !== undefined) await tx.expect(table.type, before.id)
  return putRow(tx, table, before?.id ?? id, row)
}

/** One past the largest number, or the first free `<table>-<n>`. */
async function newId(tx: ReadTransaction, table: ResolvedTable): Promise<RowId> {
  const ids = (await tx.list(table.type)).map(({ id }) => id)
  if (ids.length > 0 && ids.every((id) => typeof id === 'number')) return Math.max(...ids) + 1
  const taken = new Set(ids)
  for (let n = ids.length + 1; ; n++) if (!taken.has(`${table.name}-${n}`)) return `${table.name}-${n}`
}

/** Search parameters that name fields choose rows: `?done=true&listId=7`. */
function isLike(row: object, params: unknown): boolean {
  const fields = row as Record<string, unknown>
  return Object.entries(isPlainObject(params) ? params : {}).every(([name, wanted]) => {
    if (!Object.hasOwn(fields, name)) return true
    const allowed: unknown[] = Array.isArray(wanted) ? wanted : [wanted]
    return allowed.some((value) => String(value) === String(fields[name]))
  })
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (isPlainObject(value)) return value
  throw refuse('malformed', 'the body must be a JSON object')
}

function missing(table: ResolvedTable, id: unknown): never {
  throw reject({ type: 'not-found', status: 404, detail: `${table.name} has no row ${JSON.stringify(id)}` })
}

function noId(table: ResolvedTable): never {
  throw reject({ detail: `a row of ${table.name} needs an id` })
}
