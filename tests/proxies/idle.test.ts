// A stream on which nothing happens, behind each proxy: with the kit's heartbeat it outlives the defaults' time-outs, and a
// proxy that ends it costs nothing but a new connection.
import type { ExpectStatic } from 'vitest'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Client } from './clients.ts'
import { createClient } from './clients.ts'
import { NAMES } from './needs.ts'
import { pause } from './processes.ts'
import type { Middlebox, Origin, Workplace } from './stand.ts'
import { createOrigin, createProxy, openWorkplace } from './stand.ts'
import { IMPATIENT } from './variants.ts'

/** Longer than the shortest defaults: Traffic Server 30 s, haproxy 50 s, nginx and varnish 60 s. */
const QUIET = 65_000

/** The longest heartbeat that the protocol allows, in milliseconds. */
const LONGEST = 120_000

let place: Workplace
beforeAll(async () => {
  place = await openWorkplace()
})
afterAll(() => place.remove())

describe('idle behind a proxy', () => {
  // All at once: the minute is spent once.
  test.concurrent.for(NAMES)('%s keeps an idle stream with the heartbeat of the kit', async (name, { expect }) => {
    await withIdle(name, 15_000, async ({ origin, proxy }) => {
      const reader = createClient(proxy.base)
      const states: string[] = []
      const stop = reader.watch(() => {})
      await expect.poll(() => reader.sync.status.getState().stream).toBe('open')
      const forget = reader.sync.status.subscribe(({ stream }) => void states.push(stream))
      await pause(QUIET)
      expect(states.filter((state) => state !== 'open')).toEqual([])
      forget()
      await expectNews(expect, origin, reader)
      stop()
      await reader.sync.close({ outbox: 'keep' })
    })
  })

  test.concurrent.for(NAMES.filter((name) => IMPATIENT[name] !== undefined))(
    '%s ends an idle stream at its time-out, and what happens then is not missed',
    async (name, { expect }) => {
      await withIdle(
        name,
        LONGEST,
        async ({ origin, proxy }) => {
          const reader = createClient(proxy.base)
          let count = 0
          const stop = reader.watch((rows) => {
            count = rows.length
          })
          const { status } = reader.sync
          await expect.poll(() => status.getState().stream).toBe('open')
          for (let n = 1; n <= 3; n++) {
            await expect.poll(() => status.getState().stream, { interval: 5 }).not.toBe('open')
            const writer = createClient(origin.base, { stream: false })
            await writer.add(`while-away-${n}`, 'a').confirmed
            await writer.sync.close({ outbox: 'keep' })
            await expect.poll(() => count).toBe(n)
            await expect.poll(() => status.getState().stream).toBe('open')
          }
          stop()
          await reader.sync.close({ outbox: 'keep' })
        },
        true,
      )
    },
  )
})

interface Stand {
  origin: Origin
  proxy: Middlebox
}

async function withIdle(
  name: (typeof NAMES)[number],
  heartbeat: number,
  run: (stand: Stand) => Promise<void>,
  isImpatient = false,
): Promise<void> {
  const origin = await createOrigin(place, { heartbeat })
  await origin.start()
  const proxy = await createProxy(place, name, origin, isImpatient ? IMPATIENT[name] : {})
  try {
    await run({ origin, proxy })
  } finally {
    await proxy.kill()
    await origin.kill()
  }
}

/** What somebody else writes arrives by the stream that was idle. */
async function expectNews(expect: ExpectStatic, origin: Origin, reader: Client): Promise<void> {
  const seen: string[] = []
  const stop = reader.watch((rows) => void seen.push(...rows.map(({ id }) => id)))
  const writer = createClient(origin.base, { stream: false })
  await writer.add('after the silence', 'a').confirmed
  await expect.poll(() => seen).toContain('after the silence')
  expect(reader.sync.status.getState().stream).toBe('open')
  stop()
  await writer.sync.close({ outbox: 'keep' })
}
