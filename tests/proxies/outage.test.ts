// The server is away and the proxy answers for it, with a page of its own: nobody has refused anything, so the writes stay
// as they are shown, and are sent again.
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Write } from './clients.ts'
import { createClient } from './clients.ts'
import { record } from './figures.ts'
import { NAMES } from './needs.ts'
import type { Workplace } from './stand.ts'
import { createOrigin, createProxy, openWorkplace } from './stand.ts'

const pages: Record<string, Record<string, string | number>> = {}

let place: Workplace
beforeAll(async () => {
  place = await openWorkplace()
})
afterAll(() => {
  record('What a proxy answers while the server is down', pages)
  place.remove()
})

describe('a page in the name of a server that is away', () => {
  test.concurrent.for(NAMES)(
    '%s: refuses nothing, and each write happens once when the server is back',
    async (name, { expect }) => {
      const origin = await createOrigin(place)
      await origin.start()
      const proxy = await createProxy(place, name, origin)
      const client = createClient(proxy.base)
      try {
        let seen: readonly Write[] = []
        const stop = client.watch((rows) => {
          seen = rows
        })
        await client.add('before', 'a').confirmed
        await expect.poll(() => seen.map(({ times }) => times)).toEqual([1])
        await origin.kill()
        const page = await ask(`${proxy.base}/mutations/writes/add`)
        expect(page.status).toBeGreaterThanOrEqual(500)
        const handles = ['b', 'c', 'd'].map((scope) => client.add(`away-${scope}`, scope))
        await expect
          .poll(() => client.sync.outbox.getState().entries.map(({ attempt }) => attempt >= 2))
          .toEqual([true, true, true])
        expect(client.sync.outbox.getState().failed).toEqual([])
        expect(seen.map(({ id }) => id)).toEqual(['before', 'away-b', 'away-c', 'away-d'])
        await origin.start()
        const began = performance.now()
        await Promise.all(handles.map(({ confirmed }) => confirmed))
        pages[name] = { ...page, 'all sent after (s)': Math.round((performance.now() - began) / 100) / 10 }
        stop()
        await client.sync.close({ outbox: 'keep' })
        await origin.kill()
        const kept = (await origin.writes()).map(({ id, times }) => [id, times])
        expect(kept.sort()).toEqual(['away-b', 'away-c', 'away-d', 'before'].map((id) => [id, 1]))
      } finally {
        await client.sync.close({ outbox: 'discard' })
        await proxy.kill()
        await origin.kill()
      }
    },
  )
})

/** What the proxy says itself, to a request of which the server never hears. */
async function ask(url: string): Promise<{ status: number; type: string }> {
  const answer = await fetch(url, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } })
  await answer.arrayBuffer()
  return { status: answer.status, type: answer.headers.get('Content-Type') ?? 'none' }
}
