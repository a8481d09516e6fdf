import type { MockServer } from 'tidemark/mocks'
import { describe, expect, test } from 'vitest'
import { get, listen, send, stateOf, testClock, todoServer } from './support'

let edits = 0
const edit = (server: MockServer) => send(server.fetch, 'PATCH', '/api/todos/milk', { title: `Milk ${++edits}` })

/** A stream that has said hello. */
async function greeted(server: MockServer, path?: string, init?: RequestInit) {
  const stream = await listen(server.fetch, path, init)
  expect(await stream.next()).toMatchObject({ event: 'hello' })
  return stream
}

describe('a stream', () => {
  test('breaks in the middle of an event', async () => {
    const server = todoServer()
    const stream = await greeted(server)
    server.faults.cut()
    await edit(server)
    await expect(stream.next()).rejects.toThrow(TypeError)
    expect(stream.rest()).toMatch(/^event: patch\n.+/)
    expect(server.streams).toBe(0)
    const again = await greeted(server)
    await edit(server)
    expect(await again.next()).toMatchObject({ event: 'patch' })
  })

  test('breaks at the event that was said', async () => {
    const server = todoServer()
    const stream = await greeted(server)
    server.faults.cut({ skip: 2 })
    await edit(server)
    await edit(server)
    await edit(server)
    expect(await stream.next()).toMatchObject({ event: 'patch' })
    expect(await stream.next()).toMatchObject({ event: 'patch' })
    await expect(stream.next()).rejects.toThrow(TypeError)
  })

  test('stalls, and goes on', async () => {
    const clock = testClock()
    const server = todoServer({ clock })
    const stream = await greeted(server)
    server.faults.stall({ for: 3_000 })
    await edit(server)
    const next = stream.next()
    await clock.advance(2_999)
    expect(await stateOf(next)).toBe('pending')
    await clock.advance(1)
    expect(await next).toMatchObject({ event: 'patch' })
    await edit(server)
    expect(await stream.next()).toMatchObject({ event: 'patch' })
  })

  test('falls silent for good, and does not end', async () => {
    const clock = testClock()
    const server = todoServer({ clock })
    const stream = await greeted(server)
    const other = await greeted(server)
    server.faults.halfOpen()
    await edit(server)
    const next = stream.next()
    expect(await other.next()).toMatchObject({ event: 'patch' })
    await clock.advance(120_000)
    expect(await stateOf(next)).toBe('pending')
    expect(server.streams).toBe(2)
    server.faults.disconnect()
    await expect(next).rejects.toThrow(TypeError)
  })

  test('brings an event that is too large', async () => {
    const server = todoServer()
    const stream = await greeted(server)
    server.faults.oversize({ size: 3_000_000 })
    await edit(server)
    const event = await stream.next()
    expect(event?.event).toBe('patch')
    expect(String(event?.data['padding'])).toHaveLength(3_000_000)
  })

  test('loses an event, and the next one shows it', async () => {
    const server = todoServer()
    const stream = await greeted(server)
    server.faults.gap()
    await edit(server)
    const second = (await edit(server)).headers.get('Sync-Cursor')
    const event = await stream.next()
    expect(event).toMatchObject({ event: 'patch', id: second })
    expect(event?.data['prev']).not.toBe(second)
  })

  test('is of another epoch after a restore', async () => {
    const server = todoServer()
    const stream = await greeted(server)
    const before = String((await edit(server)).headers.get('Sync-Cursor'))
    await stream.next()
    await stream.next()
    server.faults.changeEpoch()
    expect(await stream.next()).toMatchObject({ event: 'resync', data: { reason: 'stream-changed' } })
    const after = String((await edit(server)).headers.get('Sync-Cursor'))
    expect(after.split(':')[0]).not.toBe(before.split(':')[0])
    const again = await listen(server.fetch, '/api/sync', { headers: { 'Last-Event-ID': before } })
    expect(await again.next()).toMatchObject({ event: 'hello', data: { resume: 'reset' } })
  })

  test('ends with its token', async () => {
    const server = todoServer()
    const stream = await greeted(server, '/api/sync', { headers: { Authorization: 'old' } })
    server.faults.expireToken()
    expect(await stream.next()).toMatchObject({ event: 'bye', data: { reason: 'auth-expired' } })
    expect(await stream.next()).toBeUndefined()
    expect((await get(server.fetch, '/api/sync', { headers: { Authorization: 'old' } })).status).toBe(401)
    await greeted(server, '/api/sync', { headers: { Authorization: 'new' } })
  })

  test('ends when its client gives up', async () => {
    const server = todoServer()
    const abort = new AbortController()
    const stream = await greeted(server, '/api/sync', { signal: abort.signal })
    expect(server.streams).toBe(1)
    abort.abort(new Error('gone'))
    await expect(stream.next()).rejects.toThrow('gone')
    expect(server.streams).toBe(0)
    const other = await greeted(server)
    await other.close()
    expect(server.streams).toBe(0)
  })

  test('pings in silence', async () => {
    const clock = testClock()
    const server = todoServer({ clock, stream: { heartbeat: 5_000 } })
    const stream = await greeted(server)
    const next = stream.next()
    await clock.advance(6_000)
    expect(await next).toMatchObject({ event: 'ping' })
  })
})

describe('a push', () => {
  test('says what is stale, to everybody or to the readers of a topic', async () => {
    const server = todoServer()
    const all = await greeted(server)
    const some = await greeted(server, '/api/sync?topics=lists')
    await server.push({ keys: [['todos', 7]], topics: ['a', 'b'] })
    expect(await all.next()).toMatchObject({ event: 'invalidate', data: { topics: ['a', 'b'] } })
    expect(await all.next()).toMatchObject({ event: 'invalidate', data: { keys: [['todos', 7]] } })
    await server.push({ keys: [['lists']], to: ['lists'] })
    expect(await some.next()).toMatchObject({ data: { keys: [['lists']] } })
    expect(await all.next()).toMatchObject({ data: { keys: [['lists']] } })
  })

  test('brings the state of a query', async () => {
    const server = todoServer()
    const stream = await greeted(server)
    await server.push({ event: 'state', key: ['cart'], value: { total: 3 } })
    expect(await stream.next()).toMatchObject({ event: 'state', data: { key: ['cart'], value: { total: 3 } } })
  })

  test('sends what a server says of itself, and what a broken one says', async () => {
    const server = todoServer()
    const stream = await greeted(server)
    const cursor = (await edit(server)).headers.get('Sync-Cursor')
    await stream.next()
    await stream.next()
    await server.push({ event: 'resync', reason: 'operator' })
    expect(await stream.next()).toMatchObject({ event: 'resync', data: { prev: cursor, reason: 'operator' } })
    await server.push({ raw: 'event: x\ndata: 1\n\n' })
    expect(await stream.next()).toMatchObject({ event: 'x', data: 1 })
    await server.push({ event: 'bye', reason: 'drain' })
    expect(await stream.next()).toMatchObject({ event: 'bye', data: { reason: 'drain' } })
    expect(await stream.next()).toBeUndefined()
  })

  test('comes from what the server writes itself', async () => {
    const server = todoServer()
    const stream = await greeted(server)
    await server.write((tx) => tx.put('list', 'l', { id: 'l' }, { topics: ['lists'] }))
    expect(await stream.next()).toMatchObject({ event: 'patch', data: { changes: [{ type: 'list', id: 'l' }] } })
    expect((await server.read((tx) => tx.rows('list'))).value).toEqual([{ id: 'l' }])
  })
})
