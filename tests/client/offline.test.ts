// A device that says it is offline gives a hint, no verdict: it may be wrong, and say nothing when it is right again.
import type { SyncClientOptions } from 'tidemark'
import { defineMutation, queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { createWorld } from '../kit/world'

const add = defineMutation({
  mutationKey: ['add'],
  mutationFn: (text: string, { fetch }) =>
    fetch('/add', { body: JSON.stringify(text) }).then((answer) => answer.json()),
})
const list = queryOptions({
  queryKey: ['list'],
  queryFn: ({ fetch }) => fetch('/list').then((answer) => answer.json()),
  networkMode: 'always',
})

async function offline(options: SyncClientOptions = {}) {
  const world = createWorld({ mutations: [add], ...options })
  world.sync.start()
  await world.net.network.set('offline')
  return { ...world, sent: () => world.net.log.filter(({ method }) => method === 'POST').length }
}

describe('a device that is wrong about being offline', () => {
  test('is believed for half a minute, and not any more once somebody has answered', async () => {
    const { sync, net, advance, settle, sent } = await offline()
    sync.mutate(add, 'one')
    await advance(29_999)
    expect(sent()).toBe(0)
    await advance(1)
    expect(sent()).toBe(1)
    await net.take('POST').answer('one')
    const two = sync.mutate(add, 'two')
    await settle()
    await net.take('POST').answer('two')
    expect(await two.confirmed).toBe('two')
    expect(sync.status.getState().network).toBe('offline')
  })

  test.each(['flush', 'resume', 'reconnect'] as const)('%s sends at once', async (method) => {
    const { sync, net, settle, sent } = await offline()
    const one = sync.mutate(add, 'one')
    await settle()
    expect(sent()).toBe(0)
    void sync[method]()
    await settle()
    await net.take('POST').answer('one')
    expect(await one.confirmed).toBe('one')
  })

  test('an answer to a read is heard, too', async () => {
    const { sync, net, settle, sent } = await offline()
    sync.mutate(add, 'one')
    const read = sync.queryClient.fetchQuery(list)
    await settle()
    expect(sent()).toBe(0)
    await net.take('GET').answer([])
    await read
    expect(sent()).toBe(1)
  })
})

describe('a device that is right', () => {
  test('is believed again after each try: at most two in a minute', async () => {
    const { sync, net, advance, sent } = await offline()
    sync.mutate(add, 'one')
    for (let second = 0; second < 600; second++) {
      await advance(1000)
      for (const request of [...net.waiting]) await request.drop()
    }
    expect(sent()).toBeGreaterThan(5)
    expect(sent()).toBeLessThanOrEqual(20)
    expect(sync.outbox.getState()).toMatchObject({ entries: [{ status: 'uncertain' }], failed: [] })
  })

  test('is believed when it says so anew', async () => {
    const { sync, net, settle, sent } = await offline()
    void sync.flush()
    sync.mutate(add, 'one')
    await settle()
    await net.take('POST').answer('one')
    await net.network.set('online')
    await net.network.set('offline')
    sync.mutate(add, 'two')
    await settle()
    expect(sent()).toBe(1)
  })

  test('a flush on closing ends with the first try that gets no answer, not after ten seconds', async () => {
    const { sync, net, clock, settle } = await offline()
    sync.mutate(add, 'one')
    sync.mutate(add, 'two')
    const closed = sync.close({ outbox: 'flush' })
    await settle()
    await net.take('POST').drop()
    expect((await closed).map(({ variables }) => variables)).toEqual(['one', 'two'])
    expect(clock.pending()).toBe(0)
  })
})
