// Streams of other servers through `decode`: one that only says that something changed, one shaped like Mercure's, one
// shaped like Firebase's.
import { describe, expect, test } from 'vitest'
import type { StreamMessage } from '../../src/base/messages'
import type { Decode } from '../../src/stream/entries'
import { frame } from './support/scripted'
import type { SyncBenchOptions } from './support/sync'
import { createSyncBench } from './support/sync'

async function opened(decode: Decode, options: SyncBenchOptions = {}) {
  const messages: StreamMessage[] = []
  const bench = createSyncBench({
    decode,
    target: {
      apply(all, cursor) {
        bench.calls.push({ call: 'apply', events: all.map(({ event }) => event), cursor })
        messages.push(...all)
      },
    },
    ...options,
  })
  bench.server.otherwise = bench.server.open(': welcome\n\n')
  bench.stream.start()
  await bench.clock.advance(0)
  const send = async (...frames: string[]) => {
    bench.server.stream().write(frames.join(''))
    await bench.clock.advance(0)
  }
  const reconnect = async () => {
    bench.server.stream().cut()
    await bench.clock.advance(10_000)
  }
  return { ...bench, messages, send, reconnect }
}

const reasons = (bench: { calls: Array<{ call: string; reason?: string }> }) =>
  bench.calls.flatMap(({ call, reason }) => (call === 'resync' ? [reason] : []))

describe('a stream that says that something changed', () => {
  const decode: Decode = ({ data }) => [{ event: 'invalidate', topics: [data] }]

  test('opens without a hello, and may have missed something each time', async () => {
    const bench = await opened(decode)
    expect(bench.stream.status.getState()).toMatchObject({ state: 'open', transport: 'stream' })
    expect(reasons(bench)).toEqual(['fresh'])
    await bench.send('data: todos\n\n', 'data: lists\n\n')
    expect(bench.messages).toEqual([
      { event: 'invalidate', topics: ['todos'] },
      { event: 'invalidate', topics: ['lists'] },
    ])
    await bench.reconnect()
    expect(reasons(bench)).toEqual(['fresh', 'reconnected'])
    expect(bench.server.requests.at(-1)?.headers.get('last-event-id')).toBe(null)
    bench.stream.stop()
    expect(bench.clock.timers()).toBe(0)
  })

  test('may be silent for ever', async () => {
    const bench = await opened(decode)
    await bench.clock.advance(86_400_000)
    expect([bench.server.requests.length, bench.stream.status.getState().state]).toEqual([1, 'open'])
    bench.stream.stop()
  })

  test('waits with its events for the reads of the resync', async () => {
    const bench = await opened(decode, { slowReads: true })
    await bench.send('data: todos\n\n')
    expect(bench.messages).toEqual([])
    bench.reads[0]?.()
    await bench.clock.advance(0)
    expect(bench.messages).toHaveLength(1)
    bench.stream.stop()
  })
})

describe("a stream shaped like Mercure's", () => {
  // Ids are URNs, data is the resource's new state, and the hub replays after Last-Event-ID.
  const decode: Decode = ({ data }) => {
    const { '@id': iri, ...value } = JSON.parse(data) as { '@id': string; version: number }
    return [{ event: 'patch', changes: [{ op: 'put', type: 'book', id: iri, version: value.version, value }] }]
  }
  const update = (id: string, iri: string, version: number) => frame('message', { '@id': iri, version, title: 'x' }, id)

  test('goes on after its last id, any text, without a resync', async () => {
    const bench = await opened(decode, { replays: true })
    await bench.send(update('urn:uuid:0001-é', '/books/1', 1))
    await bench.reconnect()
    await bench.send(update('urn:uuid:0002', '/books/1', 2))
    expect(reasons(bench)).toEqual(['fresh'])
    expect(bench.messages.map((message) => message.event === 'patch' && message.changes[0])).toEqual(
      [1, 2].map((version) => ({ op: 'put', type: 'book', id: '/books/1', version, value: { version, title: 'x' } })),
    )
    const sent = bench.server.requests.map(({ headers }) => headers.get('last-event-id'))
    expect(sent).toEqual([null, String.fromCharCode(...new TextEncoder().encode('urn:uuid:0001-é'))])
    expect(bench.stream.cursor()).toBeUndefined()
    bench.stream.stop()
  })

  test('resyncs after each break if the hub replays nothing', async () => {
    const bench = await opened(decode)
    await bench.send(update('urn:uuid:1', '/books/1', 1))
    await bench.reconnect()
    expect(reasons(bench)).toEqual(['fresh', 'reconnected'])
    bench.stream.stop()
  })

  test('whose event cannot be decoded is a protocol error and a resync, and the next one counts', async () => {
    const bench = await opened(decode, { replays: true })
    await bench.send('id: urn:uuid:1\ndata: not JSON\n\n', update('urn:uuid:2', '/books/1', 2))
    expect(reasons(bench)).toEqual(['fresh', 'protocol'])
    expect(bench.reports).toEqual([expect.objectContaining({ code: 'protocol', cause: expect.any(SyntaxError) })])
    expect(bench.messages).toHaveLength(1)
    bench.stream.stop()
  })
})

describe("a stream shaped like Firebase's", () => {
  // `put` and `patch` with a path, `keep-alive`, `cancel`, `auth_revoked`.
  const decode: Decode = ({ event, data }) => {
    if (event === 'keep-alive') return []
    if (event === 'auth_revoked') return [{ event: 'bye', reason: 'auth-revoked' }]
    if (event === 'cancel') return [{ event: 'bye', reason: 'gone' }]
    const { path, data: value } = JSON.parse(data) as { path: string; data: unknown }
    const key = path.split('/').filter(Boolean)
    if (event === 'put') return [{ event: 'state', key: ['db', ...key], value }]
    return Object.entries(value as object).map(([name, child]) => ({
      event: 'state',
      key: ['db', ...key, name],
      value: child,
    }))
  }

  test('becomes states of keys; keep-alives are nothing', async () => {
    const bench = await opened(decode, { heartbeat: 30_000 })
    await bench.send(
      frame('put', { path: '/', data: { a: 1 } }),
      frame('keep-alive', 'null'),
      frame('patch', { path: '/a', data: { b: 2, c: 3 } }),
    )
    expect(bench.messages).toEqual([
      { event: 'state', key: ['db'], value: { a: 1 } },
      { event: 'state', key: ['db', 'a', 'b'], value: 2 },
      { event: 'state', key: ['db', 'a', 'c'], value: 3 },
    ])
    await bench.clock.advance(75_000)
    expect(bench.stream.status.getState().state).not.toBe('open')
    bench.stream.stop()
  })

  test.each([
    ['auth_revoked', 'unauthorized'],
    ['cancel', 'ended'],
  ] as const)('%s stands for a farewell', async (event, state) => {
    const bench = await opened(decode)
    await bench.send(frame(event, 'null'), frame('put', { path: '/', data: 1 }))
    expect([bench.stream.status.getState().state, bench.messages]).toEqual([state, []])
    bench.stream.stop()
  })
})

test('a foreign server may speak of cursors: the chain counts then', async () => {
  const bench = await opened(({ data, lastEventId }) => [
    { event: 'invalidate', topics: [data], prev: `log:${Number(lastEventId) - 1}`, id: `log:${lastEventId}` },
  ])
  await bench.send('id: 4\ndata: a\n\n', 'id: 5\ndata: a\n\n', 'id: 5\ndata: a\n\n', 'id: 7\ndata: a\n\n')
  expect(reasons(bench)).toEqual(['fresh', 'gap'])
  expect(bench.messages).toHaveLength(3)
  expect(bench.stream.cursor()).toBe('log:7')
  bench.stream.stop()
})
