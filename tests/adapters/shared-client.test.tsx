// @vitest-environment node
// One client for several requests: a server then shows one user's data to another. In development that is said.
import type { ReactElement } from 'react'
import { Suspense } from 'react'
import { renderToString } from 'react-dom/server'
import { renderToReadableStream } from 'react-dom/server.edge'
import type { SyncClient, SyncClientOptions } from 'tidemark'
import { createSyncClient, QueryClient, syncStream } from 'tidemark'
import { QueryClientProvider, SyncProvider, useSuspenseQuery } from 'tidemark/react'
import { syncPlugin, useQuery } from 'tidemark/vue'
import { describe, expect, test } from 'vitest'
import { createSSRApp, defineComponent, h, onServerPrefetch } from 'vue'
import { renderToString as renderVue } from 'vue/server-renderer'
import { virtualClock } from '../kit/clock.ts'
import { addTodo } from './todos.ts'

const SHARED = expect.stringMatching(/has rendered on the server before.*make a client per request/)

function makeClient(options: SyncClientOptions = {}) {
  const reports: string[] = []
  const sync = createSyncClient({
    mutations: [addTodo],
    onReport: ({ code, message }) => reports.push(`${code}: ${message}`),
    ...options,
  })
  return { sync, reports }
}

const me = (user: string) => ({ queryKey: ['me'], queryFn: async () => user, staleTime: 60_000 })

function ReactPage({ user }: { user: string }): ReactElement {
  return <p>{useSuspenseQuery(me(user)).data}</p>
}

const page = (client: SyncClient, user: string): ReactElement => (
  <SyncProvider client={client}>
    <Suspense fallback="…">
      <ReactPage user={user} />
    </Suspense>
  </SyncProvider>
)

async function inReact(client: SyncClient, user: string): Promise<string> {
  const stream = await renderToReadableStream(page(client, user))
  await stream.allReady
  return new Response(stream).text()
}

const VuePage = defineComponent(
  ({ user }: { user: string }) => {
    const { data, suspense } = useQuery(me(user))
    onServerPrefetch(suspense)
    return () => h('p', data.value)
  },
  { props: ['user'] },
)

const inVue = (client: SyncClient, user: string): Promise<string> =>
  renderVue(createSSRApp(VuePage, { user }).use(syncPlugin, { client }))

describe.each([
  ['React', inReact],
  ['Vue', inVue],
])('a server that renders with %s', (_, render) => {
  test('says once that two requests share a client', async () => {
    const { sync, reports } = makeClient()
    expect(await render(sync, 'alice')).toContain('<p>alice</p>')
    expect(reports).toEqual([])
    expect(await render(sync, 'bob')).toContain('<p>alice</p>') // this is what the sentence is about
    expect(reports).toEqual([SHARED])
    await render(sync, 'carol')
    expect(reports).toHaveLength(1)
  })

  test('says nothing of a client per request, of requests at the same time too', async () => {
    const clients = ['alice', 'bob', 'carol'].map((user) => ({ user, ...makeClient() }))
    const pages = await Promise.all(clients.map(({ sync, user }) => render(sync, user)))
    for (const [at, { user, reports }] of clients.entries()) {
      expect(pages[at]).toContain(`<p>${user}</p>`)
      expect(reports).toEqual([])
    }
  })

  test('says that a client which renders was started, or written to', async () => {
    const { sync, reports } = makeClient()
    await render(sync, 'alice')
    sync.start()()
    sync.mutate(addTodo, { id: '1', title: 'Milk' } as never)
    expect(reports).toEqual([
      expect.stringMatching(/was started there.*start it in the browser only/),
      expect.stringMatching(/^usage: mutate\(\) was called on a sync client that renders on the server/),
    ])
    const before = makeClient()
    before.sync.start()()
    expect(before.reports).toEqual([])
    await render(before.sync, 'bob')
    expect(before.reports).toEqual([expect.stringMatching(/was started there/)])
  })

  test('says nothing in production', async () => {
    const { sync, reports } = makeClient({ platform: { development: false } })
    for (const user of ['alice', 'bob']) await render(sync, user)
    sync.start()()
    expect(reports).toEqual([])
  })
})

test.each([
  ['React', inReact],
  ['Vue', inVue],
])('%s: nobody is told to start a client that renders on a server, however long it stays', async (_, render) => {
  const clock = virtualClock()
  const warnings: unknown[] = []
  const { sync, reports } = makeClient({
    stream: syncStream({ url: '/sync' }),
    platform: { clock, console: { warn: (message) => void warnings.push(message) } },
  })
  await render(sync, 'alice')
  await clock.advance(60_000)
  expect([...reports, ...warnings]).toEqual([])
})

test('React: several providers and passes of one request are one request', () => {
  const { sync, reports } = makeClient()
  const twice = (
    <SyncProvider client={sync}>
      <SyncProvider client={sync}>one</SyncProvider>
      <SyncProvider client={sync}>two</SyncProvider>
    </SyncProvider>
  )
  renderToString(twice)
  renderToString(twice)
  expect(reports).toEqual([])
})

test('React: a plain QueryClient that requests share is told of as well', async () => {
  const queryClient = new QueryClient()
  const { sync, reports } = makeClient({ queryClient })
  for (const user of ['alice', 'bob']) {
    renderToString(<QueryClientProvider client={queryClient}>{user}</QueryClientProvider>)
    await sync.queryClient.fetchQuery(me(user))
  }
  expect(reports).toEqual([SHARED])
})

test('a client that renders nothing is never spoken of: a script starts it and writes', () => {
  const { sync, reports } = makeClient()
  const stop = sync.start()
  sync.mutate(addTodo, { id: '1', title: 'Milk' } as never)
  stop()
  expect(reports).toEqual([])
})
