// A small application on one of the three servers: its definitions, its clients, and what their users see.
import type { MutationHandle, SyncClient, SyncClientOptions } from 'tidemark'
import {
  createQueryStore,
  createSyncClient,
  defineMutation,
  entity,
  queryOptions,
  seededRandom,
  syncStream,
} from 'tidemark'
import type { Network, NetworkEvent } from '../../src/platform/network'
import type { Api, ServerKind, TestServer } from './servers'
import type { TestClock, Todo } from './support'
import { testClock, turns } from './support'

function define(api: Api) {
  const todoRow = entity<Todo>('todo')
  const todosQuery = queryOptions({
    queryKey: ['todos'],
    queryFn: ({ fetch }) => api.list(fetch),
    topics: ['todos'],
    rows: [todoRow, (todos) => todos, { where: () => true }],
    retry: false,
  })
  const { queryKey } = todosQuery
  const add = defineMutation({
    mutationKey: ['todos', 'add'],
    mutationFn: (todo: Todo, { fetch }) => api.add(fetch, todo),
    optimistic: (view, todo) => view.insert(queryKey, todoRow, todo),
    apply: (base, saved) => base.upsert(todoRow, saved),
  })
  const change = defineMutation({
    mutationKey: ['todos', 'change'],
    mutationFn: (fields: Partial<Todo> & { id: string }, { fetch }) => api.change(fetch, fields),
    optimistic: (view, { id, ...fields }) => view.row(todoRow, id).update((row) => void Object.assign(row, fields)),
    apply: (base, saved) => base.upsert(todoRow, saved),
  })
  const remove = defineMutation({
    mutationKey: ['todos', 'remove'],
    mutationFn: ({ id }: { id: string }, { fetch }) => api.remove(fetch, id).then(() => null),
    optimistic: (view, { id }) => view.remove(todoRow, id),
  })
  /** The server makes the id, so that doing it twice shows. */
  const note = defineMutation({
    mutationKey: ['todos', 'note'],
    mutationFn: (todo: { title: string }, { fetch }) => api.add(fetch, todo),
    invalidates: () => [queryKey],
  })
  const noteOnce = defineMutation({ ...note, mutationKey: ['todos', 'note-once'], idempotent: false })
  return { todoRow, todosQuery, add, change, remove, note, noteOnce }
}

export interface TestNetwork extends Network {
  emit(event: NetworkEvent): void
}

function testNetwork(): TestNetwork {
  const listeners = new Set<(event: NetworkEvent) => void>()
  let online = true
  return {
    isOnline: () => online,
    isVisible: () => true,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    emit(event) {
      if (event === 'online' || event === 'offline') online = event === 'online'
      for (const listener of [...listeners]) listener(event)
    },
  }
}

/** One user's client, watching the list. */
export interface TestUser {
  sync: SyncClient
  network: TestNetwork
  reports: unknown[]
  /** Titles as shown, one entry for each change that a page would render. */
  frames: string[][]
  shown(): Todo[] | undefined
  refetch(): Promise<unknown>
  stop(): void
}

export interface App extends ReturnType<typeof define> {
  server: TestServer
  clock: TestClock
  user(options?: SyncClientOptions): Promise<TestUser>
  /** Lets turns and, where nothing moves, time pass until it is so. */
  until(condition: () => boolean | Promise<boolean>, what?: string): Promise<void>
  close(): Promise<void>
}

export async function startApp(kind: ServerKind, rows: readonly Todo[]): Promise<App> {
  const clock = testClock()
  const server = await kind.start(rows, clock)
  const defined = define(server.api)
  const users: TestUser[] = []

  async function until(condition: () => boolean | Promise<boolean>, what = String(condition)): Promise<void> {
    for (let round = 0; round < 500; round++) {
      if (await condition()) return
      await turns(2)
      if (await condition()) return
      await clock.advance(round < 20 ? 100 : 2_000)
    }
    throw new Error(`it never was so: ${what}`)
  }

  return {
    ...defined,
    server,
    clock,
    until,
    async user(options = {}) {
      const { add, change, remove, note, noteOnce, todosQuery } = defined
      const network = testNetwork()
      const reports: unknown[] = []
      const sync = createSyncClient({
        mutations: [add, change, remove, note, noteOnce],
        stream: server.stream && syncStream(server.stream),
        onReport: (report) => reports.push(report),
        ...options,
        platform: { clock, network, fetch: server.fetch, random: seededRandom(users.length + 1), development: true },
      })
      const stop = sync.start()
      const store = createQueryStore(sync, todosQuery)
      const frames: string[][] = []
      const unsubscribe = store.subscribe(({ data }) => {
        if (data !== undefined) frames.push(data.map(({ title }) => title))
      })
      const user: TestUser = {
        sync,
        network,
        reports,
        frames,
        shown: () => store.getState().data,
        refetch: () => sync.queryClient.refetchQueries({ queryKey: todosQuery.queryKey }),
        stop() {
          unsubscribe()
          stop()
        },
      }
      users.push(user)
      const isLive = () => server.stream === false || sync.status.getState().stream === 'open'
      await until(() => user.shown() !== undefined && isLive(), 'the client is connected and has data')
      return user
    },
    async close() {
      for (const user of users) user.stop()
      await server.close()
    },
  }
}

/** Nothing is pending any more. */
export function isSettled({ sync }: TestUser): boolean {
  return sync.outbox.getState().entries.length === 0
}

/** Observed, so that a rejection which a test does not wait for is nobody's fault. */
export function quietly<T>(handle: MutationHandle<T>): MutationHandle<T> {
  for (const promise of [handle.durable, handle.confirmed, handle.reflected]) promise.catch(() => {})
  return handle
}
