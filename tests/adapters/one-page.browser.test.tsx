// React and Vue side by side on one client, in a real page: each brings its own copy of query-core.
import * as reactCore from '@tanstack/react-query'
import * as vueCore from '@tanstack/vue-query'
import { createRoot } from 'react-dom/client'
import type { SyncClient } from 'tidemark'
import { createSyncClient, defineMutation, entity, queryOptions } from 'tidemark'
import * as react from 'tidemark/react'
import * as vue from 'tidemark/vue'
import { afterEach, expect, test } from 'vitest'
import { createApp, defineComponent, h } from 'vue'

interface Todo {
  id: string
  title: string
}

const todoRow = entity<Todo>('todo')

const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/todos').then((r): Promise<Todo[]> => r.json()),
  rows: [todoRow, (todos) => todos, { where: () => true }],
  staleTime: 60_000,
})

const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: (todo: Todo, { fetch }) =>
    fetch('/todos', { body: JSON.stringify(todo) }).then((r): Promise<Todo> => r.json()),
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
  apply: (base, saved) => base.upsert(todosQuery.queryKey, todoRow, saved),
})

/** A server in the page; `hold` keeps answers back until it resolves, `refuse` is the next write's fate. */
function createServer() {
  const rows: Todo[] = [{ id: 'a', title: 'A' }]
  const server = {
    rows,
    refuse: false,
    hold: Promise.resolve(),
    async fetch(_: string, init?: RequestInit): Promise<Response> {
      await server.hold
      if (init?.method !== 'POST') return Response.json(rows)
      if (server.refuse) return Response.json({ title: 'Too long' }, { status: 422 })
      const todo = JSON.parse(String(init.body)) as Todo
      rows.push(todo)
      return Response.json(todo)
    },
  }
  return server
}

const ReactPanel = () => {
  const { data = [] } = react.useQuery(todosQuery)
  const pending = react.usePending({ entity: todoRow })
  const add = react.useMutation(addTodo)
  return (
    <button type="button" onClick={() => add.mutate({ id: 'r', title: 'React' })}>
      {`${data.map(({ title }) => title)} ${pending.length} ${add.status}`}
    </button>
  )
}

const VuePanel = defineComponent(() => {
  const { data } = vue.useQuery(todosQuery)
  const pending = vue.usePending({ entity: todoRow })
  const add = vue.useMutation(addTodo)
  const text = () => `${data.value?.map(({ title }) => title)} ${pending.value.length} ${add.status.value}`
  return () => h('button', { onClick: () => add.mutate({ id: 'v', title: 'Vue' }) }, text())
})

const clean: Array<() => void> = []
afterEach(() => {
  for (const each of clean.splice(0)) each()
  document.body.replaceChildren()
})

async function open(sync: SyncClient) {
  const [reactBox, vueBox] = [document.createElement('div'), document.createElement('div')]
  document.body.append(reactBox, vueBox)
  const root = createRoot(reactBox)
  root.render(
    <react.SyncProvider client={sync}>
      <ReactPanel />
    </react.SyncProvider>,
  )
  const app = createApp(VuePanel).use(vue.syncPlugin, { client: sync })
  app.mount(vueBox)
  clean.push(
    () => root.unmount(),
    () => app.unmount(),
  )
  const texts = () => [reactBox.textContent, vueBox.textContent]
  await expect.poll(texts).toEqual(['A 0 idle', 'A 0 idle'])
  return {
    texts,
    click: (panel: 'react' | 'vue') => (panel === 'react' ? reactBox : vueBox).querySelector('button')?.click(),
  }
}

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))

test('the two frameworks bring two copies of query-core', () => {
  expect(reactCore.QueryObserver).not.toBe(vueCore.QueryObserver)
})

test.each([
  ['react', 'A,React 1 pending', 'A,React 1 idle'],
  ['vue', 'A,Vue 1 idle', 'A,Vue 1 pending'],
] as const)('a write in the %s panel is in both panels in the same frame', async (panel, inReact, inVue) => {
  const server = createServer()
  const sync = createSyncClient({ mutations: [addTodo], platform: { fetch: server.fetch } })
  const page = await open(sync)
  let answer!: () => void
  server.hold = new Promise((resolve) => {
    answer = resolve
  })
  await frame()
  page.click(panel)
  await frame() // the next frame's callback: nothing has been painted since the click
  expect(page.texts()).toEqual([inReact, inVue])
  answer()
  await expect
    .poll(page.texts)
    .toEqual([inReact, inVue].map((text) => text.replace('1 pending', '0 success').replace('1 idle', '0 idle')))
})

test('a refused write leaves both panels', async () => {
  const server = createServer()
  const sync = createSyncClient({ mutations: [addTodo], platform: { fetch: server.fetch } })
  const page = await open(sync)
  server.refuse = true
  page.click('vue')
  await expect.poll(page.texts).toEqual(['A 0 idle', 'A 0 error'])
  expect(sync.outbox.getState().failed).toHaveLength(1)
})

test('one read serves both, and the client runs until both have gone', async () => {
  const server = createServer()
  let reads = 0
  const fetch: typeof server.fetch = (input, init) => {
    if (init?.method !== 'POST') reads++
    return server.fetch(input, init)
  }
  const sync = createSyncClient({ mutations: [addTodo], platform: { fetch } })
  await open(sync)
  expect(reads).toBe(1)
  clean.shift()?.()
  await sync.mutate(addTodo, { id: 'c', title: 'C' }).confirmed
  clean.shift()?.()
  sync.mutate(addTodo, { id: 'd', title: 'D' })
  await frame()
  expect(server.rows.map(({ id }) => id)).toEqual(['a', 'c'])
})
