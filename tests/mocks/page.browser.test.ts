import { createMockServer } from 'tidemark/mocks/browser'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { PATIENCE } from '../kit/patience.ts'
import { listen, MILK, send } from './support'

const server = createMockServer({ tables: { todos: { rows: [MILK], entity: 'todo' } } })
beforeAll(() => server.start({ quiet: true, onUnhandledFrame: 'bypass' }))
afterEach(() => server.reset())
afterAll(() => server.close())

const pageFetch: typeof fetch = (input, init) => fetch(input, init)

test('a page talks to the mock server through the service worker', async () => {
  expect(await (await fetch('/api/todos')).json()).toEqual([MILK])
  const created = await send(pageFetch, 'POST', '/api/todos', { id: 'eggs' }, { 'Idempotency-Key': 'm-1' })
  expect([created.status, created.headers.get('Sync-Cursor')]).toEqual([201, expect.stringMatching(/:1$/)])
  const read = await fetch('/api/todos', { headers: { 'Sync-Pending': 'm-1' } })
  expect(read.headers.get('Sync-Reflects')).toBe('m-1')
  expect((await send(pageFetch, 'PATCH', '/api/todos/eggs', { title: 'Eggs' })).status).toBe(200)
  expect((await send(pageFetch, 'DELETE', '/api/todos/eggs')).status).toBe(200)
  expect(await server.database.todos.all()).toEqual([MILK])
  expect(server.log.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET', 'PATCH', 'DELETE'])
})

test('faults are network errors and statuses of the page', async () => {
  server.faults.loseAnswer({ on: 'write' })
  await expect(send(pageFetch, 'PATCH', '/api/todos/milk', { title: 'x' })).rejects.toThrow(TypeError)
  expect(await server.database.todos.get('milk')).toMatchObject({ title: 'x' })
  server.faults.status(503, { retryAfter: 2 })
  const answer = await fetch('/api/todos')
  expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '2'])
  server.faults.cut({ on: 'read' })
  await expect(fetch('/api/todos').then((cut) => cut.json())).rejects.toThrow()
})

test('a stream brings events through the service worker, and ends with its client', async () => {
  const abort = new AbortController()
  const stream = await listen(pageFetch, '/api/sync', { signal: abort.signal })
  expect(await stream.next()).toMatchObject({ event: 'hello' })
  await server.database.todos.update('milk', { title: 'x' })
  expect(await stream.next()).toMatchObject({ event: 'patch' })
  abort.abort()
  await expect(stream.next()).rejects.toThrow('abort')
  await vi.waitFor(() => expect(server.streams).toBe(0), PATIENCE)
})

test('a stream that is cut breaks in the middle of an event', async () => {
  const stream = await listen(pageFetch, '/api/sync')
  await stream.next()
  server.faults.cut()
  await server.database.todos.update('milk', { title: 'x' })
  await expect(stream.next()).rejects.toThrow()
  expect(stream.rest()).toMatch(/^event: patch/)
})
