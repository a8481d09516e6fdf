// Proxies that hold the stream back: the status does not go on saying that news arrives as it happens. The client polls, says
// so once, and shows what others write.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Holding } from './buffer.ts'
import { startBuffer } from './buffer.ts'
import type { Client } from './clients.ts'
import { createClient } from './clients.ts'
import type { Origin, Workplace } from './stand.ts'
import { createOrigin, createProxy, openWorkplace } from './stand.ts'
import { HOLDING_NGINX } from './variants.ts'

/** The bound for the status to be true, in milliseconds. */
const BOUND = 10_000
/** How often it polls here, in milliseconds. */
const POLL = 2_000

let place: Workplace
beforeAll(async () => {
  place = await openWorkplace()
})
afterAll(() => place.remove())

describe('behind a proxy that holds the stream back', () => {
  test('half of it: an own write that the stream does not reach is noticed', async () => {
    await behind('half', async ({ origin, client }) => {
      await expect.poll(() => client.sync.status.getState().stream).toBe('open')
      await client.add('own', 'a').confirmed
      await expectPolling(client)
      await expectNews(origin, client)
    })
  })

  // A read may rightly be ahead of a stream that is not told of everything, but not for longer than its hello says.
  test('half of it: a read that is ahead of the stream is noticed', async () => {
    const run = async ({ origin, client }: Held) => {
      await expect.poll(() => client.sync.status.getState().stream).toBe('open')
      await write(origin, 'of another')
      await client.sync.queryClient.refetchQueries({ queryKey: ['writes'] })
      await expectPolling(client)
      await expectNews(origin, client)
    }
    await behind('half', run)
  })

  test('all of it: it is never said to be open', async () => {
    await behind('all', expectNeverOpen)
  })

  test('nginx that is told to ignore what the kit asks for: it is never said to be open', async () => {
    const origin = await createOrigin(place)
    await origin.start()
    const proxy = await createProxy(place, 'nginx', origin, HOLDING_NGINX)
    await watching(proxy.base, (client) => expectNeverOpen({ origin, client }))
    await proxy.kill()
    await origin.kill()
  })
})

interface Held {
  origin: Origin
  client: Client
}

async function behind(holding: Holding, run: (held: Held) => Promise<void>): Promise<void> {
  const origin = await createOrigin(place)
  await origin.start()
  const buffer = await startBuffer(origin.port, holding)
  try {
    await watching(buffer.base, (client) => run({ origin, client }))
  } finally {
    await buffer.close()
    await origin.kill()
  }
}

async function watching(base: string, run: (client: Client) => Promise<void>): Promise<void> {
  const client = createClient(base, { pollInterval: POLL })
  const stop = client.watch(() => {})
  try {
    await run(client)
  } finally {
    stop()
    await client.sync.close({ outbox: 'discard' })
  }
}

async function expectNeverOpen({ origin, client }: Held): Promise<void> {
  const states = new Set<string>()
  client.sync.status.subscribe(({ stream }) => void states.add(stream))
  await expect.poll(() => client.sync.status.getState().transport, { timeout: BOUND }).toBe('poll')
  expect(client.reports.map(({ message }) => message)).toHaveLength(1)
  await expectNews(origin, client)
  expect([...states]).not.toContain('open')
}

/** Within the bound it polls, and has said so once. */
async function expectPolling(client: Client): Promise<void> {
  await expect
    .poll(() => client.sync.status.getState(), { timeout: BOUND })
    .toMatchObject({ stream: 'polling', transport: 'poll' })
  expect(client.reports.map(({ message }) => message)).toHaveLength(1)
}

async function expectNews(origin: Origin, client: Client): Promise<void> {
  let seen: string[] = []
  const stop = client.watch((rows) => {
    seen = rows.map(({ id }) => id)
  })
  await write(origin, 'news')
  await expect.poll(() => seen).toContain('news')
  stop()
}

async function write(origin: Origin, id: string): Promise<void> {
  const writer = createClient(origin.base, { stream: false })
  await writer.add(id, 'another').confirmed
  await writer.sync.close({ outbox: 'keep' })
}
