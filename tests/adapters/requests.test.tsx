// @vitest-environment node
// A server renders for many: what it made for a request is gone when the request is.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ReactNode } from 'react'
import { Suspense } from 'react'
import { renderToReadableStream } from 'react-dom/server.edge'
import type { SyncClient } from 'tidemark'
import { createSyncClient, dehydrate, QueryClient, syncStream } from 'tidemark'
import * as react from 'tidemark/react'
import * as vue from 'tidemark/vue'
import { expect, test, vi } from 'vitest'
import { createSSRApp, defineComponent, h, onServerPrefetch } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { addTodo } from './todos.ts'

const REQUESTS = 50

const me = { queryKey: ['me'], queryFn: async () => 'alice', staleTime: 60_000 }

const makeClient = (): SyncClient =>
  createSyncClient({ mutations: [addTodo], stream: syncStream({ url: '/sync', topics: 'queries' }) })

function ReactPage(): string {
  react.useMutation(addTodo)
  react.useSyncStatus()
  return `${react.useSuspenseQuery(me).data} ${react.usePending().length}`
}

const VuePage = defineComponent(() => {
  const { data, suspense } = vue.useQuery(me)
  onServerPrefetch(suspense)
  vue.useMutation(addTodo)
  vue.useSyncStatus()
  const writes = vue.usePending()
  return () => h('p', `${data.value} ${writes.value.length}`)
})

async function stream(node: ReactNode): Promise<string> {
  const made = await renderToReadableStream(<Suspense fallback="…">{node}</Suspense>)
  await made.allReady
  return new Response(made).text()
}

/** Renders for one request; returns what it was rendered with. */
const RENDERS: readonly (readonly [name: string, render: () => Promise<{ client: object; html: string }>])[] = [
  [
    'React',
    async () => {
      const client = makeClient()
      const html = await stream(
        <react.SyncProvider client={client}>
          <ReactPage />
        </react.SyncProvider>,
      )
      dehydrate(client.queryClient)
      return { client, html }
    },
  ],
  [
    'React with a plain QueryClient',
    async () => {
      const client = new QueryClient()
      const html = await stream(
        <react.QueryClientProvider client={client as never}>
          <ReactPage />
        </react.QueryClientProvider>,
      )
      return { client, html }
    },
  ],
  [
    'Vue',
    async () => {
      const client = makeClient()
      const html = await renderToString(createSSRApp(VuePage).use(vue.syncPlugin, { client }))
      dehydrate(client.queryClient)
      return { client, html }
    },
  ],
]

test.each(RENDERS)('%s: no client is kept, and no timer', async (_, render) => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const clients: WeakRef<object>[] = []
  for (let at = 0; at < REQUESTS; at++) {
    const { client, html } = await render()
    expect(html).toContain('alice 0')
    clients.push(new WeakRef(client))
  }
  expect(timers.mock.calls.filter(([, delay = 0]) => delay > 0)).toEqual([]) // React begins by a timer of 0 ms
  timers.mockRestore()
  // What the last turn touched is kept until the next.
  await expect.poll(() => collected(clients), { timeout: 30_000 }).toBeGreaterThanOrEqual(REQUESTS - 2)
})

function collected(clients: readonly WeakRef<object>[]): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return clients.filter((client) => client.deref() === undefined).length
}
