// The standard's parsing rules over a real server: every case whole, byte by byte, and at many other chunkings.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/platform/ids'
import { createEventStream } from '../../src/wire/event-stream'
import { PARSING_CASES } from './support/parsing-cases'
import type { LoopbackServer } from './support/server'
import { createFastClock, serve, until, writeStream } from './support/server'

const random = seededRandom(4)
/** Sizes of the pieces that a body is sent in. */
const CHUNKINGS: Record<string, () => number> = {
  whole: () => Number.POSITIVE_INFINITY,
  'byte by byte': () => 1,
  'two by two': () => 2,
  'three by three': () => 3,
  'seven by seven': () => 7,
  'at random': () => 1 + Math.floor(random.next() * 12),
  'at random, again': () => 1 + Math.floor(random.next() * 40),
}

const encode = (body: string | Uint8Array) => (typeof body === 'string' ? new TextEncoder().encode(body) : body)
/** A header's value as the bytes that it stood for. */
const decodeHeader = (value: string) => new TextDecoder().decode(Uint8Array.from(value, (c) => c.charCodeAt(0)))

describe.each(Object.keys(CHUNKINGS))('%s', (chunking) => {
  let server: LoopbackServer
  beforeAll(async () => {
    server = await serve((request, response) => {
      const index = Number(new URL(request.url ?? '', 'http://x').searchParams.get('case'))
      const isFirst = server.requests.filter(({ url }) => url === request.url).length === 1
      if (!isFirst) return void response.writeHead(204).end()
      writeStream(response, encode(PARSING_CASES[index]?.body ?? ''), CHUNKINGS[chunking] as () => number)
      response.end()
    }, afterAll)
  })

  test.each(PARSING_CASES.map((example, index) => ({ ...example, index })))('$name', async (example) => {
    const clock = createFastClock()
    const events: Array<[string, string, string]> = []
    const url = `${server.url}?case=${example.index}`
    const stream = createEventStream(
      { url, onMessage: ({ event, data, lastEventId }) => events.push([event, data, lastEventId]) },
      { clock, random: { next: () => 0.5, id: () => '' } },
    )
    stream.start()
    await until(() => stream.status.getState().state === 'waiting')
    const { nextTryAt = 0, since, attempt } = stream.status.getState()
    const wait = nextTryAt - since
    // Half way of the jitter: of 2 s after an id has moved, of base ... 3 × base otherwise.
    const base = example.retry ?? 1_000
    expect(wait).toBeCloseTo(
      attempt === 0 ? (example.retry ?? 0) + 1_000 : Math.min(base * 2, Math.max(30_000, base)),
      -2,
    )
    stream.retryNow()
    await until(() => stream.status.getState().state === 'ended')
    stream.stop()
    expect(events).toEqual(example.events.map(([event, data, id = '']) => [event, data, id]))
    const sent = server.requests.filter((request) => request.url === `/sync?case=${example.index}`).at(-1)
    const header = sent?.headers['last-event-id'] as string | undefined
    expect(header === undefined ? undefined : decodeHeader(header)).toBe(example.lastId)
    expect(clock.timers()).toBe(0)
  })
})

test('there are at least sixty cases', () => {
  expect(new Set(PARSING_CASES.map(({ name }) => name)).size).toBeGreaterThanOrEqual(60)
})
