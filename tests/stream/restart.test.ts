// A restart with 500 clients, in virtual time: what it costs the server, against the policies that others have. The
// server is away for 15 s and then takes 40 connections a second; what is too much gets a 503.
import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/platform/clock'
import type { Random } from '../../src/platform/ids'
import { seededRandom } from '../../src/platform/ids'
import { createSyncStream } from '../../src/stream/stream'
import { createScriptedServer } from './support/scripted'
import { hello } from './support/sync'
import type { VirtualClock } from './support/virtual'
import { createVirtualClock, createVirtualNetwork } from './support/virtual'

const CLIENTS = 500
const AWAY = 15_000
const PER_SECOND = 40
const WATCHED = 180_000

interface Measured {
  policy: string
  /** Requests of one client, on average, until all are back (or the end of the watch). */
  requests: number
  /** Requests in the busiest second after the server is back. */
  peak: number
  /** Seconds after which 99 % are back; infinite if they are not. */
  back: number
}

/** A gate that the restarted server has, with a count of who knocked when. */
function createGate(clock: Clock) {
  const began = clock.now()
  const knocks: number[] = []
  const entries: number[] = []
  return {
    knock(): 'away' | 'busy' | 'in' {
      const at = clock.now() - began
      knocks.push(at)
      if (at < AWAY) return 'away'
      if (entries.filter((entry) => entry > at - 1_000).length >= PER_SECOND) return 'busy'
      entries.push(at)
      return 'in'
    },
    measure(policy: string): Measured {
      const late = knocks.filter((at) => at >= AWAY)
      const peak = Math.max(...late.map((at) => late.filter((other) => other >= at && other < at + 1_000).length))
      const last = entries[Math.ceil(CLIENTS * 0.99) - 1]
      return {
        policy,
        requests: knocks.length / CLIENTS,
        peak,
        back: last === undefined ? Number.POSITIVE_INFINITY : (last - AWAY) / 1_000,
      }
    },
  }
}

/** A policy that others have: the delay before attempt number `attempt`, in milliseconds. */
async function measurePolicy(policy: string, delay: (attempt: number, random: Random) => number): Promise<Measured> {
  const clock = createVirtualClock()
  const gate = createGate(clock)
  for (let seed = 1; seed <= CLIENTS; seed++) {
    const random = seededRandom(seed)
    const attempt = (count: number) =>
      void (gate.knock() === 'in' || clock.after(delay(count, random), () => attempt(count + 1)))
    clock.after(delay(0, random), () => attempt(1))
  }
  await clock.advance(WATCHED)
  return gate.measure(policy)
}

async function measureTidemark(): Promise<Measured> {
  const clock: VirtualClock = createVirtualClock()
  const network = createVirtualNetwork()
  const server = createScriptedServer(clock.now)
  server.otherwise = server.open(() => hello('e:0'))
  const streams = Array.from({ length: CLIENTS }, (_, seed) => {
    const stream = createSyncStream(
      {
        clock,
        network,
        random: seededRandom(seed + 1),
        fetch: server.fetch,
        headers: async () => ({}),
        report: () => {},
        target: { apply: () => {}, outcomes: () => {}, reached: () => {}, resync: async () => {}, poll: () => {} },
      },
      { url: '/sync' },
    )
    stream.start()
    return stream
  })
  await clock.advance(30_000)
  const gate = createGate(clock)
  server.otherwise = (request) => {
    const knocked = gate.knock()
    if (knocked === 'away') return Promise.reject(new TypeError('refused'))
    return knocked === 'busy'
      ? new Response(null, { status: 503 })
      : server.open(() => hello('e:0', 'continued'))(request)
  }
  for (const stream of server.streams.splice(0)) stream.cut()
  // The heartbeats that a server sends are left out: two minutes and a half would need them.
  for (let passed = 0; passed < WATCHED; passed += 15_000) {
    await clock.advance(15_000)
    for (const stream of server.streams) stream.write(': alive\n\n')
  }
  for (const stream of streams) stream.stop()
  expect(clock.timers()).toBe(0)
  return gate.measure('tidemark')
}

describe('a restart with 500 clients', () => {
  test('costs few requests, spread, and all are back soon: more evenly than with other policies', {
    timeout: 120_000,
  }, async () => {
    const measured = [
      await measureTidemark(),
      await measurePolicy('fixed, 3 s', () => 3_000),
      await measurePolicy('exponential, no jitter', (attempt) => Math.min(30_000, 1_000 * 2 ** attempt)),
      await measurePolicy('full jitter', (attempt, random) => random.next() * Math.min(30_000, 1_000 * 2 ** attempt)),
    ]
    if (process.env['STREAM_TABLE']) console.table(measured)
    const [tidemark, fixed, exponential, full] = measured as [Measured, Measured, Measured, Measured]
    expect(tidemark.back).toBeLessThan(60)
    expect(tidemark.requests).toBeLessThan(8)
    expect(tidemark.requests).toBeLessThan(fixed.requests)
    expect(tidemark.peak).toBeLessThan(fixed.peak / 3)
    expect(tidemark.peak).toBeLessThan(exponential.peak / 3)
    expect(tidemark.requests).toBeLessThan(full.requests + 1)
  })
})
