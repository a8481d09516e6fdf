// 'Live' is what was measured: positions that reads and writes are told, against the stream's. And what a stream's server or
// its proxies may do with positions.
import type { SyncClientOptions } from 'tidemark'
import { defineMutation, queryOptions, syncStream } from 'tidemark'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { greet } from '../kit/stream'
import { createWorld } from '../kit/world'

const list = queryOptions({
  queryKey: ['list'],
  queryFn: ({ fetch }) => fetch('/list').then((answer) => answer.json()),
})
const add = defineMutation({
  mutationKey: ['add'],
  mutationFn: (text: string, { fetch }) =>
    fetch('/add', { body: JSON.stringify(text) }).then((answer) => answer.json()),
})
const at = (position: number) => ({ headers: { 'sync-cursor': `e:${position}` } })

afterEach(() => vi.unstubAllGlobals())

async function start(options: SyncClientOptions = {}) {
  const world = createWorld({
    mutations: [add],
    stream: syncStream({ url: '/stream', pollInterval: 10_000 }),
    ...options,
  })
  world.sync.start()
  const stream = await greet(world)
  world.watch(list)
  await world.settle()
  await world.net.take('GET').answer([], at(0))
  const write = async (position: number) => {
    const handle = world.sync.mutate(add, 'x')
    await world.settle()
    await world.net.take('POST').answer('x', at(position))
    await handle.confirmed
    await world.settle()
    for (const read of [...world.net.waiting]) await read.answer([], at(position))
  }
  const how = () => {
    const { stream: state, transport } = world.sync.status.getState()
    return [state, transport]
  }
  return { ...world, stream, write, how }
}

describe('an open stream', () => {
  test('that does not tell of an own write within 5 s is polled beside, said once, and live again when it does', async () => {
    const { advance, how, net, reports, stream, write } = await start()
    await write(1)
    await advance(4_999)
    expect(how()).toEqual(['open', 'stream'])
    await advance(1)
    expect(how()).toEqual(['polling', 'poll'])
    expect(reports.map(({ code, message }) => [code, message])).toEqual([
      [
        'protocol',
        expect.stringMatching(/^The stream is open, but behind .* polled \(pollInterval\); let the server send /),
      ],
    ])
    await advance(5_000)
    expect(net.waiting.map(({ url }) => url)).toEqual(['/list'])
    await stream.ack(1, [])
    expect(how()).toEqual(['open', 'stream'])
    await write(2)
    await advance(5_000)
    expect(how()).toEqual(['polling', 'poll'])
    expect(reports).toHaveLength(1)
  })

  test('that tells of it in time is live, however much is written', async () => {
    const { advance, how, reports, stream, write } = await start()
    for (let position = 1; position <= 8; position++) {
      await write(position)
      await advance(3_000)
      await stream.ack(position, [])
    }
    await advance(6_000)
    expect([how(), reports]).toEqual([['open', 'stream'], []])
  })

  test('has until after its next sign of life to reach what a read was told', async () => {
    const { advance, how, net, stream, sync } = await start()
    void sync.queryClient.refetchQueries({ queryKey: ['list'] })
    await advance(0)
    await net.take('GET').answer([], at(7))
    await advance(15_000)
    expect(how()).toEqual(['open', 'stream'])
    await stream.send('ping', { cursor: 'e:7' }, 7)
    await advance(15_000)
    expect(how()).toEqual(['open', 'stream'])
  })

  test('of another log says nothing', async () => {
    const { advance, how, net, sync } = await start()
    void sync.queryClient.refetchQueries({ queryKey: ['list'] })
    await advance(0)
    await net.take('GET').answer([], { headers: { 'sync-cursor': 'other:7' } })
    await advance(30_000)
    expect(how()).toEqual(['open', 'stream'])
  })

  test('whose ping names a position past ours has lost something: read again', async () => {
    const { advance, net, stream } = await start()
    await stream.send('ping', { cursor: 'e:0' })
    await advance(3000)
    expect(net.waiting).toEqual([])
    await stream.send('ping', { cursor: 'e:3' })
    await advance(3000)
    expect(net.waiting.map(({ url }) => url)).toEqual(['/list'])
  })

  test.each([
    [25_000, 0],
    [30_000, 1],
  ])('with a heartbeat of %i ms is warned of %i times', async (heartbeat, count) => {
    const world = createWorld({ stream: syncStream({ url: '/stream' }) })
    world.sync.start()
    await world.settle()
    await world.net.stream().send('hello', { protocol: 1, epoch: 'e', resume: 'fresh', cursor: 'e:0', heartbeat })
    expect(world.warnings.filter((text) => text.includes('heartbeat is 30 s'))).toHaveLength(count)
  })
})

test('a goodbye is kept to by a connection of whatever age', async () => {
  const { advance, net, stream } = await start()
  await stream.send('bye', { reason: 'drain', after: 100, spread: 200 })
  await advance(301)
  expect(net.streams).toHaveLength(2)
})

describe('a stream of another origin whose CORS rules lack Last-Event-ID', () => {
  function open(accepts: (url: string, headers: Headers) => boolean) {
    vi.stubGlobal('location', new URL('https://app.example/'))
    const asked: [id: string | null, search: string][] = []
    const base = createWorld()
    const fetch: typeof base.net.fetch = (input, init) => {
      const headers = new Headers(init?.headers)
      if (!String(input).startsWith('https://hub.example/')) return base.net.fetch(input, init)
      asked.push([headers.get('last-event-id'), new URL(String(input)).search])
      return accepts(String(input), headers)
        ? base.net.fetch(input, init)
        : Promise.reject(new TypeError('Failed to fetch'))
    }
    const world = createWorld({
      stream: syncStream({ url: 'https://hub.example/sync' }),
      platform: { fetch, clock: base.clock, network: base.net.network },
    })
    world.sync.start()
    return { base, asked, world }
  }

  test('gets the position in the address after two attempts', async () => {
    const { base, asked } = open((_, headers) => !headers.has('last-event-id'))
    const stream = await greet(base)
    await stream.connection.close()
    await base.advance(15_000)
    expect(asked.slice(0, 4)).toEqual([
      [null, ''],
      ['e:0', ''],
      ['e:0', ''],
      [null, '?last_event_id=e%3A0'],
    ])
    expect(base.net.streams).toHaveLength(2)
  })

  test('is connected to without one when that fails, too: everything is read again', async () => {
    const { base, asked } = open((url, headers) => !headers.has('last-event-id') && !url.includes('last_event_id'))
    const stream = await greet(base)
    await stream.connection.close()
    await base.advance(120_000)
    expect(asked.slice(3, 6)).toEqual([
      [null, '?last_event_id=e%3A0'],
      [null, '?last_event_id=e%3A0'],
      [null, ''],
    ])
  })
})
