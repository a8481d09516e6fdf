// How long a push takes: one writer that talks to the server directly, readers behind every proxy and one without, all in
// the same run. Asserted is that each reader gets everything; the milliseconds are printed.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from './clients.ts'
import { createClient } from './clients.ts'
import type { Extra } from './configurations.ts'
import { percentile, record } from './figures.ts'
import type { ProxyName } from './needs.ts'
import { NAMES } from './needs.ts'
import { pause } from './processes.ts'
import type { Middlebox, Origin, Workplace } from './stand.ts'
import { createOrigin, createProxy, openWorkplace } from './stand.ts'
import { ADVISED } from './variants.ts'

const WRITES = 120

let place: Workplace
beforeAll(async () => {
  place = await openWorkplace()
})
afterAll(() => place.remove())

test('a push reaches a reader behind each proxy in its default configuration', async () => {
  await measure('Push, default configuration (ms)', {})
})

test('a push reaches a reader behind each proxy in the configuration that the page advises', async () => {
  await measure('Push, advised configuration (ms)', ADVISED)
})

interface Reader {
  name: string
  client: Client
  /** When each write was first seen, by its id. */
  seen: Map<string, number>
  stop(): void
}

async function measure(title: string, extras: Partial<Record<ProxyName, Extra>>): Promise<void> {
  const origin = await createOrigin(place)
  await origin.start()
  const proxies = await Promise.all(NAMES.map((name) => createProxy(place, name, origin, extras[name])))
  try {
    const readers = [{ name: 'direct', base: origin.base }, ...proxies].map(read)
    for (const { client } of readers) await expect.poll(() => client.sync.status.getState().stream).toBe('open')
    const sent = await writeSlowly(origin)
    for (const { seen } of readers) await expect.poll(() => [...seen.keys()]).toEqual([...sent.keys()])
    record(title, Object.fromEntries(readers.map(({ name, seen }) => [name, delays(sent, seen)])))
    for (const { client, stop } of readers) {
      expect(client.sync.status.getState()).toMatchObject({ stream: 'open', transport: 'stream' })
      stop()
      await client.sync.close({ outbox: 'keep' })
    }
  } finally {
    await endAll(proxies, origin)
  }
}

function read({ name, base }: { name: string; base: string }): Reader {
  const client = createClient(base)
  const seen = new Map<string, number>()
  const stop = client.watch((rows) => {
    const now = performance.now()
    for (const { id } of rows) if (!seen.has(id)) seen.set(id, now)
  })
  return { name, client, seen, stop }
}

/** Each after a pause of its own, so that no event pushes the one before it out of a buffer. Resolves with when each was sent. */
async function writeSlowly(origin: Origin): Promise<Map<string, number>> {
  const writer = createClient(origin.base, { stream: false })
  const sent = new Map<string, number>()
  for (let n = 0; n < WRITES; n++) {
    const id = `write-${n}`
    sent.set(id, performance.now())
    await writer.add(id, 'a').confirmed
    await pause(50 + ((n * 67) % 250))
  }
  await writer.sync.close({ outbox: 'keep' })
  return sent
}

function delays(sent: ReadonlyMap<string, number>, seen: ReadonlyMap<string, number>): Record<string, number> {
  const all = [...sent].map(([id, at]) => (seen.get(id) ?? Number.NaN) - at)
  const round = (value: number) => Math.round(value * 10) / 10
  return { p50: round(percentile(all, 0.5)), p99: round(percentile(all, 0.99)), most: round(Math.max(...all)) }
}

async function endAll(proxies: readonly Middlebox[], origin: Origin): Promise<void> {
  await Promise.all(proxies.map((proxy) => proxy.kill()))
  await origin.kill()
}
