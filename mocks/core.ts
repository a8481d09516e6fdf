/** The sync kit over a store in memory, and the way in: what the mock server does with a request that has arrived. */

import type { SyncBus } from '../server/bus'
import { processBus } from '../server/bus'
import type { SyncHandler } from '../server/handler'
import { createSyncHandler } from '../server/handler'
import { refuse } from '../server/problem'
import type { StateStore } from '../server/store'
import type { MemoryStore } from '../server/stores/memory'
import { memoryStore } from '../server/stores/memory'
import type { Cursor } from '../src/base/cursor'
import type { InvalidateMessage } from '../src/base/messages'
import type { ResolvedOptions, ResolvedTable } from './options'
import { plainAnswer, plainHeaders } from './plain'
import type { Route, Sent } from './routes'
import { EVERYTHING, toKit } from './routes'
import { findRow, tableMutations, tableQueries } from './tables'

/** What {@link Core.invalidate} tells; at least one of `keys`, `topics` and `entities`. */
export type Stale = Pick<InvalidateMessage, 'keys' | 'exact' | 'topics' | 'entities' | 'spread'>

/** One server, from its first row to a reset. */
export interface Core {
  serve(sent: Sent, route: Route): Promise<Response>
  /** The row that a path names, with its version. */
  currentOf(route: Route): Promise<{ version: number; value: unknown } | undefined>
  invalidate(what: Stale, to: readonly string[] | undefined): Promise<Cursor>
  /** As `createSyncHandler`'s, once the tables have their rows. */
  readonly read: SyncHandler['read']
  readonly write: SyncHandler['write']
  /** Replaces a table's rows, and tells nobody. */
  seed(table: ResolvedTable, rows: readonly object[]): Promise<void>
  /** Begins a new log, as after a restore: every cursor is of another epoch. */
  changeEpoch(): void
  close(): void
}

/** `random`: of jitter and epochs. */
export function createCore(options: ResolvedOptions, random: () => number): Core {
  const { clock, tables, plain } = options
  const bus: SyncBus = processBus()
  const epoch = () => `mock-${Math.floor(random() * 2 ** 32).toString(36)}`
  const store: MemoryStore = memoryStore({ now: clock.now, epoch: epoch() })
  const handler = createHandler(options, store, bus, random)
  let keys = 0
  const newKey = () => `mock-key-${++keys}`

  async function seed(table: ResolvedTable, rows: readonly object[]): Promise<void> {
    await store.transaction(async (tx) => {
      for (const { id } of await tx.list(table.type)) await tx.delete(table.type, id)
      for (const row of rows) await tx.set(table.type, table.idOf(row) ?? '', row)
    })
  }
  const ready = Promise.all([...tables.values()].map((table) => seed(table, table.rows)))

  async function serve(sent: Sent, route: Route): Promise<Response> {
    await ready
    if (route.kind === 'other') return nothingHere(sent, options)
    const headers = plain ? plainHeaders(sent.headers) : sent.headers
    const answer = await handler(toKit({ ...sent, headers }, route, options, newKey))
    const isNew = route.table !== undefined && route.name.endsWith('/create') && answer.status === 200
    const shown = isNew ? new Response(answer.body, { status: 201, headers: answer.headers }) : answer
    return plain ? plainAnswer(shown) : shown
  }

  return {
    serve,
    read: async (run) => {
      await ready
      return handler.read(run)
    },
    write: async (run) => {
      await ready
      return handler.write(run)
    },
    seed: async (table, rows) => {
      await ready
      await seed(table, rows)
    },
    async currentOf({ table, rowId }) {
      await ready
      if (table === undefined || rowId === undefined) return undefined
      const { value: found } = await handler.read((tx) => findRow(tx, table, rowId))
      return found && { version: found.version, value: found.value }
    },
    async invalidate({ topics, ...rest }, to) {
      await ready
      const heard = to === undefined ? {} : { to: [...to] }
      // Topics apart from the rest: of several the kit names those only that a reader asked for.
      const { cursor } = await handler.write((tx) => {
        if (topics !== undefined) tx.invalidate({ topics, ...heard })
        if (rest.keys !== undefined || rest.entities !== undefined) tx.invalidate({ ...rest, ...heard })
      })
      return cursor
    },
    changeEpoch() {
      store.rotateEpoch(epoch())
      bus.publish({ kind: 'log' })
    },
    close: () => void handler.close({ timeout: 0, spread: 0 }).then(() => store.close()),
  }
}

function createHandler(options: ResolvedOptions, store: StateStore, bus: SyncBus, random: () => number): SyncHandler {
  const { tables, queries, mutations, syncPath, stream, authenticate, authorize, limits, clock, onError } = options
  const byType = new Map([...tables.values()].map(({ type, name }) => [type, name]))
  return createSyncHandler({
    store,
    bus,
    random,
    clock,
    onError,
    limits,
    queries: { ...tableQueries(tables.values()), ...queries },
    mutations: { ...tableMutations(tables.values()), ...mutations },
    basePath: syncPath,
    topics: ({ type }) => [byType.get(type) ?? type],
    stream: stream === false ? {} : stream,
    authenticate,
    authorize: authorize && allowing(authorize),
  })
}

/** Who may hear everything is not asked for each topic. */
function allowing(authorize: NonNullable<ResolvedOptions['authorize']>): typeof authorize {
  return async (principal, topics) => {
    const named = topics.filter((topic) => topic !== EVERYTHING)
    const allowed = named.length > 0 ? await authorize(principal, named) : []
    return named.length < topics.length ? [...allowed, EVERYTHING] : allowed
  }
}

function nothingHere({ method, url }: Sent, { apiPath, tables }: ResolvedOptions): Response {
  const names = [...tables.keys()].map((name) => `${apiPath}/${name}`).join(', ') || 'no tables'
  const { problem } = refuse('not-found', `the mock server has no ${method} ${url.pathname}; it serves ${names}`)
  return new Response(JSON.stringify(problem), {
    status: 404,
    headers: { 'Content-Type': 'application/problem+json' },
  })
}
