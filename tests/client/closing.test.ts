import {
  createSyncClient,
  defineMutation,
  isSyncError,
  memoryStorage,
  QueryClient,
  queryOptions,
  syncStream,
} from 'tidemark'
import { expect, test, vi } from 'vitest'
import { createWorld } from '../kit/world'

const list = queryOptions({
  queryKey: ['list'],
  queryFn: ({ fetch }) => fetch('/list').then((response): Promise<string[]> => response.json()),
})
const add = defineMutation({
  mutationKey: ['add'],
  mutationFn: (text: string, { fetch }) =>
    fetch('/add', { body: JSON.stringify(text) }).then((response): Promise<string> => response.json()),
  optimistic: (view, text) => view.update(list.queryKey, (rows) => void rows.push(text)),
})

test('discard gives back what was not confirmed, wipes the storage and takes nothing in', async () => {
  const storage = memoryStorage()
  const { sync, net, clock, settle, watch } = createWorld({
    mutations: [add],
    storage,
    stream: syncStream({ url: '/stream' }),
  })
  sync.start()
  watch(list)
  await settle()
  const one = sync.mutate(add, 'one')
  const two = sync.mutate(add, 'two')
  await settle()
  const left = await sync.close({ outbox: 'discard' })
  expect(left.map(({ variables, status }) => [variables, status])).toEqual([
    ['one', 'sending'],
    ['two', 'queued'],
  ])
  expect(await storage.list('')).toEqual([])
  await expect(one.confirmed).rejects.toMatchObject({ code: 'stopped' })
  await expect(two.reflected).rejects.toMatchObject({ code: 'stopped' })
  expect(net.log.every(({ aborted }) => aborted)).toBe(true)
  expect(net.stream().open).toBe(false)
  expect(clock.pending()).toBe(0)
  expect(() => sync.mutate(add, 'three')).toThrowError(/closed/)
  expect(sync.queryClient.getQueryCache().getAll()).toEqual([])
})

test('flush sends what is pending and takes nothing in meanwhile', async () => {
  const { sync, net, settle } = createWorld({ mutations: [add] })
  sync.start()
  const one = sync.mutate(add, 'one')
  await settle()
  const closed = sync.close({ outbox: 'flush' })
  try {
    sync.mutate(add, 'late')
    expect.unreachable()
  } catch (error) {
    expect(isSyncError(error, 'stopped')).toBe(true)
  }
  await net.take('POST').answer('one')
  expect(await closed).toEqual([])
  expect(await one.confirmed).toBe('one')
})

test('a flush ends after ten seconds, whatever the network does', async () => {
  const { sync, settle, advance } = createWorld({ mutations: [add] })
  sync.start()
  sync.mutate(add, 'one')
  await settle()
  const closed = sync.close({ outbox: 'flush' })
  await advance(10_000)
  expect((await closed).map(({ variables }) => variables)).toEqual(['one'])
})

test('a page that would lose changes asks before it is left, and only while there are some', async () => {
  let needed = (): boolean => false
  const world = createWorld({ mutations: [add] })
  const guardUnload = (isNeeded: () => boolean) => {
    needed = isNeeded
    return () => {}
  }
  const guarded = { ...world.net.network, guardUnload }
  const { sync, net, settle } = createWorld({
    mutations: [add],
    platform: { network: guarded, fetch: world.net.fetch, clock: world.clock },
  })
  void net
  sync.start()
  expect(needed()).toBe(false)
  sync.mutate(add, 'one')
  expect(needed()).toBe(true)
  await settle()
  await world.settle()
  await world.net.take('POST').answer('one')
  expect(needed()).toBe(false)
})

test('a network without a question of its own leaves the browser’s in place', async () => {
  const frame = new EventTarget()
  vi.stubGlobal('window', frame)
  const { sync, net, settle } = createWorld({ mutations: [add] })
  expect('guardUnload' in net.network).toBe(false)
  /** Whether the browser would ask somebody who leaves now. */
  const asks = () => !frame.dispatchEvent(new Event('beforeunload', { cancelable: true }))
  const stop = sync.start()
  expect(asks()).toBe(false)
  sync.mutate(add, 'one')
  expect(asks()).toBe(true)
  await settle()
  await net.take('POST').answer('one')
  expect(asks()).toBe(false)
  sync.mutate(add, 'two')
  expect(asks()).toBe(true)
  stop()
  expect(asks()).toBe(false)
})

const no = defineMutation({
  mutationKey: ['no'],
  mutationFn: (_: string, { fetch }) => fetch('/no').then((answer) => answer.json()),
})

test.each(['online', 'offline'] as const)(
  '%s, closing gives everything back: reads, waits, lists, listeners',
  async (network) => {
    const heard = new Set<unknown>()
    const queryClient = new QueryClient()
    const base = createWorld()
    const listening = {
      ...base.net.network,
      subscribe: (listener: Parameters<typeof base.net.network.subscribe>[0]) => {
        heard.add(listener)
        const stop = base.net.network.subscribe(listener)
        return () => {
          heard.delete(listener)
          stop()
        }
      },
    }
    const world = createWorld({
      mutations: [add, no],
      queryClient,
      stream: syncStream({ url: '/stream' }),
      platform: { network: listening, fetch: base.net.fetch, clock: base.clock },
    })
    const { sync } = world
    sync.start()
    sync.mutate(no, 'x')
    await base.settle()
    await base.net.take('POST').answer({}, { status: 422 })
    expect(sync.outbox.getState().failed).toHaveLength(1)
    await base.net.network.set(network)
    const reads = ['always', 'online'].map((networkMode) =>
      sync.queryClient
        .fetchQuery({ ...list, queryKey: [networkMode] as never, networkMode: networkMode as 'always', retry: 3 })
        .catch((error: unknown) => error),
    )
    const stop = world.watch({ ...list, queryKey: ['watched'] }).stop
    sync.mutate(add, 'y')
    await base.settle()
    await sync.close({ outbox: 'discard' })
    stop()
    for (const read of reads) expect(await read).toMatchObject({ message: 'CancelledError' })
    expect(sync.outbox.getState()).toMatchObject({ entries: [], failed: [], quarantined: [] })
    expect([base.clock.pending(), heard.size]).toEqual([0, 0])
    expect(base.net.log.every(({ aborted, method, url }) => aborted || `${method} ${url}` === 'POST /no')).toBe(true)
    await base.advance(600_000)
    expect(base.net.waiting).toEqual([])
    expect(() => createSyncClient({ queryClient })).not.toThrow()
  },
)

test('closing ends the wait for "ready", started or not', async () => {
  const { sync } = createWorld({})
  await sync.close()
  await expect(sync.ready).rejects.toMatchObject({ code: 'stopped' })
  const hanging = { ...memoryStorage(), list: () => new Promise<never>(() => {}) }
  const other = createWorld({ storage: hanging }).sync
  other.start()
  await other.close({ outbox: 'keep' })
  await expect(other.ready).rejects.toMatchObject({ code: 'stopped' })
  const ready = createWorld({}).sync
  ready.start()
  await ready.ready
  await ready.close()
  await ready.ready
})
