import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { createMockServer as createPlainServer } from 'tidemark/mocks'
import { createMockServer } from 'tidemark/mocks/node'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { listen, MILK, send, stateOf, turns } from './support'

const origin = 'http://app.test'
const fetchThere = (input: string | URL | Request, init?: RequestInit) => fetch(new URL(String(input), origin), init)

describe('in Node', () => {
  const server = createMockServer(
    {
      tables: { todos: { rows: [MILK], entity: 'todo' } },
      queries: { count: async (tx) => (await tx.rows('todo')).length },
    },
    http.get('*/api/version', () => HttpResponse.json('1.0')),
  )
  beforeAll(() => server.listen({ onUnhandledFrame: 'error' }))
  afterEach(() => server.reset())
  afterAll(() => server.close())

  test('the process talks to the mock server by its own fetch', async () => {
    expect(await (await fetchThere('/api/todos')).json()).toEqual([MILK])
    const created = await send(fetchThere, 'POST', '/api/todos', { id: 'eggs' }, { 'Idempotency-Key': 'm-1' })
    expect([created.status, created.headers.get('Sync-Cursor')]).toEqual([201, expect.stringMatching(/:1$/)])
    expect((await send(fetchThere, 'PATCH', '/api/todos/eggs', { title: 'Eggs' })).status).toBe(200)
    expect((await send(fetchThere, 'PUT', '/api/todos/eggs', { title: 'Eggs' })).status).toBe(200)
    expect(await (await fetchThere('/api/sync/queries/count')).json()).toBe(2)
    expect((await send(fetchThere, 'DELETE', '/api/todos/eggs')).status).toBe(200)
    const key = { 'Idempotency-Key': 'm-2' }
    expect((await send(fetchThere, 'POST', '/api/sync/mutations/todos/create', { id: 'x' }, key)).status).toBe(200)
    const batch = { mutations: [{ id: 'm-3', mutationKey: 'todos/delete', variables: { id: 'x' } }] }
    expect((await send(fetchThere, 'POST', '/api/sync/mutations', batch)).status).toBe(200)
    expect(server.log).toHaveLength(8)
  })

  test('what was given beside is answered too', async () => {
    expect(await (await fetchThere('/api/version')).json()).toBe('1.0')
    server.msw.use(http.get('*/api/version', () => HttpResponse.json('2.0')))
    expect(await (await fetchThere('/api/version')).json()).toBe('2.0')
    server.reset()
    expect(await (await fetchThere('/api/version')).json()).toBe('1.0')
  })

  test('a lost answer rejects as a broken connection does', async () => {
    server.faults.loseAnswer({ on: 'write' })
    await expect(send(fetchThere, 'POST', '/api/todos', { id: 'eggs' })).rejects.toThrow(TypeError)
    expect(await server.database.todos.all()).toHaveLength(2)
  })

  test('a request can be given up', async () => {
    const held = server.faults.hold()
    const abort = new AbortController()
    const answer = fetchThere('/api/todos', { signal: abort.signal })
    expect(await stateOf(answer)).toBe('pending')
    abort.abort()
    await expect(answer).rejects.toThrow('abort')
    held.release()
  })

  test("fake timers are the mock server's time too", async () => {
    vi.useFakeTimers()
    try {
      server.faults.latency(60_000)
      const answer = fetchThere('/api/todos')
      await vi.advanceTimersByTimeAsync(59_000)
      expect(server.log).toMatchObject([{ outcome: 'pending' }])
      await vi.advanceTimersByTimeAsync(1_000)
      expect(await (await answer).json()).toEqual([MILK])
    } finally {
      vi.useRealTimers()
    }
  })

  test('a stream brings events, and ends when its client gives up', async () => {
    const abort = new AbortController()
    const stream = await listen(fetchThere, '/api/sync', { signal: abort.signal })
    expect(await stream.next()).toMatchObject({ event: 'hello' })
    await server.database.todos.update('milk', { title: 'x' })
    expect(await stream.next()).toMatchObject({ event: 'patch' })
    expect(server.streams).toBe(1)
    abort.abort()
    await expect(stream.next()).rejects.toThrow('abort')
    await turns()
    expect(server.streams).toBe(0)
  })

  test('a stream that is cut ends in the middle of an event', async () => {
    const stream = await listen(fetchThere, '/api/sync/stream')
    await stream.next()
    server.faults.cut()
    await server.database.todos.update('milk', { title: 'x' })
    // MSW in Node turns a broken connection into a clean end.
    expect(await stream.next().catch(() => undefined)).toBeUndefined()
    expect(stream.rest()).toMatch(/^event: patch/)
  })
})

describe("MSW's own server", () => {
  test('takes the handlers', async () => {
    const server = createPlainServer({ plain: true, tables: { todos: { rows: [MILK] } }, origin })
    const msw = setupServer(...server.handlers)
    msw.listen()
    expect(await (await fetchThere('/api/todos')).json()).toEqual([MILK])
    msw.close()
    server.close()
  })
})
