// A client is made at a module's top level, in a render, in a build: making it, and rendering its provider for the first
// time, asks nothing of the surroundings. Next refuses to prerender what reads the clock or chance.
import { QueryClientProvider as TanStackProvider, useQuery as useTanStackQuery } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import type { PlatformSeams, SyncClientOptions } from 'tidemark'
import {
  createEventStream,
  createQueryStore,
  createSyncClient,
  defineMutation,
  entity,
  hydrate,
  memoryStorage,
  QueryClient,
  queryOptions,
  seededRandom,
  syncStorage,
  syncStream,
} from 'tidemark'
import {
  QueryClientProvider,
  SyncProvider,
  useMutation,
  useOutbox,
  usePending,
  useQuery,
  useSyncAction,
  useSyncStatus,
} from 'tidemark/react'
import { syncPlugin } from 'tidemark/vue'
import { describe, expect, test } from 'vitest'
import { createSSRApp, h } from 'vue'
import { usesOf } from './impure'

const todoRow = entity<{ id: string }>('todo')
const todos = queryOptions({
  queryKey: ['todos'],
  queryFn: async (): Promise<{ id: string }[]> => [],
  rows: [todoRow, (rows) => rows, { where: () => true }],
})
const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: async () => null,
  optimistic: (view) => view.insert(todos.queryKey, todoRow, { id: '1' }),
})

function refuse(name: string): never {
  throw new Error(`${name} was asked.`)
}

/** Seams that nobody may touch: what is handed in is as good as the platform's own. */
const seams: PlatformSeams = {
  clock: { now: () => refuse('now'), after: () => refuse('after'), soon: () => refuse('soon') },
  random: { next: () => refuse('next'), id: () => refuse('id') },
  network: {
    isOnline: () => refuse('isOnline'),
    isVisible: () => refuse('isVisible'),
    subscribe: () => refuse('subscribe'),
    guardUnload: () => refuse('guardUnload'),
  },
  fetch: () => refuse('fetch'),
  development: true,
  console: { warn: () => refuse('warn') },
}

const refusingStorage: SyncClientOptions['storage'] = syncStorage({
  durable: true,
  get: () => refuse('get'),
  list: () => refuse('list'),
  write: () => refuse('write'),
  clear: () => refuse('clear'),
})

function filled(): QueryClient {
  const queryClient = new QueryClient()
  hydrate(queryClient, {
    mutations: [],
    queries: [{ queryHash: '["todos"]', queryKey: ['todos'], state: { data: [{ id: '1' }], dataUpdatedAt: 1 } }],
  })
  return queryClient
}

/** Each option in each of its kinds; the last has all of them. */
const OPTIONS: readonly (() => SyncClientOptions)[] = [
  () => ({}),
  () => ({ queryClient: new QueryClient() }),
  () => ({ queryClient: filled() }),
  () => ({ mutations: [addTodo] }),
  () => ({ stream: syncStream({ url: '/api/sync' }) }),
  () => ({ stream: syncStream({ url: () => refuse('url'), topics: 'queries', pollInterval: 1000, heartbeat: 5000 }) }),
  () => ({ stream: syncStream({ url: '/api/sync', topics: ['a'], decode: () => refuse('decode'), replays: true }) }),
  () => ({ headers: () => refuse('headers'), refreshAuth: () => refuse('refreshAuth') }),
  () => ({ storage: memoryStorage(), namespace: 'me' }),
  () => ({ storage: refusingStorage }),
  () => ({ serializer: { serialize: () => refuse('serialize'), deserialize: () => refuse('deserialize') } }),
  () => ({ onReport: () => refuse('onReport'), readOnly: true, timeout: 1, keepFailed: 1, breaker: { threshold: 1 } }),
  () => ({ platform: { random: seededRandom(1) } }),
  () => ({ platform: seams }),
  () => ({
    queryClient: filled(),
    mutations: [addTodo],
    stream: syncStream({ url: '/api/sync', topics: 'queries' }),
    headers: () => refuse('headers'),
    refreshAuth: () => refuse('refreshAuth'),
    storage: refusingStorage,
    namespace: 'me',
    onReport: () => refuse('onReport'),
    platform: seams,
  }),
]

describe('making a client', () => {
  test('asks for no time, chance, timer or global, whatever its options', () => {
    for (const options of OPTIONS) {
      const made = options()
      const uses = usesOf(() => createSyncClient(made))
      expect({ made, uses }).toEqual({ made, uses: [] })
    }
  })

  test('is seen to ask by this test, if it does', () => {
    const everything = (): void => {
      new Date()
      clearTimeout(setTimeout(() => {}, 0))
      queueMicrotask(() => {})
      crypto.getRandomValues(new Uint8Array(1))
    }
    const uses = usesOf(() => {
      everything()
      performance.now()
      Date.now()
      void navigator
    })
    expect(uses).toEqual(['new Date', 'setTimeout', 'queueMicrotask', 'getRandomValues', 'now', 'now', 'navigator'])
  })

  test('stays that way for what is made beside it, and for a client that is filled and read before it starts', () => {
    const made: SyncClientOptions = {
      mutations: [addTodo],
      stream: syncStream({ url: '/api/sync', topics: 'queries' }),
    }
    const uses = usesOf(() => {
      const sync = createSyncClient({ ...made, platform: seams })
      createQueryStore(sync, todos)
      sync.pending({ entity: todoRow, id: '1' }).getState()
      sync.outbox.getInitialState()
      sync.status.getInitialState()
      sync.getView(['todos'])
      sync.viewClient
        .getQueryCache()
        .build(sync.queryClient, { queryKey: ['a'], queryHash: '["a"]', topics: ['a'] } as never)
      entity('other')
      createEventStream({ url: '/api/sync', onMessage: () => {} })
    })
    expect(uses).toEqual([])
  })
})

describe('the first render', () => {
  const options: SyncClientOptions = {
    mutations: [addTodo],
    stream: syncStream({ url: '/api/sync', topics: 'queries' }),
  }

  function Shown(): string {
    const { stream, pending } = useSyncStatus()
    const isPending = usePending({ entity: todoRow, id: '1' }, (writes) => writes.length > 0)
    useMutation(addTodo)
    useSyncAction(addTodo)
    return [stream, pending, useOutbox((outbox) => outbox.entries.length), isPending].join(' ')
  }

  const todosOf = (use: (options: typeof todos) => { data?: unknown }) => (): string => JSON.stringify(use(todos).data)

  test("of React's providers and of our own hooks asks nothing more than an empty tree does", () => {
    const empty = usesOf(() => renderToString(createElement('p')))
    const sync = createSyncClient(options)
    const queryClient = new QueryClient()
    const own = (root: () => ReactElement): string => {
      let html = ''
      const uses = usesOf(() => {
        html = renderToString(root())
      })
      expect(uses).toEqual(empty)
      return html
    }
    expect(own(() => createElement(SyncProvider, { client: sync }, createElement(Shown)))).toBe('idle 0 0 false')
    expect(own(() => createElement(QueryClientProvider, { client: queryClient }, createElement(Shown)))).toBe(
      'off 0 0 false',
    )
  })

  test.each([
    ['with data', filled],
    ['without data', () => new QueryClient()],
  ])("of a query %s asks what TanStack's does", (_, makeClient) => {
    const root = (
      Provider: typeof TanStackProvider,
      client: QueryClient,
      use: (o: typeof todos) => { data?: unknown },
    ) => usesOf(() => renderToString(createElement(Provider, { client: client as never }, createElement(todosOf(use)))))
    const tanstack = root(TanStackProvider, makeClient(), useTanStackQuery as never)
    expect(root(QueryClientProvider, makeClient(), useQuery as never)).toEqual(tanstack)
  })

  test("of Vue's plugin asks nothing", () => {
    const sync = createSyncClient(options)
    const app = createSSRApp({ render: () => h('p') })
    expect(usesOf(() => app.use(syncPlugin, { client: sync }))).toEqual([])
  })
})
