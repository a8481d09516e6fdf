import type { MockServer } from 'tidemark/mocks'
import { describe, expect, test } from 'vitest'
import { BREAD, get, MILK, send, stateOf, testClock, todoServer, turns } from './support'

const rename = (server: MockServer, title: string, key = 'm-1') =>
  send(server.fetch, 'PATCH', '/api/todos/milk', { title }, { 'Idempotency-Key': key })

describe('latency', () => {
  test('is fixed, and holds up the answer but not the server', async () => {
    const clock = testClock()
    const server = todoServer({ clock })
    server.faults.latency(200)
    const answer = rename(server, 'Oat milk')
    await clock.advance(199)
    expect(await server.database.todos.get('milk')).toMatchObject({ title: 'Oat milk' })
    expect(await stateOf(answer)).toBe('pending')
    await clock.advance(1)
    expect((await answer).status).toBe(200)
  })

  test('can hold up the request instead', async () => {
    const clock = testClock()
    const server = todoServer({ clock })
    server.faults.latency(200, { at: 'request' })
    const answer = rename(server, 'Oat milk')
    await clock.advance(199)
    expect(await server.database.todos.get('milk')).toEqual(MILK)
    await clock.advance(1)
    expect((await answer).status).toBe(200)
  })

  test('is random from the seed: the same in every run', async () => {
    const measure = async (seed: number) => {
      const clock = testClock(0)
      const server = todoServer({ clock, seed })
      server.faults.latency([100, 900])
      const times: number[] = []
      for (let n = 0; n < 3; n++) {
        const start = clock.now()
        const answered = get(server.fetch, '/api/todos').then(() => times.push(clock.now() - start))
        await clock.advance(1_000)
        await answered
      }
      return times
    }
    const times = await measure(7)
    expect(await measure(7)).toEqual(times)
    expect(await measure(8)).not.toEqual(times)
    expect(new Set(times).size).toBe(3)
    for (const time of times) expect(time >= 100 && time <= 900).toBe(true)
  })

  test('adds up, concerns the routes it names, and ends when it is taken back', async () => {
    const clock = testClock()
    const server = todoServer({ clock })
    const all = server.faults.latency(100)
    server.faults.latency(50, { on: 'write' })
    const [read, write] = [get(server.fetch, '/api/todos'), rename(server, 'x')]
    await clock.advance(100)
    expect([await stateOf(read), await stateOf(write)]).toEqual(['resolved', 'pending'])
    await clock.advance(50)
    expect(await stateOf(write)).toBe('resolved')
    all.stop()
    expect(await stateOf(get(server.fetch, '/api/todos'))).toBe('resolved')
    expect(all.used).toBe(2)
  })
})

describe('loss', () => {
  test('of a request: the server never sees it', async () => {
    const server = todoServer()
    server.faults.loseRequest({ on: 'PATCH /api/todos/:id' })
    await expect(rename(server, 'x')).rejects.toThrow(TypeError)
    expect(await server.database.todos.get('milk')).toEqual(MILK)
    expect(server.log).toMatchObject([{ delivered: 0, outcome: 'failed', faults: ['loseRequest'] }])
    expect((await rename(server, 'x')).status).toBe(200)
  })

  test('of an answer: the server did it, and does it once', async () => {
    const server = todoServer()
    server.faults.loseAnswer({ on: 'todos/update' })
    await expect(rename(server, 'x')).rejects.toThrow('Failed to fetch')
    expect(await server.database.todos.get('milk')).toMatchObject({ title: 'x' })
    expect((await rename(server, 'x')).headers.get('Idempotent-Replayed')).toBe('true')
    expect(await server.database.todos.version('milk')).toBe(2)
  })

  test('may be noticed late, or only by giving up', async () => {
    const clock = testClock()
    const server = todoServer({ clock })
    server.faults.loseAnswer({ failAfter: 5_000 })
    const late = rename(server, 'x')
    await clock.advance(4_999)
    expect(await stateOf(late)).toBe('pending')
    await Promise.all([expect(late).rejects.toThrow(TypeError), clock.advance(1)])
    server.faults.loseRequest({ failAfter: Number.POSITIVE_INFINITY })
    const abort = new AbortController()
    const never = get(server.fetch, '/api/todos', { signal: abort.signal })
    await clock.advance(1e9)
    expect(await stateOf(never)).toBe('pending')
    abort.abort(new Error('enough'))
    await expect(never).rejects.toThrow('enough')
    expect(server.log.at(-1)).toMatchObject({ outcome: 'aborted' })
  })
})

describe('duplicates', () => {
  test('reach the server at once, and are applied once', async () => {
    const server = todoServer()
    server.faults.duplicate({ on: 'write' })
    const answer = await send(server.fetch, 'POST', '/api/todos', { title: 'Eggs' }, { 'Idempotency-Key': 'm-1' })
    expect(answer.status).toBe(201)
    expect(server.log).toMatchObject([{ delivered: 2 }])
    expect(await server.database.todos.all()).toHaveLength(3)
  })

  test('can come later, and can give the second answer', async () => {
    const clock = testClock()
    const server = todoServer({ clock })
    server.faults.duplicate({ after: 60_000 })
    await rename(server, 'first', 'm-1')
    await rename(server, 'second', 'm-2')
    await clock.advance(60_000)
    expect(server.log.map(({ delivered }) => delivered)).toEqual([2, 1])
    expect(await server.database.todos.get('milk')).toMatchObject({ title: 'second' })
    server.faults.duplicate({ answer: 'second' })
    expect((await rename(server, 'third', 'm-3')).headers.get('Idempotent-Replayed')).toBe('true')
  })
})

describe('order', () => {
  test('of requests: the second overtakes the first', async () => {
    const server = todoServer()
    server.faults.reorder({ on: 'write', at: 'request' })
    await Promise.all([rename(server, 'first', 'm-1'), rename(server, 'second', 'm-2')])
    expect(await server.database.todos.get('milk')).toMatchObject({ title: 'first' })
  })

  test('of answers: an older read arrives after a newer one', async () => {
    const server = todoServer()
    server.faults.reorder({ on: 'read' })
    const order: string[] = []
    const old = get(server.fetch, '/api/todos/milk').then(async (answer) => {
      order.push('old')
      return answer.json()
    })
    await turns()
    await rename(server, 'x')
    const young = get(server.fetch, '/api/todos/milk').then(() => order.push('young'))
    await young
    expect(await old).toEqual(MILK)
    expect(order).toEqual(['young', 'old'])
  })

  test('is kept if none comes that could overtake', async () => {
    const clock = testClock()
    const server = todoServer({ clock })
    server.faults.reorder({ wait: 300 })
    const alone = get(server.fetch, '/api/todos')
    await clock.advance(299)
    expect(await stateOf(alone)).toBe('pending')
    await clock.advance(1)
    expect((await alone).status).toBe(200)
  })

  test('is in the hands of a test that holds requests', async () => {
    const server = todoServer()
    const held = server.faults.hold({ on: 'write', at: 'request' })
    const answer = rename(server, 'x')
    expect(await stateOf(answer)).toBe('pending')
    expect([held.waiting, held.used]).toEqual([1, 1])
    expect(await (await get(server.fetch, '/api/todos')).json()).toEqual([MILK, BREAD])
    held.release()
    expect((await answer).status).toBe(200)
    expect((await rename(server, 'y', 'm-2')).status).toBe(200)
  })
})

describe('answers that a fault makes', () => {
  test('have a status, as often as said, and a Retry-After', async () => {
    const server = todoServer()
    server.faults.status(503, { on: 'POST /api/*', times: 2, retryAfter: 3 })
    const add = () => send(server.fetch, 'POST', '/api/todos', { id: 'eggs' }, { 'Idempotency-Key': 'm-1' })
    const [first, second, third] = [await add(), await add(), await add()]
    expect([first.status, second.status, third.status]).toEqual([503, 503, 201])
    expect(first.headers.get('Retry-After')).toBe('3')
    expect(await second.json()).toMatchObject({ status: 503 })
    expect(server.log.map(({ delivered }) => delivered)).toEqual([0, 0, 1])
  })

  test('come in the order in which they were asked for', async () => {
    const server = todoServer()
    server.faults.status(429, { retryAfter: new Date(0), skip: 1 })
    server.faults.status(500, { problem: { detail: 'on fire' } })
    const answers = [await get(server.fetch, '/api/todos'), await get(server.fetch, '/api/todos')]
    expect(answers.map(({ status }) => status)).toEqual([500, 429])
    expect(await answers[0]?.json()).toMatchObject({ detail: 'on fire' })
    expect(answers[1]?.headers.get('Retry-After')).toBe('Thu, 01 Jan 1970 00:00:00 GMT')
  })

  test('are a conflict with the current row', async () => {
    const server = todoServer()
    server.faults.conflict({ on: 'write' })
    const answer = await rename(server, 'x')
    expect(answer.status).toBe(409)
    const problem = (await answer.json()) as { type: string; current: unknown }
    expect(problem.type).toMatch(/:conflict$/)
    expect(problem.current).toEqual({ version: 1, value: MILK })
    expect(await server.database.todos.get('milk')).toEqual(MILK)
    server.faults.conflict({ current: { version: 9, value: null } })
    expect(await (await rename(server, 'x')).json()).toMatchObject({ current: { version: 9, value: null } })
  })

  test('refuse a token until another one comes', async () => {
    const server = todoServer()
    const as = (token: string) => get(server.fetch, '/api/todos', { headers: { Authorization: token } })
    expect((await as('old')).status).toBe(200)
    server.faults.expireToken()
    expect([(await as('old')).status, (await as('old')).status, (await as('new')).status]).toEqual([401, 401, 200])
    const answers = [await as('old'), await as('new')]
    expect(answers.map(({ status }) => status)).toEqual([401, 200])
    expect(await answers[0]?.json()).toMatchObject({ type: expect.stringMatching(/:unauthenticated$/) })
    server.faults.expireToken({ times: 1 })
    expect([(await as('new')).status, (await as('new')).status]).toEqual([401, 200])
  })

  test('break off in their body', async () => {
    const server = todoServer()
    server.faults.cut({ on: 'read' })
    const answer = await get(server.fetch, '/api/todos')
    expect(answer.status).toBe(200)
    await expect(answer.json()).rejects.toThrow(TypeError)
  })
})

describe('faults', () => {
  test('let nothing through while offline', async () => {
    const server = todoServer()
    const offline = server.faults.offline()
    await expect(get(server.fetch, '/api/todos')).rejects.toThrow(TypeError)
    await expect(get(server.fetch, '/api/sync')).rejects.toThrow(TypeError)
    offline.stop()
    expect((await get(server.fetch, '/api/todos')).status).toBe(200)
  })

  test('concern what a function says', async () => {
    const server = todoServer()
    server.faults.status(500, { on: ({ body }) => (body as { title?: string })?.title === 'bad', times: 9 })
    expect((await rename(server, 'good')).status).toBe(200)
    expect((await rename(server, 'bad', 'm-2')).status).toBe(500)
  })

  test('are all taken back, and who waits goes on', async () => {
    const server = todoServer()
    server.faults.hold()
    server.faults.status(500, { times: 9, skip: 1 })
    const waiting = get(server.fetch, '/api/todos')
    await turns()
    server.faults.reset()
    expect((await waiting).status).toBe(200)
    expect((await get(server.fetch, '/api/todos')).status).toBe(200)
  })

  test('notice a misspelt name', () => {
    const server = todoServer()
    expect(() => server.faults.status(500, { on: 'todos/creat' })).toThrow('did you mean "todos/create"?')
  })
})

describe('the log', () => {
  test('has what arrived, in order', async () => {
    const server = todoServer({ clock: testClock(5_000) })
    await get(server.fetch, '/api/todos?done=true', { headers: { 'Sync-Pending': 'a' } })
    await rename(server, 'x')
    await get(server.fetch, '/api/nothing')
    expect(server.log).toMatchObject([
      { number: 1, at: 5_000, method: 'GET', path: '/api/todos', kind: 'read', name: 'todos', status: 200 },
      { number: 2, method: 'PATCH', kind: 'write', name: 'todos/update', body: { title: 'x' }, delivered: 1 },
      { number: 3, kind: 'other', status: 404, outcome: 'answered' },
    ])
    expect(server.log[0]?.search.get('done')).toBe('true')
    expect(server.log[0]?.headers.get('Sync-Pending')).toBe('a')
  })

  test('shows what is on its way, until the server is idle', async () => {
    const server = todoServer()
    const held = server.faults.hold()
    const answer = get(server.fetch, '/api/todos')
    const idle = server.idle()
    expect(await stateOf(idle)).toBe('pending')
    expect(server.log).toMatchObject([{ outcome: 'pending', status: undefined }])
    held.release()
    await idle
    expect(server.log).toMatchObject([{ outcome: 'answered' }])
    await answer
    await server.idle()
  })
})

describe('a reset', () => {
  test('brings back rows, route and order as they were', async () => {
    const server = todoServer()
    await rename(server, 'x')
    await server.database.todos.delete('bread')
    server.faults.status(500, { times: 9 })
    server.reset()
    expect(server.log).toEqual([])
    expect(await server.database.todos.all()).toEqual([MILK, BREAD])
    const again = await rename(server, 'y')
    expect([again.status, again.headers.get('Idempotent-Replayed')]).toEqual([200, null])
  })

  test('of a table alone is seeding, which nobody is told', async () => {
    const server = todoServer()
    const before = (await get(server.fetch, '/api/todos')).headers.get('Sync-Cursor')
    await server.database.todos.seed([BREAD])
    const after = await get(server.fetch, '/api/todos')
    expect(await after.json()).toEqual([BREAD])
    expect(after.headers.get('Sync-Cursor')).toBe(before)
  })
})
