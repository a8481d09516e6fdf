// @vitest-environment node
// On a server: markup with data, nothing started, state that carries positions; see hydration.test.tsx for the page.
import { PassThrough } from 'node:stream'
import { Suspense } from 'react'
import { renderToPipeableStream, renderToString } from 'react-dom/server'
import type { SyncClient } from 'tidemark'
import { createSyncClient, dehydrate, QueryClient } from 'tidemark'
import * as react from 'tidemark/react'
import * as vue from 'tidemark/vue'
import { expect, test, vi } from 'vitest'
import { createSSRApp, defineComponent, h, onServerPrefetch } from 'vue'
import { renderToString as renderVue } from 'vue/server-renderer'
import type { Todo } from './todos.ts'
import { addTodo, titles, todosQuery } from './todos.ts'

const a: Todo = { id: 'a', title: 'A' }

/** A client for one request: its reads are answered at once, at a position. */
function forRequest(until: Promise<void> = Promise.resolve()) {
  const fetch = vi.fn(async () => {
    await until
    return Response.json([a], { headers: { 'sync-cursor': 'e:5' } })
  })
  const subscribe = vi.fn(() => () => {})
  const sync = createSyncClient({
    mutations: [addTodo],
    platform: { fetch, network: { isOnline: () => true, isVisible: () => true, subscribe } },
  })
  return { sync, fetch, subscribe }
}

const ReactList = () => {
  const { data } = react.useQuery(todosQuery)
  const pending = react.usePending({}, (writes) => writes.length)
  const network = react.useSyncStatus((status) => status.network)
  const { status } = react.useMutation(addTodo)
  return <p>{`${titles(data)} ${pending} ${network} ${status}`}</p>
}

const VueList = defineComponent(() => {
  const { data, suspense } = vue.useQuery(todosQuery)
  const pending = vue.usePending({}, (writes) => writes.length)
  const network = vue.useSyncStatus((status) => status.network)
  const { status } = vue.useMutation(addTodo)
  onServerPrefetch(suspense)
  return () => h('p', `${titles(data.value)} ${pending.value} ${network.value} ${status.value}`)
})

const inVue = (sync: SyncClient) => renderVue(createSSRApp(VueList).use(vue.syncPlugin, { client: sync }))

test('React renders what was prefetched, and starts nothing', async () => {
  const { sync, subscribe } = forRequest()
  await sync.queryClient.prefetchQuery(todosQuery)
  const html = renderToString(
    <react.SyncProvider client={sync}>
      <ReactList />
    </react.SyncProvider>,
  )
  expect(html).toBe('<p>A 0 online idle</p>')
  expect(subscribe).not.toHaveBeenCalled()
  expect(
    sync.queryClient
      .getQueryCache()
      .find({ queryKey: ['todos'] })
      ?.getObserversCount(),
  ).toBe(0)
})

test('React streams what suspends, with one read', async () => {
  let answer!: () => void
  const { sync, fetch } = forRequest(
    new Promise((resolve) => {
      answer = resolve
    }),
  )
  const Titles = () => <p>{titles(react.useSuspenseQuery(todosQuery).data)}</p>
  const html = await new Promise<string>((resolve, reject) => {
    let text = ''
    const out = new PassThrough()
    out.on('data', (part) => {
      text += String(part)
    })
    out.on('end', () => resolve(text))
    const { pipe } = renderToPipeableStream(
      <react.SyncProvider client={sync}>
        <Suspense fallback="waiting">
          <Titles />
        </Suspense>
      </react.SyncProvider>,
      {
        onShellReady() {
          pipe(out)
          setTimeout(answer, 0)
        },
        onError: reject,
      },
    )
  })
  expect(html).toContain('<p>A</p>')
  expect(fetch).toHaveBeenCalledTimes(1)
})

test('Vue renders what it waits for, and starts nothing', async () => {
  const { sync, subscribe } = forRequest()
  expect(await inVue(sync)).toBe('<p>A 0 online idle</p>')
  expect(subscribe).not.toHaveBeenCalled()
})

test('requests do not see each other', async () => {
  const [first, second] = [forRequest(), forRequest()]
  await Promise.all([inVue(first.sync), inVue(second.sync)])
  expect(first.fetch).toHaveBeenCalledTimes(1)
  expect(second.fetch).toHaveBeenCalledTimes(1)
})

test('the state that is sent carries the position of each query', async () => {
  const { sync } = forRequest()
  await inVue(sync)
  const state = JSON.parse(JSON.stringify(dehydrate(sync.queryClient))) as object
  expect(state).toMatchObject({ queries: [{ queryKey: ['todos'], state: { data: [a], cursor: 'e:5' } }] })
})

test('the state that is sent has no pending write in it: it is base', async () => {
  const { sync } = forRequest()
  await sync.queryClient.prefetchQuery(todosQuery)
  sync.mutate(addTodo, { id: 'b', title: 'B' })
  expect(titles(sync.getView(todosQuery.queryKey))).toBe('A,B')
  expect(dehydrate(sync.queryClient).queries[0]?.state.data).toEqual([a])
  expect(dehydrate(sync.viewClient).queries[0]?.state.data).toEqual([a])
})

test("a plain QueryClient under the plugin and the provider renders as TanStack's does", async () => {
  const options = { queryKey: ['word'], queryFn: async () => 'word' }
  const queryClient = new QueryClient()
  await queryClient.prefetchQuery(options)
  const Word = () => <p>{react.useQuery(options).data}</p>
  expect(
    renderToString(
      <react.QueryClientProvider client={queryClient}>
        <Word />
      </react.QueryClientProvider>,
    ),
  ).toBe('<p>word</p>')
  const InVue = defineComponent(() => {
    const { data, suspense } = vue.useQuery(options)
    onServerPrefetch(suspense)
    return () => h('p', data.value)
  })
  expect(await renderVue(createSSRApp(InVue).use(vue.VueQueryPlugin))).toBe('<p>word</p>')
})
