// Much at once, on real sockets and in real time: bursts, slow consumers, many clients, compression, HTTP/2.
import { createServer as createHttp2Server, connect as http2Connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { constants, createGzip } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { seededRandom } from '../../src/platform/ids'
import type { FetchLike } from '../../src/platform/transport'
import { createSyncStream } from '../../src/stream/stream'
import { createEventStream } from '../../src/wire/event-stream'
import { frame } from './support/scripted'
import type { CountingClock } from './support/server'
import { createFastClock, EVENT_STREAM, expectClean, serve, until } from './support/server'
import { change, hello } from './support/sync'
import { createVirtualNetwork } from './support/virtual'

function createRecorder(
  url: string,
  clock: CountingClock,
  apply: (count: number) => void = () => {},
  fetchLike: FetchLike = (input, init) => fetch(input, init),
) {
  const seen = { invalidations: 0, transactions: 0, resyncs: [] as string[] }
  const stream = createSyncStream(
    {
      clock,
      random: seededRandom(1),
      network: createVirtualNetwork(),
      fetch: fetchLike,
      headers: async () => ({}),
      report: () => {},
      target: {
        apply(messages) {
          seen.transactions++
          seen.invalidations += messages.length
          apply(messages.length)
        },
        outcomes: () => {},
        reached: () => {},
        resync: async ({ reason }) => void seen.resyncs.push(reason),
        poll: () => {},
      },
    },
    { url },
  )
  stream.start()
  return { stream, seen }
}

describe('ten thousand events a second', () => {
  const events = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => change(`e:${from + i}`, `e:${from + i + 1}`)).join('')

  test('reach a fast consumer in time, in few transactions, and let the event loop breathe', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, EVENT_STREAM).write(hello('e:0'))
      let sent = 0
      const timer = setInterval(() => {
        response.write(events(sent, sent + 100))
        sent += 100
        if (sent === 20_000) clearInterval(timer)
      }, 10)
      response.on('close', () => clearInterval(timer))
    })
    const clock = createFastClock()
    const { stream, seen } = createRecorder(server.url, clock)
    await until(() => stream.cursor() === 'e:20000', 'the last event', 20_000)
    expect(seen.resyncs).toEqual(['fresh'])
    expect(seen.invalidations).toBeLessThanOrEqual(20_000)
    stream.stop()
    await expectClean(server, clock)
  })

  test('in one burst hold the event loop for 5 ms at a time', async () => {
    const burst = Array.from({ length: 20_000 }, (_, i) =>
      frame('patch', { prev: `e:${i}`, changes: [] }, `e:${i + 1}`),
    )
    const server = await serve(
      (_, response) => void response.writeHead(200, EVENT_STREAM).write(hello('e:0') + burst.join('')),
    )
    // A clock of work: each event takes 0.05 ms, whatever else this machine does.
    const real = createFastClock()
    let work = real.now()
    const clock = { ...real, now: () => work }
    const perTurn: number[] = []
    let isSameTurn = false
    const { stream } = createRecorder(server.url, clock, () => {
      work += 0.05
      if (!isSameTurn) {
        perTurn.push(0)
        setImmediate(() => {
          isSameTurn = false
        })
      }
      isSameTurn = true
      perTurn.push((perTurn.pop() ?? 0) + 1)
    })
    await until(() => stream.cursor() === 'e:20000', 'the last event', 20_000)
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(101)
    stream.stop()
    await expectClean(server, clock)
  })

  test('make the server wait for a slow consumer, and memory stays flat', async () => {
    const line = `data: ${'x'.repeat(1_000)}\n\n`
    let written = 0
    let blocked = 0
    let wake = () => {}
    const server = await serve(async (_, response) => {
      response.writeHead(200, EVENT_STREAM)
      response.on('drain', () => wake()).on('close', () => wake())
      while (!response.destroyed && written < 200_000) {
        written++
        if (response.write(line)) continue
        blocked++
        await new Promise((resolve) => {
          wake = () => resolve(undefined)
        })
      }
    })
    const clock = createFastClock()
    let received = 0
    const stream = createEventStream(
      {
        url: server.url,
        async onMessage() {
          received++
          if (received % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
        },
      },
      { clock, network: createVirtualNetwork() },
    )
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    stream.start()
    await until(() => received >= 10_000, 'ten thousand events', 50_000)
    const grown = process.memoryUsage().rss - before
    // What is on its way is bounded by the queue and the sockets' buffers, not by what the server has.
    expect(written - received).toBeLessThan(20_000)
    expect(blocked).toBeGreaterThan(0)
    expect(grown).toBeLessThan(150 * 1_048_576)
    stream.stop()
    await expectClean(server, clock)
  })
})

describe('compression', () => {
  const gzipped = async (flushes: boolean) =>
    serve((_, response) => {
      response.writeHead(200, { ...EVENT_STREAM, 'content-encoding': 'gzip' })
      const gzip = createGzip()
      gzip.pipe(response)
      gzip.write(hello('e:0') + change('e:0', 'e:1'))
      if (flushes) gzip.flush(constants.Z_SYNC_FLUSH)
      response.on('close', () => gzip.destroy())
    })

  test('that is flushed is no hindrance', async () => {
    const server = await gzipped(true)
    const clock = createFastClock()
    const { stream } = createRecorder(server.url, clock)
    await until(() => stream.cursor() === 'e:1')
    stream.stop()
    await expectClean(server, clock)
  })

  test('that is never flushed is a stream that does not speak: polled from the first attempt on', async () => {
    const server = await gzipped(false)
    const clock = createFastClock(100)
    const { stream } = createRecorder(server.url, clock)
    await until(() => stream.status.getState().state === 'polling')
    expect([server.requests.length, stream.status.getState().lastError?.code]).toEqual([1, 'timeout'])
    stream.stop()
    await expectClean(server, clock)
  })
})

test('HTTP/2 carries a stream, its end and its abort', async () => {
  let opened = 0
  let closed = 0
  const server = createHttp2Server()
  server.on('stream', (stream) => {
    const count = opened++
    stream.on('close', () => closed++)
    stream.on('error', () => {})
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    stream.write(hello(count === 0 ? 'e:0' : 'e:1', count === 0 ? 'fresh' : 'continued'))
    if (count === 0) stream.end(change('e:0', 'e:1'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const session = http2Connect(origin)
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  const fetchOverHttp2: FetchLike = (url, init) =>
    new Promise((resolve, reject) => {
      const headers = Object.fromEntries(new Headers(init?.headers))
      const request = session.request(
        { ':path': new URL(url).pathname, ...headers },
        { ...(init?.signal ? { signal: init.signal } : {}) },
      )
      request.on('error', reject)
      request.on('response', (head) =>
        resolve(
          new Response(Readable.toWeb(request) as ReadableStream, {
            status: Number(head[':status']),
            headers: { 'content-type': String(head['content-type']) },
          }),
        ),
      )
    })
  const clock = createFastClock(20)
  const { stream, seen } = createRecorder(`${origin}/sync`, clock, undefined, fetchOverHttp2)
  await until(() => opened === 2 && stream.status.getState().state === 'open')
  expect([stream.cursor(), seen.resyncs]).toEqual(['e:1', ['fresh']])
  stream.stop()
  await until(() => closed === 2, 'the end of the last stream')
  expect(clock.timers()).toBe(0)
})
