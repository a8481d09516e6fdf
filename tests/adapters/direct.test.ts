// @vitest-environment jsdom
// Libraries that pass their own QueryClient to hooks show base: under a provider of ours a developer is told, once.
import { QueryClientProvider as TanStackProvider, useQuery as useReactQuery } from '@tanstack/react-query'
import { useQuery as useVueQuery } from '@tanstack/vue-query'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import type { SyncClient } from 'tidemark'
import { SyncProvider } from 'tidemark/react'
import { syncPlugin } from 'tidemark/vue'
import { afterEach, expect, test } from 'vitest'
import type { App } from 'vue'
import { createApp, h } from 'vue'
import { settle } from './driver.ts'
import { todosQuery, todoWorld } from './todos.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

const box = (): HTMLElement => document.body.appendChild(document.createElement('div'))
const told = [expect.stringMatching(/^Tidemark: A hook of query \["todos"\] was given the QueryClient itself/)]

type Use = (sync: SyncClient) => unknown
const useInReact: Record<string, Use> = {
  'the QueryClient': (sync) => useReactQuery(todosQuery as never, sync.queryClient as never),
  'the view client': (sync) => useReactQuery(todosQuery as never, sync.viewClient as never),
  nothing: () => useReactQuery(todosQuery as never),
}
const useInVue: Record<string, Use> = {
  'the QueryClient': (sync) => useVueQuery(todosQuery as never, sync.queryClient as never),
  'the view client': (sync) => useVueQuery(todosQuery as never, sync.viewClient as never),
  nothing: () => useVueQuery(todosQuery as never),
}

function showReact(sync: SyncClient, use: Use): void {
  const Part = () => {
    use(sync)
    return null
  }
  const root = createRoot(box())
  root.render(createElement(SyncProvider, { client: sync }, createElement(Part), createElement(Part)))
  ends.push(() => root.unmount())
}

function showVue(sync: SyncClient, use: Use): void {
  const Part = {
    setup() {
      use(sync)
      return () => null
    },
  }
  const app: App = createApp({ render: () => [h(Part), h(Part)] }).use(syncPlugin, { client: sync })
  app.mount(box())
  ends.push(() => app.unmount())
}

test.each([
  ['React', 'the QueryClient', 1],
  ['React', 'the view client', 0],
  ['React', 'nothing', 0],
  ['Vue', 'the QueryClient', 1],
  ['Vue', 'the view client', 0],
  ['Vue', 'nothing', 0],
] as const)('in %s hooks that are given %s are told of %i times', async (framework, given, times) => {
  const world = todoWorld()
  // vue-query subscribes only if the client has such a ref: one that is given by hand has none of its own.
  Object.assign(world.sync.queryClient, { isRestoring: { value: false } })
  if (framework === 'React') showReact(world.sync, useInReact[given] as Use)
  else showVue(world.sync, useInVue[given] as Use)
  await settle()
  expect(world.warnings).toEqual(told.slice(0, times))
})

test("TanStack's own provider of a QueryClient of ours, inside of our provider, is told of", async () => {
  const world = todoWorld()
  const Part = () => {
    useReactQuery(todosQuery as never)
    return null
  }
  const inner = createElement(TanStackProvider, { client: world.sync.queryClient as never }, createElement(Part))
  const root = createRoot(box())
  root.render(createElement(SyncProvider, { client: world.sync }, inner))
  ends.push(() => root.unmount())
  await settle()
  expect(world.warnings).toEqual(told)
})
