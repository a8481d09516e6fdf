// Every status as the stream's answer: what is done next, how soon, and what is shown. The expectation is the table of
// docs/stream.md written down once more, not the code's own lists.
import { describe, expect, test } from 'vitest'
import { createSyncBench } from './support/sync'

const HTML = { 'content-type': 'text/html' }
const MINUTE = 60_000
const ENDED = new Set([204])
const STOPPED = new Set([403])
const ABSENT = new Set([404, 405, 406, 501])
const TRANSIENT = new Set([407, 408, 421, 425, 429, 499])
const ID_REFUSED = new Set([400, 414, 422, 431])
const ID_EXPIRED = new Set([409, 410, 412])

type Next = 'ended' | 'stopped' | 'unauthorized' | 'polled' | 'again' | 'dropped'

function nextOf(status: number, hasPosition: boolean): Next {
  if (ENDED.has(status)) return 'ended'
  if (STOPPED.has(status)) return 'stopped'
  if (status === 401) return 'unauthorized'
  if (ID_REFUSED.has(status)) return hasPosition ? 'dropped' : status === 400 || status === 422 ? 'stopped' : 'polled'
  if (ID_EXPIRED.has(status)) return hasPosition ? 'dropped' : 'again'
  if (ABSENT.has(status)) return 'polled'
  if (status < 400 || status >= 500 || TRANSIENT.has(status)) return 'again'
  return 'polled'
}

async function ask(status: number, cursor: string | undefined) {
  const ids: Array<string | null> = []
  const bench = createSyncBench({
    ...(cursor === undefined ? {} : { cursor }),
    fetch: async (_url, init) => {
      ids.push(new Headers(init?.headers).get('last-event-id'))
      return new Response([204, 205, 304].includes(status) ? null : '<html>', { status, headers: HTML })
    },
  })
  bench.stream.start()
  await bench.clock.advance(0)
  const asked = ids.length
  const { state, transport, lastError, nextTryAt } = bench.stream.status.getState()
  const wait = nextTryAt === undefined ? undefined : nextTryAt - bench.clock.now()
  const reports = bench.reports.length
  if (wait !== undefined) await bench.clock.advance(wait)
  const seen = { state, transport, wait, status: lastError?.status, asked, ids, reports }
  bench.stream.stop()
  expect(bench.clock.timers()).toBe(0)
  return seen
}

const STATUSES = Array.from({ length: 400 }, (_, index) => 200 + index)

describe.each([
  ['without a position', undefined],
  ['with a position', 'e:5'],
])('an answer %s', (_, cursor) => {
  test.each(STATUSES)('of status %i', async (status) => {
    const seen = await ask(status, cursor)
    const sent = cursor ?? null
    const next = nextOf(status, cursor !== undefined)
    const asked = next === 'unauthorized' ? 2 : 1
    expect([seen.asked, seen.ids[0]]).toEqual([asked, sent])
    if (next === 'ended' || next === 'stopped' || next === 'unauthorized') {
      expect(seen).toMatchObject({ state: next, transport: 'none', wait: undefined })
      expect(seen.reports).toBe(next === 'ended' ? 0 : 1)
      return
    }
    expect(seen.status).toBe(status)
    const [least, most] =
      next === 'polled' ? [4.5 * MINUTE, 5.5 * MINUTE] : next === 'dropped' ? [0, 1_000] : [1_000, 3_000]
    expect(seen.wait).toBeGreaterThanOrEqual(least)
    expect(seen.wait).toBeLessThanOrEqual(most)
    expect(seen).toMatchObject(
      next === 'polled' ? { state: 'polling', transport: 'poll', reports: 1 } : { state: 'waiting', reports: 0 },
    )
    expect(seen.ids[1]).toBe(next === 'dropped' ? null : sent)
  })
})
