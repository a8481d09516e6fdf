// @vitest-environment jsdom
// A page takes over what a server rendered: same markup, no second read, and bases at the positions they were read at.
import type { ReactNode } from 'react'
import { Suspense } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { dehydrate, hydrate } from 'tidemark'
import * as react from 'tidemark/react'
import * as vue from 'tidemark/vue'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createSSRApp, defineComponent, h } from 'vue'
import { renderToString as renderVue } from 'vue/server-renderer'
import type { World } from '../kit/world.ts'
import { settle } from './driver.ts'
import type { Todo } from './todos.ts'
import { addTodo, titles, todosQuery, todoWorld } from './todos.ts'

const a: Todo = { id: 'a', title: 'A' }
const b: Todo = { id: 'b', title: 'B' }
const at = (cursor: string) => ({ headers: { 'sync-cursor': cursor } })

const clean: Array<() => void> = []
afterEach(() => {
  for (const each of clean.splice(0)) each()
  document.body.replaceChildren()
})

/** A server's client that has read the list at position 5. */
async function server(): Promise<World> {
  const world = todoWorld()
  const read = world.sync.queryClient.prefetchQuery(todosQuery)
  await world.settle()
  await world.net.take('GET').answer([a], at('e:5'))
  await read
  return world
}

const stateOf = ({ sync }: World) => JSON.parse(JSON.stringify(dehydrate(sync.queryClient))) as react.DehydratedState

function box(html: string): HTMLElement {
  const made = document.body.appendChild(document.createElement('div'))
  made.innerHTML = html
  return made
}

const List = () => <p>{titles(react.useQuery(todosQuery).data)}</p>

async function hydrateReact(html: string, node: ReactNode) {
  const made = box(html)
  const errors: unknown[] = []
  const root = hydrateRoot(made, node, { onRecoverableError: (error) => void errors.push(error) })
  clean.push(() => root.unmount())
  await settle()
  return { read: () => made.textContent, errors }
}

describe('React', () => {
  const app = (world: World, state: unknown, children: ReactNode = <List />) => (
    <react.SyncProvider client={world.sync}>
      <react.HydrationBoundary state={state as react.DehydratedState}>{children}</react.HydrationBoundary>
    </react.SyncProvider>
  )

  test('takes the markup over without a mismatch and without a read', async () => {
    const origin = await server()
    const html = renderToString(app(origin, undefined))
    expect(html).toBe('<p>A</p>')
    const world = todoWorld()
    const page = await hydrateReact(html, app(world, stateOf(origin)))
    expect(page.read()).toBe('A')
    expect(page.errors).toEqual([])
    expect(world.net.log).toEqual([])
  })

  test('knows the position: an answer from before it is not shown', async () => {
    const world = todoWorld()
    const page = await hydrateReact('<p>A</p>', app(world, stateOf(await server())))
    void world.sync.queryClient.refetchQueries()
    await settle()
    await world.net.take('GET').answer([], at('e:4'))
    await settle()
    expect(page.read()).toBe('A')
    expect(world.sync.getBase(todosQuery.queryKey)).toEqual([a])
  })

  test('shows pending writes over what is hydrated', async () => {
    const world = todoWorld()
    world.sync.mutate(addTodo, b)
    const page = await hydrateReact('<p>A</p>', app(world, stateOf(await server())))
    expect(page.read()).toBe('A,B')
  })

  test('takes newer state for a query that is there after its render, and older state not at all', async () => {
    const world = todoWorld()
    const state = stateOf(await server())
    const made = box('')
    const { createRoot } = await import('react-dom/client')
    const root = createRoot(made)
    clean.push(() => root.unmount())
    root.render(app(world, state))
    await settle()
    const [query] = state.queries
    const later = (data: Todo[], by: number) => ({
      ...state,
      queries: [{ ...query, state: { ...query?.state, data, dataUpdatedAt: (query?.state.dataUpdatedAt ?? 0) + by } }],
    })
    root.render(app(world, later([a, b], 1000)))
    await settle()
    expect(made.textContent).toBe('A,B')
    root.render(app(world, later([], -1000)))
    await settle()
    expect(made.textContent).toBe('A,B')
  })

  test('suspends on a read that the server had not finished, and asks nothing itself', async () => {
    const origin = todoWorld()
    void origin.sync.queryClient.prefetchQuery(todosQuery)
    await settle()
    const state = dehydrate(origin.sync.queryClient, { shouldDehydrateQuery: () => true })
    const world = todoWorld()
    const Titles = () => <p>{titles(react.useSuspenseQuery(todosQuery).data)}</p>
    const made = box('')
    const { createRoot } = await import('react-dom/client')
    const root = createRoot(made)
    clean.push(() => root.unmount())
    root.render(
      app(
        world,
        state,
        <Suspense fallback="waiting">
          <Titles />
        </Suspense>,
      ),
    )
    await settle()
    expect(made.textContent).toBe('waiting')
    await origin.net.take('GET').answer([a])
    await expect.poll(() => made.textContent).toBe('A')
    expect(world.net.log).toEqual([])
  })

  test("takes a QueryClient without a sync client, as TanStack's does", async () => {
    const queryClient = new react.QueryClient()
    const state = stateOf(await server())
    const page = await hydrateReact(
      'here',
      <react.HydrationBoundary queryClient={queryClient} state={state}>
        here
      </react.HydrationBoundary>,
    )
    expect(page.errors).toEqual([])
    expect(queryClient.getQueryData(todosQuery.queryKey)).toEqual([a])
  })

  test.each([5, 'text', [null], { queries: {} }, { queries: [{ queryHash: 'x' }] }, { queries: [null, undefined] }])(
    'leaves malformed state out, says so, and renders: %j',
    async (state) => {
      const world = todoWorld()
      const page = await hydrateReact('<p>-</p>', app(world, state))
      expect(page.read()).toBe('-')
      expect(page.errors).toEqual([])
      expect(world.reports.map(({ code }) => code)).toEqual(['usage'])
    },
  )
})

describe('Vue', () => {
  const VueList = defineComponent(() => {
    const { data } = vue.useQuery(todosQuery)
    return () => h('p', titles(data.value))
  })

  function hydrateVue(world: World, html: string) {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const made = box(html)
    const app = createSSRApp(VueList).use(vue.syncPlugin, { client: world.sync })
    app.mount(made)
    clean.push(() => app.unmount())
    return { read: () => made.textContent, complaints: () => [...warn.mock.calls, ...error.mock.calls].flat() }
  }

  test('takes the markup over, Nuxt-style: state first, then the application', async () => {
    const origin = await server()
    const html = await renderVue(createSSRApp(VueList).use(vue.syncPlugin, { client: origin.sync }))
    const world = todoWorld()
    vue.hydrate(world.sync.queryClient, stateOf(origin))
    const page = hydrateVue(world, html)
    await settle()
    expect(page.read()).toBe('A')
    expect(page.complaints()).toEqual([])
    expect(world.net.log).toEqual([])
  })

  test('knows the position: an answer from before it is not shown', async () => {
    const world = todoWorld()
    hydrate(world.sync.queryClient, stateOf(await server()))
    const page = hydrateVue(world, '<p>A</p>')
    void world.sync.queryClient.refetchQueries()
    await settle()
    await world.net.take('GET').answer([], at('e:4'))
    await settle()
    expect(page.read()).toBe('A')
  })

  test('shows pending writes over what is hydrated', async () => {
    const world = todoWorld()
    hydrate(world.sync.queryClient, stateOf(await server()))
    const page = hydrateVue(world, '<p>A</p>')
    world.sync.mutate(addTodo, b)
    await settle()
    expect(page.read()).toBe('A,B')
  })
})
