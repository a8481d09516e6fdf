// Three servers behind one interface: the mock, the sync kit on SQLite over real HTTP, and a plain REST server. Each
// stands behind the mock server's network, so that the same things can go wrong on the way to it.
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MockFaults, MockRequest } from 'tidemark/mocks'
import { createMockServer, reject } from 'tidemark/mocks'
import type { SyncHandlerOptions, WriteTransaction } from 'tidemark/server'
import { createSyncHandler, sqliteStore, toNodeListener } from 'tidemark/server'
import { createRules } from '../../mocks/faults'
import { makeFaults } from '../../mocks/make-faults'
import { createNetwork } from '../../mocks/network'
import { resolveOptions } from '../../mocks/options'
import { seeded } from '../../mocks/random'
import type { Sent } from '../../mocks/routes'
import { routeOf } from '../../mocks/routes'
import type { TestClock, Todo } from './support'

type ClientFetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

/** How an application talks to one kind of server. */
export interface Api {
  list(fetch: ClientFetch): Promise<Todo[]>
  add(fetch: ClientFetch, todo: Omit<Todo, 'id'> & { id?: string }): Promise<Todo>
  change(fetch: ClientFetch, change: Partial<Todo> & { id: string }): Promise<Todo>
  remove(fetch: ClientFetch, id: string): Promise<unknown>
}

export interface TestServer {
  api: Api
  fetch: (input: string, init?: RequestInit) => Promise<Response>
  faults: MockFaults
  log: readonly MockRequest[]
  stream: { url: string; topics?: string[] } | false
  /** What the server knows. */
  rows(): Promise<Todo[]>
  /** Another writer than the clients. */
  put(todo: Todo): Promise<unknown>
  close(): Promise<void> | void
}

export interface ServerKind {
  name: string
  /** Sends a repeated mutation's answer again instead of doing it again. */
  idempotent: boolean
  start(rows: readonly Todo[], clock: TestClock): Promise<TestServer>
}

/** Rows are refused without a title. */
function check(row: unknown): Todo {
  if ((row as Todo).title === '') throw reject('a todo needs a title')
  return row as Todo
}

const post = (body: unknown): RequestInit => ({ method: 'POST', body: JSON.stringify(body) })
const json = async <T>(answer: Promise<Response>): Promise<T> => (await answer).json() as Promise<T>

const restApi: Api = {
  list: (fetch) => json(fetch('/api/todos')),
  add: (fetch, todo) => json(fetch('/api/todos', post(todo))),
  change: (fetch, { id, ...fields }) =>
    json(fetch(`/api/todos/${id}`, { method: 'PATCH', body: JSON.stringify(fields) })),
  remove: (fetch, id) => fetch(`/api/todos/${id}`, { method: 'DELETE' }),
}

const kitApi: Api = {
  list: (fetch) => json(fetch('/api/sync/queries/todos')),
  add: (fetch, todo) => json(fetch('/api/sync/mutations/todos/add', post(todo))),
  change: (fetch, change) => json(fetch('/api/sync/mutations/todos/change', post(change))),
  remove: (fetch, id) => fetch('/api/sync/mutations/todos/remove', post({ id })),
}

function mock(plain: boolean): ServerKind['start'] {
  return async (rows, clock) => {
    const server = createMockServer({ tables: { todos: { rows, entity: 'todo', check } }, plain, clock })
    return {
      api: restApi,
      fetch: server.fetch,
      faults: server.faults,
      log: server.log,
      stream: plain ? false : { url: '/api/sync' },
      rows: server.database.todos.all,
      put: server.database.todos.put,
      close: server.close,
    }
  }
}

const topics = { topics: ['todos'] }
const mutations: SyncHandlerOptions['mutations'] = {
  'todos/add': (tx, todo: Todo) => {
    const row = { ...check(todo), id: todo.id ?? crypto.randomUUID() }
    return tx.put('todo', row.id, row, topics)
  },
  'todos/change': (tx, { id, ...fields }: Todo) => tx.merge('todo', id, check(fields), topics),
  'todos/remove': (tx: WriteTransaction, { id }: Todo) => tx.del('todo', id, topics),
}

/** The sync kit as it is deployed: SQLite in a file, Node's HTTP server, a socket. */
async function kit(rows: readonly Todo[], clock: TestClock): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-mocks-'))
  const store = sqliteStore(join(folder, 'app.db'), { synchronous: 'NORMAL' })
  const queries = { todos: (tx: { rows(type: string): Promise<unknown[]> }) => tx.rows('todo') }
  const handler = createSyncHandler({ store, queries, mutations, basePath: '/api/sync' })
  await handler.write(async (tx) => {
    for (const row of rows) await tx.put('todo', row.id, row, topics)
  })
  const http = createServer(toNodeListener(handler))
  const origin = await listening(http)
  const options = resolveOptions({ mutations, queries: {} })
  const network = createNetwork({
    rules: createRules(new Set(Object.keys(mutations ?? {}))),
    clock,
    random: seeded(1),
    routeOf: (method, path) => routeOf(method, path, options),
    serve: (sent) => forward(origin, sent),
    currentOf: async () => undefined,
  })
  return {
    api: kitApi,
    fetch: (input, init) => network.send(new Request(new URL(input, origin), init)),
    faults: makeFaults(network, () => {}),
    log: network.log,
    stream: { url: '/api/sync/stream', topics: ['todos'] },
    rows: async () => (await handler.read((tx) => tx.rows<Todo>('todo'))).value,
    put: (todo) => handler.write((tx) => tx.put('todo', todo.id, todo, topics)),
    async close() {
      network.reset()
      await handler.close({ timeout: 1_000 })
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function listening(http: Server): Promise<string> {
  return new Promise((resolve) => {
    http.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(http.address() as AddressInfo).port}`))
  })
}

function forward(origin: string, { method, url, headers, body, signal }: Sent): Promise<Response> {
  const init: RequestInit = { method, headers, ...(body === undefined ? {} : { body }) }
  return fetch(new URL(url.pathname + url.search, origin), signal === undefined ? init : { ...init, signal })
}

export const SERVERS: readonly ServerKind[] = [
  { name: 'the mock', idempotent: true, start: mock(false) },
  { name: 'the kit on SQLite', idempotent: true, start: kit },
  { name: 'a plain REST server', idempotent: false, start: mock(true) },
]
