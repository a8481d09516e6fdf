/** The mock server's tables, to seed and to inspect. What is written here goes out to the clients as on a real server. */
import { usageError } from '../src/base/errors'
import type { RowId } from '../src/base/messages'
import type { Core } from './core'
import type { ResolvedTable, Rows } from './options'
import { deleteRow, findRow, putRow } from './tables'

/** One table of the mock server. */
export interface MockRows<TRow extends object> {
  /** All rows, oldest first. */
  all(): Promise<TRow[]>
  get(id: RowId): Promise<TRow | undefined>
  /** How often the row was written: what `If-Match: "v<version>"` is held against. */
  version(id: RowId): Promise<number | undefined>
  /** Adds a row, or replaces the one with its id; the clients are told. */
  put(row: TRow): Promise<TRow>
  /** Changes fields of a row; the clients are told. Rejects if there is none. */
  update(id: RowId, fields: Partial<TRow>): Promise<TRow>
  /** `false`: there was none. The clients are told. */
  delete(id: RowId): Promise<boolean>
  /** Replaces all rows and tells nobody: as if it had always been so. */
  seed(rows: readonly TRow[]): Promise<void>
}

/** The tables by their names. */
export type MockDatabase<TRows extends Rows> = { readonly [TName in keyof TRows]: MockRows<TRows[TName]> }

/** `core` is asked at each call: a reset makes a new one. */
export function createDatabase<TRows extends Rows>(
  tables: ReadonlyMap<string, ResolvedTable>,
  core: () => Core,
): MockDatabase<TRows> {
  const rows = [...tables.values()].map((table) => [table.name, createRows(table, core)] as const)
  return Object.fromEntries(rows) as unknown as MockDatabase<TRows>
}

function createRows(table: ResolvedTable, core: () => Core): MockRows<object> {
  const find = async (id: RowId) => (await core().read((tx) => findRow(tx, table, id))).value
  return {
    all: async () => (await core().read((tx) => tx.rows<object>(table.type))).value,
    get: async (id) => (await find(id))?.value,
    version: async (id) => (await find(id))?.version,
    async put(row) {
      const id = table.idOf(row)
      if (id === undefined) throw usageError(`A row of "${table.name}" needs an id.`)
      return (await core().write((tx) => putRow(tx, table, id, row))).value
    },
    async update(id, fields) {
      const written = await core().write(async (tx) => {
        const before = await findRow(tx, table, id)
        if (before === undefined) throw usageError(`"${table.name}" has no row ${JSON.stringify(id)} to update.`)
        return putRow(tx, table, before.id, { ...before.value, ...fields })
      })
      return written.value
    },
    delete: async (id) => (await core().write((tx) => deleteRow(tx, table, id))).value,
    seed: (seeded) => core().seed(table, seeded),
  }
}
