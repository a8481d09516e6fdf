/** What a mock server is told, and its defaults. Nothing past `resolveOptions` writes a default of its own. */

import type { ServerClock } from '../server/clock'
import { systemServerClock } from '../server/clock'
import type { Principal, StandardSchema, Validator } from '../server/functions'
import type { Limits, StreamTimes, SyncHandlerOptions } from '../server/options'
import { didYouMean, usageError } from '../src/base/errors'
import type { RowId } from '../src/base/messages'

/** Names of tables and the type of their rows. Inferred from `tables`. */
export type Rows = Record<string, object>

/** A table: its rows, and how they are called on the wire. */
export interface MockTable<TRow extends object = object> {
  /** What is in it at first, and again after `reset()`. */
  rows: readonly TRow[]
  /** @defaultValue `(row) => row.id` */
  id?: ((row: TRow) => RowId) | undefined
  /** The client's `entity(…)`, or its type: how pushed rows are addressed. @defaultValue the table's name */
  entity?: string | { readonly type: string } | undefined
  /**
   * Checks and converts what is to be written: a Standard Schema (zod, valibot, arktype) or a function that returns the
   * row, or throws. What it throws is answered as 422; `reject({ … })` says more.
   */
  check?: StandardSchema<TRow> | ((row: TRow) => TRow | Promise<TRow>) | undefined
}

/** The tables, mutations and queries of a mock server, and how it behaves. */
export interface MockServerOptions<TRows extends Rows = Rows> {
  /**
   * Served at `GET` and `POST <apiPath>/<table>`, `GET`, `PUT`, `PATCH` and `DELETE <apiPath>/<table>/<id>`, and as the
   * queries `<table>` and `<table>/one`, the mutations `<table>/create`, `/replace`, `/update` and `/delete`.
   */
  tables?: { readonly [TName in keyof TRows]: MockTable<TRows[TName]> } | undefined
  /** The sync kit's named queries, as `createSyncHandler` takes them. */
  queries?: SyncHandlerOptions['queries']
  /** The sync kit's named mutations, as `createSyncHandler` takes them. */
  mutations?: SyncHandlerOptions['mutations']
  /** `false`: there is none (404). An object sets its times, in milliseconds. @defaultValue the sync kit's own */
  stream?: false | Partial<StreamTimes> | undefined
  /**
   * `true`: a REST server that knows nothing of Tidemark. It has the tables' routes and nothing else: no stream, no
   * cursors, no idempotency keys, no versions. @defaultValue `false`
   */
  plain?: boolean | undefined
  /** @defaultValue '/api' */
  apiPath?: string | undefined
  /**
   * The sync kit's path: `<syncPath>/queries/<name>`, `<syncPath>/mutations/<name>`, and the stream at both `<syncPath>`
   * and `<syncPath>/stream`. @defaultValue `<apiPath>/sync`
   */
  syncPath?: string | undefined
  /** Where it is, for MSW and for relative addresses in `server.fetch`. @defaultValue everywhere */
  origin?: string | undefined
  /** Who is asking; `null`: 401. @defaultValue everybody is `{ id: 'anonymous' }` */
  authenticate?: ((request: Request) => Principal | null | Promise<Principal | null>) | undefined
  /** Which of the topics a principal may hear. @defaultValue all */
  authorize?: ((principal: Principal, topics: string[]) => string[] | Promise<string[]>) | undefined
  limits?: Partial<Limits> | undefined
  /** Of everything random: latencies, jitter, epochs. @defaultValue 1 */
  seed?: number | undefined
  /** Time, for tests that do not wait. @defaultValue the platform's own */
  clock?: ServerClock | undefined
  /** Where failures of your own queries and mutations go. @defaultValue `console.error` */
  onError?: ((error: unknown, where: string) => void) | undefined
}

export interface ResolvedTable {
  name: string
  type: string
  rows: readonly object[]
  idOf: (row: object) => RowId | undefined
  check: Validator | undefined
}

export interface ResolvedOptions {
  tables: ReadonlyMap<string, ResolvedTable>
  queries: NonNullable<SyncHandlerOptions['queries']>
  mutations: NonNullable<SyncHandlerOptions['mutations']>
  stream: false | Partial<StreamTimes>
  plain: boolean
  apiPath: string
  syncPath: string
  origin: string | undefined
  authenticate: MockServerOptions['authenticate']
  authorize: MockServerOptions['authorize']
  limits: Partial<Limits>
  seed: number
  clock: ServerClock
  onError: (error: unknown, where: string) => void
}

const NAMES: Record<keyof MockServerOptions, true> = {
  tables: true,
  queries: true,
  mutations: true,
  stream: true,
  plain: true,
  apiPath: true,
  syncPath: true,
  origin: true,
  authenticate: true,
  authorize: true,
  limits: true,
  seed: true,
  clock: true,
  onError: true,
}

/** Checks the options and fills in what is not given. Throws a `usage` error for what it does not know. */
export function resolveOptions<TRows extends Rows>(options: MockServerOptions<TRows>): ResolvedOptions {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(NAMES, name))
      throw usageError(`createMockServer has no option "${name}"${didYouMean(name, Object.keys(NAMES))}`)
  }
  const { plain = false, queries = {}, mutations = {}, stream } = options
  if (plain && (options.queries ?? options.mutations ?? (stream || undefined)) !== undefined) {
    throw usageError('A plain mock server has tables only; leave out "queries", "mutations" and "stream".')
  }
  const apiPath = pathOf(options.apiPath ?? '/api', 'apiPath')
  return {
    tables: resolveTables(options.tables as Record<string, MockTable> | undefined),
    queries,
    mutations,
    stream: plain ? false : (stream ?? {}),
    plain,
    apiPath,
    syncPath: pathOf(options.syncPath ?? `${apiPath}/sync`, 'syncPath'),
    origin: options.origin === undefined ? undefined : new URL(options.origin).origin,
    authenticate: options.authenticate,
    authorize: options.authorize,
    limits: options.limits ?? {},
    seed: options.seed ?? 1,
    clock: options.clock ?? systemServerClock(),
    onError: options.onError ?? ((error, where) => console.error(`tidemark/mocks: ${where}`, error)),
  }
}

function resolveTables(tables: Record<string, MockTable> | undefined): ReadonlyMap<string, ResolvedTable> {
  const resolved = new Map<string, ResolvedTable>()
  for (const [name, table] of Object.entries(tables ?? {})) {
    if (!/^[A-Za-z0-9_-]+$/.test(name)) throw usageError(`The table "${name}" cannot stand in a path; rename it.`)
    if (!Array.isArray(table?.rows)) throw usageError(`The table "${name}" needs "rows"; pass [] for none.`)
    const { entity } = table
    resolved.set(name, {
      name,
      type: typeof entity === 'string' ? entity : (entity?.type ?? name),
      rows: table.rows,
      idOf: table.id ?? ((row) => (row as { id?: RowId }).id),
      check: table.check as Validator | undefined, // it is given objects only
    })
  }
  return resolved
}

function pathOf(path: string, option: string): string {
  if (path !== '' && !path.startsWith('/')) throw usageError(`"${option}" must begin with "/": "${path}"`)
  return path.replace(/\/+$/, '')
}
