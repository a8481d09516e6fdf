// What an open stream, its position and its connection are believed to be, and what ends that belief.
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

async function start(options: SyncClientOptions = {}, hello: Parameters<typeof greet>[1] = {}) {
  const world = createWorld({
    mutations: [add],
    stream: syncStream({ url: '/stream', pollInterval: 10_000 }),
    ...options,
  })
  world.sync.start()
  const stream = await greet(world, hello)
  world.watch(list)
  await world.settle()
  await world.net.take('GET').answer([], at(0))
  const write = async (position: number) => {
    const handle = world.sync.mutate(add, 'x')
    await world.settle()
    await world.net.take('POST').answer('x', at(position))
    await handle.confirmed
    await world.settle()
  }
  const how = () => {
    const { stream: state, transport } = world.sync.status.getState()
    return [state, transport]
  }
  return { ...world, stream, write, how }
}

test('there is no alarm while events wait for the reads of a resync', async () => {
  const { advance, how, stream, sync, write, reports, net } = await start()
  for (let turn = 0; turn < 5; turn++) {
    await advance(14_000) // resyncs further apart than a minute are not spread
    await stream.send('ping', { cursor: 'e:0' })
  }
  await stream.send('resync', { reason: 'overflow' }, 1)
  await write(2)
  await stream.ack(2, [])
  await advance(6_000)
  expect([net.waiting.map(({ url }) => url), sync.status.getState().cursor]).toEqual([['/list'], 'e:1'])
  await advance(9_000)
  expect(sync.status.getState().cursor).toBe('e:2')
  expect([how(), reports.map(({ message }) => message)]).toEqual([['open', 'stream'], []])
})

test('a stream that is behind and may not be polled beside is not called open', async () => {
  const { advance, how, write } = await start({ stream: syncStream({ url: '/stream', pollInterval: false }) })
  await write(1)
  await advance(6000)
  expect(how()).not.toEqual(['open', 'stream'])
})

test('a stream that caught up by a resync is live again, whatever the reads are told', async () => {
  const { advance, how, stream, write, net } = await start()
  await write(1)
  await advance(6000)
  expect(how()).toEqual(['polling', 'poll'])
  await stream.send('ping', { cursor: 'e:1' })
  await advance(3000)
  for (const read of [...net.waiting]) await read.answer([])
  await advance(0)
  expect(how()).toEqual(['open', 'stream'])
})

test.each([
  [{}, 27_500],
  [{ heartbeat: 2_000 }, 8_000],
  [{ progress: 4_000 }, 9_000],
  [{ heartbeat: 2_000, progress: 4_000 }, 9_000],
])('a read may be ahead of a stream whose hello says %o for %i ms', async (hello, time) => {
  const { advance, how, net, sync } = await start({}, hello)
  void sync.queryClient.refetchQueries({ queryKey: ['list'] })
  await advance(0)
  await net.take('GET').answer([], at(1))
  await advance(time - 1)
  expect(how()).toEqual(['open', 'stream'])
  await advance(1)
  expect(how()).toEqual(['polling', 'poll'])
})

test('a ping in the chunk of the event that it names is no gap', async () => {
  const { advance, stream, net } = await start()
  void stream.send('ack', { mutations: [] }, 1)
  void stream.send('ping', { cursor: 'e:1' })
  await advance(3000)
  expect(net.waiting).toEqual([])
})

describe('a stream of another origin', () => {
  function open(answer: (url: string, headers: Headers, n: number) => Response | 'dead' | undefined) {
    vi.stubGlobal('location', new URL('https://app.example/'))
    const asked: [id: string | null, search: string][] = []
    const base = createWorld()
    const fetch: typeof base.net.fetch = (input, init) => {
      const headers = new Headers(init?.headers)
      if (!String(input).startsWith('https://hub.example/')) return base.net.fetch(input, init)
      asked.push([headers.get('last-event-id'), new URL(String(input)).search])
      const given = answer(String(input), headers, asked.length)
      if (given === 'dead') return Promise.reject(new TypeError('Failed to fetch'))
      return given === undefined ? base.net.fetch(input, init) : Promise.resolve(given)
    }
    const world = createWorld({
      stream: syncStream({ url: 'https://hub.example/sync' }),
      platform: { fetch, clock: base.clock, network: base.net.network },
    })
    world.sync.start()
    return { base, asked, world }
  }

  test.each([410, 400, 414, 431])('%i to a position in the address is the position’s fault', async (status) => {
    const { base, asked, world } = open((url, headers) =>
      headers.has('last-event-id')
        ? 'dead'
        : url.includes('last_event_id')
          ? new Response(null, { status })
          : undefined,
    )
    const stream = await greet(base)
    await stream.connection.close()
    await base.advance(60_000)
    expect(asked.slice(0, 5)).toEqual([
      [null, ''],
      ['e:0', ''],
      ['e:0', ''],
      [null, '?last_event_id=e%3A0'],
      [null, ''],
    ])
    expect(world.sync.status.getState().stream).not.toBe('stopped')
  })

  test('an outage of a hub that has taken the header keeps the header and the position', async () => {
    let isDead = false
    const { base, asked } = open(() => (isDead ? 'dead' : undefined))
    const first = await greet(base)
    await first.connection.close()
    await base.advance(4000)
    await greet(base, { resume: 'continued' })
    await base.advance(40_000)
    isDead = true
    await base.net.stream().close()
    await base.advance(120_000)
    isDead = false
    await base.advance(60_000)
    expect(asked.slice(1).map(([id, search]) => `${id}${search}`)).toEqual(asked.slice(1).map(() => 'e:0'))
  })
})

test('a connection that hangs while offline is no proxy', async () => {
  vi.stubGlobal('location', undefined)
  const base = createWorld()
  const world = createWorld({
    stream: syncStream({ url: '/s' }),
    platform: {
      fetch: (_u, init) =>
        new Promise((_, no) => init?.signal?.addEventListener('abort', () => no(init.signal?.reason))),
      clock: base.clock,
      network: base.net.network,
    },
  })
  world.sync.start()
  await base.advance(1000)
  await base.net.network.set('offline')
  await base.advance(25_000)
  expect(world.reports.map(({ message }) => message)).toEqual([])
  expect(world.sync.status.getState().stream).not.toBe('polling')
})

describe('a request that waits 5 s on an http: page', () => {
  async function crowd(page: string | undefined, url = '/stream') {
    vi.stubGlobal('location', page === undefined ? undefined : new URL(page))
    const started = await start({ stream: syncStream({ url, pollInterval: 10_000 }) })
    const status = () => started.sync.status.getState()
    const ask = async () => {
      void started.sync.queryClient.refetchQueries({ queryKey: ['list'] })
      await started.advance(0)
    }
    return { ...started, ask, status }
  }

  test('is given the stream’s connection, which is said once; the stream comes back, later each time', async () => {
    const { advance, ask, clock, how, net, reports, status, stream } = await crowd('http://app.example/')
    await ask()
    await advance(4_999)
    expect([how(), stream.connection.open]).toEqual([['open', 'stream'], true])
    await advance(1)
    expect([how(), stream.connection.open]).toEqual([['polling', 'poll'], false])
    expect(reports.map(({ message }) => message)).toEqual([
      expect.stringMatching(/allows six connections per origin over all tabs/),
    ])
    await net.take('GET').answer([], at(0))
    const wait = (status().nextTryAt ?? 0) - clock.now()
    expect(wait).toBeGreaterThanOrEqual(30_000)
    for (let second = 0; net.streams.length < 2 && second < 400; second++) {
      await advance(1_000)
      for (const read of [...net.waiting]) await read.answer([], at(0))
    }
    await net.stream().send('hello', { protocol: 1, epoch: 'e', resume: 'continued', cursor: 'e:0' })
    await advance(0)
    expect(how()).toEqual(['open', 'stream'])
    await ask()
    await advance(5_000)
    expect(how()[0]).toBe('polling')
    expect(reports.filter(({ message }) => message.includes('six connections'))).toHaveLength(1)
  })

  test.each([
    ['https://app.example/', '/stream'],
    [undefined, '/stream'],
    ['http://app.example/', 'http://hub.example/stream'],
  ])('on %s with the stream at %s changes nothing', async (page, url) => {
    const { advance, ask, how } = await crowd(page, url)
    await ask()
    await advance(6_000)
    expect(how()).toEqual(['open', 'stream'])
  })

  test.each([
    ['once, for long', 60_000],
    ['again and again, each time for a short while', 1_000],
  ])('of a transport of the application, %s, is given the connection, too', async (_, timeout) => {
    vi.stubGlobal('location', new URL('http://app.example/'))
    const foreign = defineMutation({
      mutationKey: ['foreign'],
      mutationFn: (_: void, { signal }) =>
        new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason as Error))),
    })
    const { sync, advance, how } = await start({
      mutations: [foreign],
      timeout,
      stream: syncStream({ url: '/stream', pollInterval: 10_000 }),
    })
    sync.mutate(foreign)
    await advance(4_900)
    expect(how()).toEqual(['open', 'stream'])
    await advance(200)
    expect(how()).toEqual(['polling', 'poll'])
  })

  test('of such a transport, that is answered in time, changes nothing', async () => {
    vi.stubGlobal('location', new URL('http://app.example/'))
    let tries = 0
    const foreign = defineMutation({
      mutationKey: ['foreign'],
      mutationFn: (_: void) => {
        tries++
        return tries < 9 ? Promise.reject(Object.assign(new Error('busy'), { status: 503 })) : Promise.resolve()
      },
    })
    const { sync, advance, how } = await start({
      mutations: [foreign],
      stream: syncStream({ url: '/stream', pollInterval: 10_000 }),
    })
    sync.mutate(foreign)
    for (let second = 0; second < 10; second++) await advance(1_000)
    expect(tries).toBeGreaterThan(1)
    expect(how()).toEqual(['open', 'stream'])
  })

  test('and is answered in time changes nothing, nor does an absolute address of the same origin confuse it', async () => {
    const { advance, ask, how, net } = await crowd('http://app.example/', 'http://app.example/stream')
    await ask()
    await advance(4_000)
    await net.take('GET').answer([], at(0))
    await advance(6_000)
    expect(how()).toEqual(['open', 'stream'])
    await ask()
    await advance(5_000)
    expect(how()).toEqual(['polling', 'poll'])
  })
})
