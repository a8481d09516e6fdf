// The table of outcomes against a real server: what each answer leads to, and when the next request leaves. Time is
// virtual, so that every wait is exact; sockets are real.
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { StreamStatus } from '../../src/stream/stream'
import type { Handler } from './support/server'
import { EVENT_STREAM, expectClean, serve, serveRaw, until } from './support/server'
import type { SyncBenchOptions } from './support/sync'
import { createSyncBench, hello } from './support/sync'

const MINUTE = 60_000

async function start(handler: Handler, options: SyncBenchOptions = {}) {
  const server = await serve(handler)
  const bench = createSyncBench({ url: server.url, fetch: (url, init) => fetch(url, init), ...options })
  const { stream, clock } = bench
  /** Waits until it stands so, however real the network is. */
  const stands = (state: StreamStatus['state'], requests = server.requests.length) =>
    until(() => {
      const now = stream.status.getState()
      const isSettled = now.nextTryAt !== undefined || (state !== 'waiting' && state !== 'polling')
      return now.state === state && isSettled && server.requests.length >= requests
    }, `state ${state}`)
  /** Lets the wait that is going on pass; returns how long it was. */
  const pass = async () => {
    const { nextTryAt = Number.NaN } = stream.status.getState()
    const wait = nextTryAt - clock.now()
    const before = server.requests.length
    await clock.advance(wait - 1)
    expect(server.requests.length).toBe(before)
    await clock.advance(1)
    await until(() => server.requests.length > before, 'the next request')
    return wait
  }
  stream.start()
  const end = async () => {
    stream.stop()
    await expectClean(server, clock)
  }
  return { ...bench, server, stands, pass, end }
}

const open = (response: ServerResponse, text = hello('e:0')) => response.writeHead(200, EVENT_STREAM).write(text)
const ids = (bench: { server: { requests: Array<{ headers: Record<string, unknown> }> } }) =>
  bench.server.requests.map(({ headers }) => headers['last-event-id'])

describe('200', () => {
  test.each(['text/event-stream', 'text/event-stream; charset=utf-8', 'Text/Event-Stream ;x=y'])(
    'of type %s is a stream',
    async (type) => {
      const bench = await start((_, response) => response.writeHead(200, { 'content-type': type }).write(hello('e:0')))
      await bench.stands('open')
      await bench.end()
    },
  )

  test.each(['text/html', 'text/event-streams', 'application/json', undefined])(
    'of type %s three times is polled instead',
    async (type) => {
      const bench = await start((_, response) => {
        if (type !== undefined) response.setHeader('content-type', type)
        response.writeHead(200).end('<form action="/login">')
      })
      await bench.stands('waiting', 1)
      await bench.pass()
      await bench.stands('waiting', 2)
      await bench.pass()
      await bench.stands('polling', 3)
      expect(bench.stream.status.getState()).toMatchObject({
        transport: 'poll',
        lastError: { code: 'http', status: 200 },
      })
      await bench.clock.advance(MINUTE)
      expect(bench.calls.filter(({ call }) => call === 'poll').length).toBeGreaterThanOrEqual(2)
      const wait = await bench.pass()
      expect(wait).toBeGreaterThan(3 * MINUTE)
      expect(bench.reports).toHaveLength(1)
      await bench.end()
    },
  )

  test('of another type, then a stream: polling ends', async () => {
    const bench = await start((_, response, count) => (count < 3 ? response.writeHead(200).end() : open(response)))
    await bench.stands('waiting', 1)
    await bench.pass()
    await bench.stands('waiting', 2)
    await bench.pass()
    await bench.stands('polling', 3)
    await bench.pass()
    await bench.stands('open')
    bench.forget()
    await bench.clock.advance(0)
    expect(bench.stream.status.getState()).toMatchObject({ transport: 'stream', lastError: undefined })
    bench.stream.stop()
    await bench.end()
    expect(bench.calls.filter(({ call }) => call === 'poll')).toEqual([])
  })
})

describe('an answer that is no stream', () => {
  test.each([201, 202, 206, 304])('with status %d is tried again, then polled', async (status) => {
    const bench = await start((_, response) => response.writeHead(status, EVENT_STREAM).end())
    await bench.stands('waiting', 1)
    await bench.pass()
    await bench.stands('waiting', 2)
    await bench.pass()
    await bench.stands('polling', 3)
    await bench.end()
  })

  test('that redirects for ever is tried again, then polled', async () => {
    const bench = await start((_, response) => response.writeHead(302, { location: '/sync' }).end())
    await bench.stands('waiting')
    for (let i = 0; i < 2; i++) {
      const before = bench.server.requests.length
      await bench.clock.advance(30_000)
      await until(() => bench.server.requests.length > before)
      await until(() => ['waiting', 'polling'].includes(bench.stream.status.getState().state))
    }
    await bench.stands('polling')
    await bench.end()
  })

  test('204 ends it for good', async () => {
    const bench = await start((_, response) => response.writeHead(204).end())
    await bench.stands('ended')
    await bench.clock.advance(60 * MINUTE)
    expect([bench.server.requests.length, bench.clock.timers()]).toEqual([1, 0])
    await bench.end()
  })
})

describe.each([414, 431])('%d', (status) => {
  test('with a position may be the position’s length: drops it once; without one there is no stream', async () => {
    const bench = await start((_, response) => response.writeHead(status).end(), { cursor: 'e:9' })
    await bench.stands('waiting')
    await bench.pass()
    await bench.stands('polling', 2)
    expect(ids(bench)).toEqual(['e:9', undefined])
    await bench.end()
  })
})

describe.each([400, 422])('%d', (status) => {
  test('with a position drops it once and connects afresh', async () => {
    const bench = await start(
      (_, response, count) => (count === 0 ? response.writeHead(status).end() : open(response)),
      { cursor: 'e:9' },
    )
    await bench.stands('waiting')
    expect(await bench.pass()).toBeLessThanOrEqual(1_000)
    await bench.stands('open')
    expect(ids(bench)).toEqual(['e:9', undefined])
    expect(bench.calls).toEqual([{ call: 'resync', reason: 'expired', cursor: 'e:0' }])
    await bench.end()
  })

  test('without a position stops it, and says so', async () => {
    const bench = await start((_, response) => response.writeHead(status).end(), { cursor: 'e:9' })
    await bench.stands('waiting')
    await bench.pass()
    await bench.stands('stopped')
    await bench.clock.advance(60 * MINUTE)
    expect(bench.server.requests.length).toBe(2)
    expect(bench.reports).toEqual([expect.objectContaining({ code: 'http', status })])
    await bench.end()
  })
})

describe('401', () => {
  test('refreshes once, shared, and tries again at once', async () => {
    let token = 'old'
    let refreshes = 0
    const bench = await start(
      (request, response) => (request.headers.authorization === 'new' ? open(response) : response.writeHead(401).end()),
      {
        headers: async () => ({ authorization: token }),
        refreshAuth: async () => {
          refreshes++
          token = 'new'
          return true
        },
      },
    )
    await bench.stands('open')
    expect([refreshes, bench.server.requests.length, bench.reports]).toEqual([1, 2, []])
    await bench.end()
  })

  test('twice waits for other credentials, which a wake-up looks for and `retryNow` believes in', async () => {
    let token = 'old'
    let refreshes = 0
    const bench = await start(
      (request, response) => (request.headers.authorization === 'new' ? open(response) : response.writeHead(401).end()),
      {
        headers: async () => ({ authorization: token }),
        refreshAuth: async () => {
          refreshes++
          return true
        },
      },
    )
    await bench.stands('unauthorized')
    bench.network.emit('online')
    await bench.clock.advance(60 * MINUTE)
    expect([refreshes, bench.server.requests.length, bench.reports.length]).toEqual([1, 2, 1])
    bench.stream.retryNow()
    await until(() => bench.server.requests.length === 3)
    await bench.stands('unauthorized')
    token = 'new'
    bench.network.emit('visible')
    await bench.clock.advance(1_000)
    await bench.stands('open')
    await bench.end()
  })

  test('without new credentials does not ask again', async () => {
    const bench = await start((_, response) => response.writeHead(401).end(), { refreshAuth: async () => false })
    await bench.stands('unauthorized')
    expect(bench.server.requests.length).toBe(1)
    await bench.end()
  })

  test('while the refresh itself fails waits, and reports why', async () => {
    const bench = await start((_, response) => response.writeHead(401).end(), {
      refreshAuth: () => Promise.reject(new Error('no network')),
    })
    await bench.stands('unauthorized')
    expect(bench.reports.map(({ code }) => code)).toEqual(['unauthorized', 'unauthorized'])
    await bench.end()
  })
})

test('403 stops it, and says so', async () => {
  const bench = await start((_, response) => response.writeHead(403).end())
  await bench.stands('stopped')
  await bench.clock.advance(60 * MINUTE)
  expect(bench.server.requests.length).toBe(1)
  expect(bench.reports).toEqual([expect.objectContaining({ status: 403 })])
  await bench.end()
})

test.each([404, 405, 406, 501, 415, 451])('%d is polled at once, and probed each five minutes', async (status) => {
  const bench = await start((_, response, count) => (count < 2 ? response.writeHead(status).end() : open(response)))
  await bench.stands('polling', 1)
  const wait = await bench.pass()
  expect(wait).toBeGreaterThanOrEqual(4.5 * MINUTE)
  expect(wait).toBeLessThanOrEqual(5.5 * MINUTE)
  await bench.stands('polling', 2)
  await bench.pass()
  await bench.stands('open')
  expect(bench.reports).toHaveLength(1)
  await bench.end()
})

test.each([409, 410, 412])('%d forgets the position and resyncs', async (status) => {
  const bench = await start(
    (request, response) =>
      request.headers['last-event-id'] ? response.writeHead(status).end() : open(response, hello('f:3')),
    { cursor: 'e:9' },
  )
  await bench.stands('waiting')
  expect(await bench.pass()).toBeLessThanOrEqual(1_000)
  await bench.stands('open')
  expect(ids(bench)).toEqual(['e:9', undefined])
  expect(bench.calls).toEqual([{ call: 'resync', reason: 'expired', cursor: 'f:3' }])
  expect(bench.stream.cursor()).toBe('f:3')
  await bench.end()
})

describe.each([408, 425, 429, 500, 502, 503, 504, 599])('%d', (status) => {
  test('is tried again for ever, further and further apart', async () => {
    const bench = await start((_, response) => response.writeHead(status).end(), { seed: status })
    const waits: number[] = []
    for (let i = 1; i <= 12; i++) {
      await bench.stands('waiting', i)
      expect(bench.stream.status.getState()).toMatchObject({ attempt: i, lastError: { code: 'http', status } })
      waits.push(await bench.pass())
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(MINUTE)
    expect(waits.slice(4).reduce((a, b) => a + b)).toBeGreaterThan(waits.slice(0, 4).reduce((a, b) => a + b))
    await bench.end()
  })
})

describe('Retry-After', () => {
  const withRetryAfter = (value: string) =>
    start((_, response) => response.writeHead(503, { 'retry-after': value }).end())

  test('in seconds is a floor, with up to a quarter more', async () => {
    const bench = await withRetryAfter('120')
    await bench.stands('waiting')
    const wait = await bench.pass()
    expect(wait).toBeGreaterThanOrEqual(120_000)
    expect(wait).toBeLessThanOrEqual(150_000)
    await bench.end()
  })

  test('as a date is a floor, with up to a quarter more', async () => {
    const bench = await withRetryAfter(new Date(1_700_000_000_000 + 300_000).toUTCString())
    await bench.stands('waiting')
    const wait = await bench.pass()
    expect(wait).toBeGreaterThanOrEqual(299_000)
    expect(wait).toBeLessThanOrEqual(376_000)
    await bench.end()
  })

  test.each(['1000000000', 'Fri, 31 Dec 9999 23:59:59 GMT'])('%s is capped at an hour', async (value) => {
    const bench = await withRetryAfter(value)
    await bench.stands('waiting')
    const wait = await bench.pass()
    expect(wait).toBeGreaterThanOrEqual(60 * MINUTE)
    expect(wait).toBeLessThanOrEqual(75 * MINUTE)
    await bench.end()
  })

  test.each(['soon', '-5', '1.5', '', 'Sun, 06 Nov 1994 08:49:37 GMT', '0'])(
    '"%s" leaves the usual wait',
    async (value) => {
      const bench = await withRetryAfter(value)
      await bench.stands('waiting')
      const wait = await bench.pass()
      expect(wait).toBeGreaterThanOrEqual(1_000)
      expect(wait).toBeLessThanOrEqual(3_000)
      await bench.end()
    },
  )

  test('is a floor for wake-ups too, and none for the user', async () => {
    const bench = await withRetryAfter('120')
    await bench.stands('waiting')
    bench.network.emit('online')
    bench.network.emit('visible')
    await bench.clock.advance(119_000)
    expect(bench.server.requests.length).toBe(1)
    bench.stream.retryNow()
    await until(() => bench.server.requests.length === 2)
    await bench.end()
  })
})

describe('a network that fails', () => {
  test('is tried again for ever; after three attempts what is watched is polled as well', async () => {
    const server = await serve(() => {})
    await server.close()
    const bench = createSyncBench({ url: server.url, fetch: (url, init) => fetch(url, init) })
    bench.stream.start()
    for (let i = 1; i <= 6; i++) {
      await until(
        () => bench.stream.status.getState().attempt === i && bench.stream.status.getState().nextTryAt !== undefined,
      )
      expect(bench.stream.status.getState()).toMatchObject({
        state: i < 3 ? 'waiting' : 'polling',
        lastError: { code: 'network' },
      })
      await bench.clock.advance((bench.stream.status.getState().nextTryAt ?? 0) - bench.clock.now())
    }
    bench.stream.stop()
    expect(bench.clock.timers()).toBe(0)
  })

  test('without an answer is polled after 8 s, and given up after 20 s', async () => {
    const server = await serveRaw(() => {})
    const bench = createSyncBench({ url: server.url, fetch: (url, init) => fetch(url, init) })
    bench.stream.start()
    await until(() => server.sockets() === 1)
    await bench.clock.advance(7_999)
    expect(bench.stream.status.getState().state).toBe('connecting')
    await bench.clock.advance(1)
    expect(bench.stream.status.getState()).toMatchObject({ state: 'polling', transport: 'poll' })
    expect(bench.reports.map(({ message }) => message)).toEqual([
      expect.stringContaining('The stream was not answered within 8 s: a proxy may hold it back'),
    ])
    expect(server.sockets()).toBe(1)
    await bench.clock.advance(12_000)
    expect(bench.stream.status.getState()).toMatchObject({ state: 'polling', lastError: { code: 'timeout' } })
    bench.stream.stop()
    await expectClean(server, bench.clock)
  })

  test.each(['nonsense\r\n\r\n', 'HTTP/1.1 abc\r\n\r\n', ''])(
    'with an answer that is no HTTP (%j) is tried again',
    async (text) => {
      const server = await serveRaw((socket) => socket.once('data', () => socket.end(text)))
      const bench = createSyncBench({ url: server.url, fetch: (url, init) => fetch(url, init) })
      bench.stream.start()
      await until(() => bench.stream.status.getState().state === 'waiting')
      expect(bench.stream.status.getState().lastError?.code).toBe('network')
      bench.stream.stop()
      await expectClean(server, bench.clock)
    },
  )
})

describe('a head without a hello', () => {
  test('is a proxy that holds it back: polled from the first on, said once, probed later after three', async () => {
    const bench = await start((_, response) => {
      response.writeHead(200, EVENT_STREAM).flushHeaders()
    })
    for (let i = 1; i <= 3; i++) {
      await until(() => bench.server.requests.length === i)
      await until(() => bench.clock.timers() > 1, 'the answer')
      await new Promise((resolve) => setTimeout(resolve, 20))
      await bench.clock.advance(10_000)
      await bench.stands('polling')
      if (i < 3) await bench.pass()
    }
    expect(bench.reports.map(({ message }) => message)).toEqual([expect.stringContaining('a proxy may hold it back')])
    expect((bench.stream.status.getState().nextTryAt ?? 0) - bench.clock.now()).toBeGreaterThan(4 * MINUTE)
    await bench.end()
  })
})
