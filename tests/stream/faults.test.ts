// What networks and servers do to a stream, on real sockets. Where only order counts the clock is virtual.
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/platform/ids'
import type { EventStreamMessage, EventStreamOptions } from '../../src/wire/event-stream'
import { createEventStream } from '../../src/wire/event-stream'
import { frame } from './support/scripted'
import type { LoopbackServer } from './support/server'
import { EVENT_STREAM, expectClean, RAW_HEAD, serve, serveRaw, until } from './support/server'
import { change, createSyncBench, hello } from './support/sync'
import { createVirtualClock, createVirtualNetwork } from './support/virtual'

/** Bytes of its answers that a server's clients have read. */
const read = new WeakMap<LoopbackServer, number>()

const readOf = (server: LoopbackServer): number => read.get(server) ?? 0

/** `fetch` that counts what is read of the answer. */
async function countingFetch(server: LoopbackServer, url: string, init?: RequestInit): Promise<Response> {
  const answer = await fetch(url, init)
  const { body } = answer
  const getReader = body?.getReader.bind(body)
  if (body === null || getReader === undefined) return answer
  const counting = (): ReadableStreamDefaultReader<Uint8Array> => {
    const reader = getReader()
    const next = reader.read.bind(reader)
    reader.read = async () => {
      const part = await next()
      read.set(server, readOf(server) + (part.value?.length ?? 0))
      return part
    }
    return reader
  }
  Object.assign(body, { getReader: counting })
  return answer
}

/** An event stream of its own in virtual time, on a real server. */
function connect(server: LoopbackServer, options: Partial<EventStreamOptions> = {}) {
  const clock = createVirtualClock()
  const network = createVirtualNetwork()
  const messages: EventStreamMessage[] = []
  const errors: unknown[] = []
  const stream = createEventStream(
    {
      url: server.url,
      onMessage: (message) => void messages.push(message),
      onError: (error) => void errors.push(error),
      fetch: (url, init) => countingFetch(server, url, init),
      ...options,
    },
    { clock, network, random: seededRandom(3) },
  )
  stream.start()
  const state = () => stream.status.getState()
  const stands = (wanted: ReturnType<typeof state>['state']) => until(() => state().state === wanted, `state ${wanted}`)
  const data = () => messages.map((message) => message.data)
  const end = async () => {
    stream.stop()
    await expectClean(server, clock)
  }
  /** Lets the wait pass, and the next connection open. */
  const again = async () => {
    const before = server.sockets()
    await clock.advance((state().nextTryAt ?? Number.NaN) - clock.now())
    await until(() => state().state !== 'waiting' || server.sockets() > before)
  }
  return { clock, network, messages, errors, stream, state, stands, data, end, again }
}

const event = (id: number) => `id: ${id}\ndata: ${id}\n\n`

describe('a connection that ends', () => {
  const ends: Record<string, (server: LoopbackServer, end: () => void) => void> = {
    cleanly: (_, end) => end(),
    'by a broken socket': (server) => server.kill(),
  }
  describe.each(Object.keys(ends))('%s', (how) => {
    const serveEnding = async (first: string) => {
      const server: LoopbackServer = await serve((_, response, count) => {
        response.writeHead(200, EVENT_STREAM)
        if (count > 0) return void response.write(event(count + 10))
        response.write(first)
        void until(() => readOf(server) >= first.length).then(() => ends[how]?.(server, () => response.end()))
      })
      return server
    }

    test('between two events goes on after the last', async () => {
      const server = await serveEnding(event(1) + event(2))
      const bench = connect(server)
      await bench.stands('waiting')
      await bench.again()
      await until(() => bench.messages.length === 3)
      expect([bench.data(), server.requests.map(({ headers }) => headers['last-event-id'])]).toEqual([
        ['1', '2', '11'],
        [undefined, '2'],
      ])
      await bench.end()
    })

    test.each(['id: 2\nda', 'id: 2\ndata: 2', 'id: 2\ndata: 2\n', 'id: 2\n', 'id: 2'])(
      'in the middle of an event (%j) goes on before it',
      async (half) => {
        const server = await serveEnding(event(1) + half)
        const bench = connect(server)
        await bench.stands('waiting')
        await bench.again()
        await until(() => bench.messages.length === 2)
        expect([bench.data(), server.requests[1]?.headers['last-event-id']]).toEqual([['1', '11'], '1'])
        await bench.end()
      },
    )
  })

  test('promising more bytes than it sent goes on after the last', async () => {
    const server = await serveRaw((socket) => {
      socket.end(
        `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 999\r\n\r\n${event(1)}id: 2\nda`,
      )
    })
    const bench = connect(server)
    await bench.stands('waiting')
    expect(bench.data()).toEqual(['1'])
    await bench.end()
  })

  test('after a healthy while comes back within two seconds', async () => {
    const server = await serve((_, response) => response.writeHead(200, EVENT_STREAM).write(': hi\n\n'))
    const bench = connect(server)
    await bench.stands('open')
    await bench.clock.advance(30_000)
    server.kill()
    await bench.stands('waiting')
    expect((bench.state().nextTryAt ?? 0) - bench.clock.now()).toBeLessThanOrEqual(2_000)
    expect(bench.state().attempt).toBe(0)
    await bench.end()
  })
})

describe('a connection that is silent', () => {
  test('is taken for dead after two and a half heartbeats, though its socket is open', async () => {
    const server = await serve((_, response) => response.writeHead(200, EVENT_STREAM).write(hello('e:0')))
    const bench = createSyncBench({ url: server.url, fetch: (url, init) => fetch(url, init) })
    bench.stream.start()
    await until(() => bench.stream.status.getState().state === 'open')
    await bench.clock.advance(37_499)
    expect(bench.stream.status.getState().state).toBe('open')
    await bench.clock.advance(1)
    await until(() => server.sockets() === 0)
    expect(bench.stream.status.getState()).toMatchObject({ state: 'waiting', lastError: { code: 'timeout' } })
    bench.stream.stop()
    await expectClean(server, bench.clock)
  })

  test('is judged by the heartbeat of its hello, and never below 20 s', async () => {
    const server = await serve((_, response) =>
      response.writeHead(200, EVENT_STREAM).write(hello('e:0', 'fresh', { heartbeat: 1_000 })),
    )
    const bench = createSyncBench({ url: server.url, fetch: (url, init) => fetch(url, init) })
    bench.stream.start()
    await until(() => bench.stream.status.getState().state === 'open')
    await bench.clock.advance(19_999)
    expect(bench.stream.status.getState().state).toBe('open')
    await bench.clock.advance(1)
    expect(bench.stream.status.getState().state).toBe('waiting')
    bench.stream.stop()
    await expectClean(server, bench.clock)
  })

  test('lives on any byte: a slow drip in the middle of an event', async () => {
    let drip: (text: string) => void = () => {}
    const server = await serve((_, response) => {
      response.writeHead(200, EVENT_STREAM).write('data: ')
      drip = (text) => response.write(text)
    })
    const bench = connect(server, { heartbeat: 15_000 })
    await bench.stands('open')
    for (const byte of 'a\ndata: b\n\n') {
      await bench.clock.advance(8_000)
      const before = readOf(server)
      drip(byte)
      await until(() => readOf(server) > before)
    }
    await until(() => bench.messages.length === 1)
    expect([bench.data(), bench.state().state]).toEqual([['a\nb'], 'open'])
    await bench.end()
  })

  test('may be silent for ever where nobody promised a heartbeat', async () => {
    const server = await serve((_, response) => response.writeHead(200, EVENT_STREAM).write('\n'))
    const bench = connect(server)
    await bench.stands('open')
    await bench.clock.advance(86_400_000)
    expect(bench.state().state).toBe('open')
    await bench.end()
  })

  test('because the device slept for an hour is looked at when it wakes, and connects at once', async () => {
    const server = await serve((_, response) => response.writeHead(200, EVENT_STREAM).write(hello('e:0')))
    const bench = createSyncBench({ url: server.url, fetch: (url, init) => fetch(url, init) })
    bench.stream.start()
    await until(() => bench.stream.status.getState().state === 'open')
    await bench.clock.advance(31_000)
    await bench.clock.sleep(3_600_000)
    await bench.clock.advance(1_000)
    expect(bench.stream.status.getState()).toMatchObject({ state: 'waiting', lastError: { code: 'timeout' } })
    await bench.clock.advance(2_000)
    await until(() => server.requests.length === 2)
    bench.stream.stop()
    await expectClean(server, bench.clock)
  })

  test('is looked at at once when the page comes back from the back/forward cache', async () => {
    const server = await serve((_, response) => response.writeHead(200, EVENT_STREAM).write('\n'))
    const bench = connect(server, { heartbeat: 15_000 })
    await bench.stands('open')
    // No timer fires on the way: the page was frozen.
    const frozen = bench.clock.now() + 3_600_000
    await bench.clock.freeze(() => bench.network.emit('wake'), frozen)
    expect(bench.state().state).toBe('waiting')
    await bench.end()
  })
})

describe('a wait', () => {
  const refused = async () => {
    const server = await serve((_, response) => response.writeHead(503).end())
    const bench = connect(server)
    for (let i = 0; i < 5; i++) {
      await bench.stands('waiting')
      await bench.clock.advance((bench.state().nextTryAt ?? 0) - bench.clock.now())
      await until(() => bench.state().attempt === i + 2)
    }
    await bench.stands('waiting')
    return { ...bench, server }
  }

  test('is cut short by the device coming online, once, within a second', async () => {
    const bench = await refused()
    for (const wake of ['online', 'visible', 'wake', 'online'] as const) bench.network.emit(wake)
    expect((bench.state().nextTryAt ?? 0) - bench.clock.now()).toBeLessThanOrEqual(1_000)
    await bench.clock.advance(1_000)
    await until(() => bench.server.requests.length === 7)
    await bench.stands('waiting')
    await bench.clock.advance(900)
    expect(bench.server.requests.length).toBe(7)
    await bench.end()
  })

  test('never becomes a storm, however often the network comes and goes', async () => {
    const bench = await refused()
    const began = bench.clock.now()
    const before = bench.server.requests.length
    while (bench.clock.now() < began + 120_000) {
      bench.network.emit('offline')
      bench.network.emit('online')
      await bench.clock.advance(250)
      await until(() => bench.state().state === 'waiting')
    }
    expect(bench.server.requests.length - before).toBeLessThanOrEqual(17)
    await bench.end()
  })

  test('is over when the clock has jumped past it', async () => {
    const bench = await refused()
    await bench.clock.sleep(3_600_000)
    await bench.clock.advance(1_000)
    await until(() => bench.server.requests.length === 7)
    await bench.end()
  })

  test('is not made longer by a clock that is set back', async () => {
    const bench = await refused()
    const wait = (bench.state().nextTryAt ?? 0) - bench.clock.now()
    await bench.clock.shift(-86_400_000)
    await bench.clock.advance(wait)
    await until(() => bench.server.requests.length === 7)
    await bench.end()
  })

  test('ends at once when the user says so', async () => {
    const bench = await refused()
    bench.stream.retryNow()
    bench.stream.retryNow()
    await until(() => bench.server.requests.length === 7)
    await bench.stands('waiting')
    await bench.end()
  })
})

describe('stop', () => {
  test('while connecting, reading and waiting leaves nothing behind', async () => {
    const server = await serve((_, response, count) => {
      if (count === 0) return
      if (count === 1) return void response.writeHead(200, EVENT_STREAM).write(event(1))
      response.writeHead(503).end()
    })
    const bench = connect(server)
    await until(() => server.requests.length === 1)
    await bench.end()
    expect(bench.state().state).toBe('idle')
    bench.stream.start()
    await until(() => bench.messages.length === 1)
    await bench.end()
    bench.stream.start()
    await bench.stands('waiting')
    await bench.end()
    expect(bench.network.listeners()).toBe(0)
  })

  test('inside a handler is obeyed in the middle of a chunk, and a new start goes on from there', async () => {
    const server = await serve((request, response) => {
      const from = Number(request.headers['last-event-id'] ?? 0)
      response.writeHead(200, EVENT_STREAM).write([1, 2, 3].map((i) => event(from + i)).join(''))
    })
    const bench = connect(server, {
      onMessage(message) {
        bench.messages.push(message)
        if (message.data === '1') bench.stream.stop()
      },
    })
    await until(() => bench.messages.length === 1)
    await bench.end()
    expect(bench.data()).toEqual(['1'])
    bench.stream.start()
    await until(() => bench.messages.length === 4)
    expect(bench.data()).toEqual(['1', '2', '3', '4'])
    await bench.end()
  })

  test('and start at once makes one new connection', async () => {
    const server = await serve((_, response) => response.writeHead(200, EVENT_STREAM).write(event(1)))
    const bench = connect(server)
    await bench.stands('open')
    bench.stream.stop()
    bench.stream.start()
    bench.stream.start()
    await until(() => server.requests.length === 2 && server.sockets() === 1)
    await bench.end()
  })
})

describe('a handler', () => {
  test('that throws or rejects loses no event and leaks nothing into the next', async () => {
    const server = await serve((_, response) =>
      response.writeHead(200, EVENT_STREAM).write(`event: a\n${event(1)}${event(2)}event: c\n${event(3)}`),
    )
    const bench = connect(server, {
      onMessage(message) {
        bench.messages.push(message)
        if (message.data === '1') throw new Error('mine')
        if (message.data === '2') return Promise.reject(new Error('later'))
        return message
      },
    })
    await until(() => bench.messages.length === 3)
    expect(bench.messages.map(({ event: name, data }) => [name, data])).toEqual([
      ['a', '1'],
      ['message', '2'],
      ['c', '3'],
    ])
    expect(bench.errors).toEqual([1, 2].map(() => expect.objectContaining({ code: 'usage', cause: expect.any(Error) })))
    expect(bench.state().state).toBe('open')
    await bench.end()
  })

  test('that returns a promise gets the next event after it', async () => {
    const server = await serve((_, response) =>
      response.writeHead(200, EVENT_STREAM).write(event(1) + event(2) + event(3)),
    )
    const log: string[] = []
    const bench = connect(server, {
      async onMessage({ data }) {
        log.push(`begin ${data}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
        log.push(`end ${data}`)
      },
    })
    await until(() => log.length === 6)
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
    await bench.end()
  })

  test('of the status that throws breaks nothing', async () => {
    const server = await serve((_, response) => response.writeHead(200, EVENT_STREAM).write(event(1)))
    const bench = connect(server)
    bench.stream.status.subscribe(() => {
      throw new Error('mine')
    })
    await until(() => bench.messages.length === 1)
    expect(bench.errors.length).toBeGreaterThan(0)
    await bench.end()
  })
})

describe('a limit', () => {
  const poison = async (bytes: string) => {
    const server = await serve((request, response) => {
      const from = Number(request.headers['last-event-id'] ?? 0)
      response.writeHead(200, EVENT_STREAM)
      if (from === 0 && server.requests.length === 1) response.write(event(1))
      response.write(server.requests.length > 1 && request.headers['last-event-id'] === undefined ? event(9) : bytes)
    })
    const bench = connect(server, { maxEventSize: 10_000 })
    for (let i = 1; i <= 3; i++) {
      await until(() => server.requests.length === i && bench.state().state === 'waiting')
      await bench.clock.advance((bench.state().nextTryAt ?? 0) - bench.clock.now())
    }
    await until(() => bench.data().includes('9'))
    // Twice more with the same position, then without it.
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1', '1', undefined])
    expect(bench.errors).toHaveLength(3)
    await bench.end()
  }

  test('of size on an event in one chunk is not got around', () => poison(`data: ${'x'.repeat(10_001)}\n\n`))
  test('of size on an event of many lines is kept', () => poison('data: xxxxxxxx\n'.repeat(2_000)))
  test('of size on a line without end is kept', () => poison(`data: ${'x'.repeat(20_000)}`))
  test('of size on a comment without end is kept', () => poison(`:${'x'.repeat(20_000)}`))

  test('of time on a line without end is kept, though bytes arrive', async () => {
    let drip: (text: string) => void = () => {}
    const server = await serve((_, response) => {
      response.writeHead(200, EVENT_STREAM).write('data: ')
      drip = (text) => response.write(text)
    })
    const bench = connect(server, { heartbeat: 15_000 })
    await bench.stands('open')
    await until(() => readOf(server) > 0)
    for (let i = 0; i < 6; i++) {
      expect(bench.state().state).toBe('open')
      const before = readOf(server)
      drip('x')
      await until(() => readOf(server) > before)
      await bench.clock.advance(10_000)
    }
    expect(bench.state()).toMatchObject({ state: 'waiting', lastError: { code: 'timeout' } })
    await bench.end()
  })

  test.each([1, 1_024, 65_536])(
    'lets an event of a MiB through in chunks of %d bytes',
    { timeout: 60_000 },
    async (size) => {
      const text = 'é'.repeat(1_048_576 / 2 - 100)
      const bytes = new TextEncoder().encode(`id: 1\ndata: ${text}\n\n`)
      const server = await serve(async (_, response) => {
        response.writeHead(200, EVENT_STREAM)
        for (let from = 0; from < bytes.length; from += size) {
          if (!response.write(bytes.subarray(from, from + size)))
            await new Promise((resolve) => response.once('drain', resolve))
        }
      })
      const bench = connect(server)
      await until(() => bench.messages.length === 1, 'the event', 60_000)
      expect(bench.messages[0]?.data === text).toBe(true)
      await bench.end()
    },
  )
})

describe('the sync stream', () => {
  test('goes on before an event that was cut, and applies each once', async () => {
    const server = await serve((request, response, count) => {
      response.writeHead(200, EVENT_STREAM)
      if (count === 0) {
        response.write(hello('e:0') + change('e:0', 'e:1') + change('e:1', 'e:2').slice(0, -5))
        setTimeout(() => response.destroy(), 20)
      } else response.write(hello(String(request.headers['last-event-id']), 'continued') + change('e:1', 'e:2'))
    })
    const bench = createSyncBench({ url: server.url, fetch: (url, init) => fetch(url, init) })
    bench.stream.start()
    await until(() => bench.stream.status.getState().state === 'waiting')
    await bench.clock.advance(3_000)
    await until(() => bench.stream.cursor() === 'e:2')
    expect(bench.calls.filter(({ call }) => call !== 'reached')).toEqual([
      { call: 'resync', reason: 'fresh', cursor: 'e:0' },
      { call: 'apply', events: ['invalidate'], cursor: 'e:1' },
      { call: 'apply', events: ['invalidate'], cursor: 'e:2' },
    ])
    bench.stream.stop()
    await expectClean(server, bench.clock)
  })

  test('reads from a server that writes raw bytes', async () => {
    const server = await serveRaw((socket) =>
      socket.write(`${RAW_HEAD}\uFEFF${hello('e:0')}${frame('ping', { prev: 'e:0', cursor: 'e:4' }, 'e:4')}`),
    )
    const bench = createSyncBench({ url: server.url, fetch: (url, init) => fetch(url, init) })
    bench.stream.start()
    await until(() => bench.stream.cursor() === 'e:4')
    bench.stream.stop()
    await expectClean(server, bench.clock)
  })

  test.each(['retry: 0', 'retry: 250', 'retry: 9999999999', 'retry: 1\nretry: 2'])(
    'that is told "%s" and dropped for ever is no storm',
    async (retry) => {
      const bench = createSyncBench()
      bench.server.otherwise = (request) => {
        const response = bench.server.open(`${retry}\n\n${hello('e:0')}`)(request)
        bench.server.stream().end()
        return response
      }
      bench.stream.start()
      await bench.clock.advance(60_000)
      expect(bench.server.requests.length).toBeLessThanOrEqual(8)
      await bench.clock.advance(3_600_000)
      expect(bench.server.requests.length).toBeGreaterThan(8)
      bench.stream.stop()
    },
  )

  test('that accepts, greets and drops for ever is asked at most eight times a minute', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const bench = createSyncBench({ seed })
      bench.server.otherwise = () => {
        const answer = bench.server.open(hello('e:0'))
        const response = answer({} as never)
        bench.server.stream().end()
        return response
      }
      bench.stream.start()
      await bench.clock.advance(60_000)
      expect(bench.server.requests.length).toBeLessThanOrEqual(8)
      expect(bench.server.requests.length).toBeGreaterThanOrEqual(3)
      bench.stream.stop()
    }
  })
})
