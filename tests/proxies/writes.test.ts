// Two thousand writes through each proxy in Debian's default configuration: each happens once, in the order of its scope.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client, Write } from './clients.ts'
import { createClient } from './clients.ts'
import { NAMES } from './needs.ts'
import { pause } from './processes.ts'
import type { Middlebox, Origin, Workplace } from './stand.ts'
import { createOrigin, createProxy, openWorkplace } from './stand.ts'

const CLIENTS = 4
const SCOPES = 5

let place: Workplace
beforeAll(async () => {
  place = await openWorkplace()
})
afterAll(() => place.remove())

describe('writes behind a proxy', () => {
  test.each(NAMES)(
    '%s: 2 000 writes happen once each, in the order of their scopes, and a reader sees all of them',
    async (name) => {
      await withStand(name, async ({ origin, proxy }) => {
        const reader = createClient(proxy.base)
        let seen: readonly Write[] = []
        const stop = reader.watch((rows) => {
          seen = rows
        })
        await expect.poll(() => reader.sync.status.getState().stream).toBe('open')
        const writers = Array.from({ length: CLIENTS }, () => createClient(proxy.base, { stream: false }))
        expect(await writeAll(writers, 100)).toEqual([])
        await expect.poll(() => seen.length).toBe(2_000)
        stop()
        await closeAll([reader, ...writers])
        await origin.kill()
        expectOnce(await origin.writes(), 100)
      })
    },
  )

  // All at once: each waits most of its time for the next attempt.
  test.concurrent.for(NAMES)(
    '%s: nothing is lost or done twice when the proxy and the server are killed among writes',
    async (name, { expect }) => {
      await withStand(name, async ({ origin, proxy }) => {
        await origin.kill()
        await origin.start(150) // dies when the 150th write is kept and not answered
        const reader = createClient(proxy.base)
        const stop = reader.watch(() => {})
        await expect.poll(() => reader.sync.status.getState().stream).toBe('open')
        const writers = Array.from({ length: CLIENTS }, () => createClient(proxy.base, { stream: false }))
        const refused = writeAll(writers, 20)
        await origin.ended()
        await expect.poll(() => reader.sync.status.getState().stream, { timeout: 10_000 }).not.toBe('open')
        await origin.start()
        await expect.poll(() => pendingOf(writers)).toBeLessThan(200)
        await proxy.kill()
        expect(pendingOf(writers)).toBeGreaterThan(0)
        await expect.poll(() => reader.sync.status.getState().stream, { timeout: 10_000 }).not.toBe('open')
        await pause(300)
        await proxy.start()
        expect(await refused).toEqual([])
        stop()
        await closeAll([reader, ...writers])
        await origin.kill()
        expectOnce(await origin.writes(), 20)
      })
    },
  )
})

interface Stand {
  origin: Origin
  proxy: Middlebox
}

async function withStand(name: (typeof NAMES)[number], run: (stand: Stand) => Promise<void>): Promise<void> {
  const origin = await createOrigin(place)
  await origin.start()
  const proxy = await createProxy(place, name, origin)
  try {
    await run({ origin, proxy })
  } finally {
    await proxy.kill()
    await origin.kill()
  }
}

/** `each` writes in every scope of every client, all at once. Resolves with what was refused. */
async function writeAll(writers: readonly Client[], each: number): Promise<string[]> {
  const refused: string[] = []
  const handles = writers.flatMap(({ add }, client) =>
    Array.from({ length: each * SCOPES }, (_, n) => {
      const scope = `${client}-${n % SCOPES}`
      return add(`${scope}-${Math.floor(n / SCOPES)}`, scope)
    }),
  )
  await Promise.all(
    handles.map(({ confirmed }) => confirmed.catch((error: unknown) => void refused.push(String(error)))),
  )
  return refused
}

function pendingOf(writers: readonly Client[]): number {
  return writers.reduce((sum, { sync }) => sum + sync.status.getState().pending, 0)
}

/** What the store holds is every write once, and each scope's in the order in which they were made. */
function expectOnce(writes: readonly Write[], each: number): void {
  expect(writes.filter(({ times }) => times !== 1)).toEqual([])
  const byScope = new Map<string, string[]>()
  for (const { id, scope } of [...writes].sort((a, b) => a.place - b.place)) {
    byScope.set(scope, [...(byScope.get(scope) ?? []), id])
  }
  const expected = Array.from({ length: CLIENTS * SCOPES }, (_, n): [string, string[]] => {
    const scope = `${Math.floor(n / SCOPES)}-${n % SCOPES}`
    return [scope, Array.from({ length: each }, (_, count) => `${scope}-${count}`)]
  })
  expect(byScope).toEqual(new Map(expected))
}

async function closeAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map(({ sync }) => sync.close({ outbox: 'keep' })))
}
