// The packed package under other people's test runners: Jest in Node and in jsdom (whose tests run in a realm beside
// Node's own, without fetch's classes in jsdom), and vitest; each with its own fake timers, on and off again.
import { beforeAll, expect, test } from 'vitest'
import type { Project } from './project.ts'
import { createProject } from './project.ts'

/** What must hold under each; the runner's file hands in its timers and its `test`. */
const story = `
import assert from 'node:assert/strict'
import { createQueryStore, createSyncClient, defineMutation, entity, queryOptions } from 'tidemark'

const todoRow = entity('todo')
const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/todos').then((answer) => answer.json()),
  rows: [todoRow, (todos) => todos, { where: () => true }],
})
const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: (todo, { fetch }) => fetch('/todos', { method: 'POST', body: JSON.stringify(todo) }).then((answer) => answer.json()),
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
})

/** Answers as the platform's own fetch would, or as a polyfill where there is no Response. */
function answer(status, body) {
  if (typeof Response !== 'undefined') return Response.json(body, { status })
  const headers = { get: (name) => (name === 'content-type' ? 'application/json' : null), has: () => false }
  return { ok: status < 300, status, headers, json: async () => body, text: async () => JSON.stringify(body) }
}

function start(more = {}) {
  const server = { lost: false, refused: 0, rows: [{ id: '1', title: 'Milk' }] }
  const fetch = async (_, init) => {
    if (server.lost) throw new TypeError('fetch failed')
    if (server.refused > 0) return (server.refused--, answer(401, {}))
    if (init?.method !== 'POST') return answer(200, server.rows)
    const row = JSON.parse(init.body)
    server.rows = [...server.rows, row]
    return answer(200, row)
  }
  const sync = createSyncClient({ mutations: [addTodo], platform: { fetch }, ...more })
  return { server, sync, stop: sync.start() }
}

async function until(check) {
  for (let turn = 0; !check(); turn++) {
    assert(turn < 5000, 'it did not happen')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export const stories = {
  'rows of an answer and of structuredClone are taken as variables': async () => {
    const { sync, stop } = start()
    const [milk] = await sync.queryClient.fetchQuery(todosQuery)
    const bread = { ...milk, id: '2' }
    const copy = typeof structuredClone === 'undefined' ? bread : structuredClone(bread)
    await sync.mutate(addTodo, copy).confirmed
    await sync.mutate(addTodo, { ...milk, id: '3', of: copy }).confirmed
    assert.deepEqual(sync.getView(todosQuery.queryKey).map(({ id }) => id), ['1', '2', '3'])
    stop()
  },
  'a 401 renews the credentials, and the write is not refused': async () => {
    let renewed = 0
    const { server, sync, stop } = start({ refreshAuth: () => void renewed++ })
    server.refused = 1
    assert.equal((await sync.mutate(addTodo, { id: '2', title: 'Bread' }).confirmed).title, 'Bread')
    assert.equal(renewed, 1)
    stop()
  },
  'a lost connection keeps the write': async () => {
    const { server, sync, stop } = start()
    server.lost = true
    const { confirmed } = sync.mutate(addTodo, { id: '2', title: 'Bread' })
    await until(() => sync.outbox.getState().entries[0]?.status === 'uncertain')
    server.lost = false
    await sync.flush()
    assert.equal((await confirmed).id, '2')
    stop()
  },
  'a period of fake timers leaves nobody deaf': async (timers) => {
    const { sync, stop } = start()
    const told = { status: 0, outbox: 0, query: 0 }
    sync.status.subscribe(() => told.status++)
    sync.outbox.subscribe(() => told.outbox++)
    createQueryStore(sync, todosQuery).subscribe(() => told.query++)
    await until(() => told.query > 0)
    timers.fake()
    sync.mutate(addTodo, { id: '2', title: 'During' })
    timers.real()
    const before = { ...told }
    await sync.mutate(addTodo, { id: '3', title: 'After' }).confirmed
    await until(() => told.status > before.status && told.outbox > before.outbox && told.query > before.query)
    stop()
  },
}
`

const inJest = (environment: string) => `
/** @jest-environment ${environment} */
import { jest } from '@jest/globals'
import { stories } from './story.mjs'
const timers = { fake: () => jest.useFakeTimers(), real: () => jest.useRealTimers() }
test('the environment is ${environment}', () => expect(typeof document).toBe('${environment === 'jsdom' ? 'object' : 'undefined'}'))
for (const [name, story] of Object.entries(stories)) test(name, () => story(timers), 60_000)
`

const inVitest = `
import { test, vi } from 'vitest'
import { stories } from './story.mjs'
const toFake = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'queueMicrotask']
const timers = { fake: () => vi.useFakeTimers({ toFake }), real: () => vi.useRealTimers() }
for (const [name, story] of Object.entries(stories)) test(name, { timeout: 60_000 }, () => story(timers))
`

/** The mock server of the package, under Jest. */
const mocks = `
/** @jest-environment node */
import { createMockServer } from 'tidemark/mocks/node'
const server = createMockServer({ tables: { todos: { rows: [{ id: '1', title: 'Milk' }] } } })
beforeAll(() => server.listen())
afterAll(() => server.close())
test('requests of this process are answered', async () => {
  const answer = await fetch('http://localhost/api/todos')
  expect(await answer.json()).toMatchObject([{ id: '1', title: 'Milk' }])
})
`

/** A component in jsdom, rendered by React 19 as Jest's users do. */
const component = `
/** @jest-environment jsdom */
import { act, createElement as h } from 'react'
import { createRoot } from 'react-dom/client'
import { createSyncClient, defineMutation, entity, queryOptions } from 'tidemark'
import { SyncProvider, useMutation, useQuery } from 'tidemark/react'
globalThis.IS_REACT_ACT_ENVIRONMENT = true
const row = entity('todo')
const todos = queryOptions({ queryKey: ['todos'], queryFn: async () => [{ id: '1', title: 'Milk' }], rows: [row, (list) => list, { where: () => true }] })
const add = defineMutation({
  mutationKey: ['add'],
  mutationFn: async (todo) => todo,
  optimistic: (view, todo) => view.insert(todos.queryKey, row, todo),
})
function List() {
  const { data = [] } = useQuery(todos)
  const { mutate } = useMutation(add)
  const write = () => mutate({ id: '2', title: 'Bread' })
  return h('button', { onClick: write }, data.map(({ title }) => title).join(', '))
}
test('a component shows what was read, and a write at once', async () => {
  const box = document.body.appendChild(document.createElement('div'))
  const root = createRoot(box)
  await act(async () => root.render(h(SyncProvider, { client: createSyncClient({ mutations: [add] }) }, h(List))))
  for (let turn = 0; box.textContent !== 'Milk' && turn < 1000; turn++) await act(() => new Promise((resolve) => setTimeout(resolve, 2)))
  expect(box.textContent).toBe('Milk')
  act(() => box.firstChild.click())
  expect(box.textContent).toBe('Milk, Bread')
  await act(async () => root.unmount())
}, 60_000)
`

let project: Project

beforeAll(async () => {
  project = createProject('runners', {
    dependencies: {
      '@tanstack/react-query': '^5.104.0',
      jest: '^30.0.0',
      msw: '^3.0.0',
      'jest-environment-jsdom': '^30.0.0',
      react: '^19.0.0',
      'react-dom': '^19.0.0',
      vitest: '^5.0.0',
    },
    jest: { transform: {} },
  })
  await project.install()
  project.write({
    'story.mjs': story,
    'node.test.js': inJest('node'),
    'jsdom.test.js': inJest('jsdom'),
    'component.test.js': component,
    'mocks.test.js': mocks,
    'story.spec.js': inVitest,
  })
})

test.each(['node', 'jsdom', 'component', 'mocks'])('Jest: %s', async (name) => {
  const { code, output } = await project.run('node', [
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
    `${name}.test.js`,
  ])
  expect(output).toMatch(/Tests: +\d+ passed/)
  expect(code).toBe(0)
})

test('vitest', async () => {
  const { code, output } = await project.run('vitest', ['run', 'story.spec.js'])
  expect(output).toMatch(/Tests +4 passed/)
  expect(code).toBe(0)
})
