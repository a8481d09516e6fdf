// Many clients at once after a restart, in virtual time: how they spread is a matter of their plans, not of this machine.
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/platform/ids'
import { createSyncStream } from '../../src/stream/stream'
import { virtualClock } from '../kit/clock'
import { hello } from './support/sync'
import { createVirtualNetwork } from './support/virtual'

test('two hundred clients come back after a restart, spread, with few requests each', async () => {
  const clock = virtualClock()
  const open = new Set<ReadableStreamDefaultController<Uint8Array>>()
  let isUp = true
  let requests = 0
  const arrivals: number[] = []
  const answer = (resumes: boolean): Response => {
    requests++
    if (!isUp) return new Response(null, { status: 503 })
    arrivals.push(clock.now())
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        open.add(controller)
        controller.enqueue(new TextEncoder().encode(hello('e:0', resumes ? 'continued' : 'fresh')))
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  const streams = Array.from({ length: 200 }, (_, seed) => {
    const stream = createSyncStream(
      {
        clock,
        random: seededRandom(seed + 1),
        network: createVirtualNetwork(),
        fetch: async (_, init) => answer(new Headers(init?.headers).has('last-event-id')),
        headers: async () => ({}),
        report: () => {},
        target: { apply: () => {}, outcomes: () => {}, reached: () => {}, resync: async () => {}, poll: () => {} },
      },
      { url: '/stream' },
    )
    stream.start()
    return stream
  })
  const isOpen = (): number => streams.filter((stream) => stream.status.getState().state === 'open').length
  await clock.advance(10_000)
  expect(isOpen()).toBe(200)
  await clock.advance(31_000) // long enough to count as a connection that worked
  const before = requests
  isUp = false
  for (const controller of open) controller.error(new TypeError('terminated'))
  await clock.advance(5_000)
  isUp = true
  arrivals.length = 0
  // No longer than that: a server that says nothing is left after its silence.
  for (let second = 0; second < 40 && isOpen() < 200; second++) await clock.advance(1_000)
  expect(isOpen()).toBe(200)
  expect((requests - before) / 200).toBeLessThan(6)
  const busiest = Math.max(
    ...arrivals.map((at) => arrivals.filter((other) => other >= at && other < at + 1_000).length),
  )
  expect(arrivals).toHaveLength(200)
  expect(busiest).toBeLessThan(120)
  for (const stream of streams) stream.stop()
  expect(clock.pending()).toBe(0)
})
