import { createQueryStore, queryOptions, syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import { devtools, subscribeWithSelector } from 'zustand/middleware'
import { createWorld } from '../kit/world'

const list = queryOptions({
  queryKey: ['list'],
  queryFn: ({ fetch }) => fetch('/list').then((response): Promise<string[]> => response.json()),
})

test('a query store takes Zustand middleware inside', async () => {
  const { sync, net, settle } = createWorld()
  const store = createQueryStore(sync, list, {
    enhance: (creator) => devtools(subscribeWithSelector(creator), { enabled: false }),
  })
  const stop = store.subscribe(() => {})
  await settle()
  await net.take('GET').answer(['a'])
  expect(store.getState().data).toEqual(['a'])
  stop()
})

test('a query store fetches nothing before it is watched, and watches the cached query again after its cache time', async () => {
  const { sync, net, settle } = createWorld()
  const store = createQueryStore(sync, list)
  await settle()
  expect(net.waiting).toEqual([])
  const stop = store.subscribe(() => {})
  await settle()
  await net.take('GET').answer(['a'])
  stop()
  sync.queryClient.removeQueries({ queryKey: ['list'] })
  expect(store.getState().data).toBeUndefined()
  store.subscribe(() => {})
  await settle()
  await net.take('GET').answer(['b'])
  expect(store.getState().data).toEqual(['b'])
  expect(
    sync.queryClient
      .getQueryCache()
      .find({ queryKey: ['list'] })
      ?.getObserversCount(),
  ).toBe(1)
})

test('status is not polling while the device is offline, and is again when it comes back', async () => {
  const { sync, net, advance } = createWorld({
    stream: syncStream({ url: '/sync' }),
    platform: { fetch: () => Promise.reject(new TypeError('Failed to fetch')) },
  })
  const shown: string[] = []
  sync.status.subscribe(({ network, stream, transport }) => shown.push(`${network} ${stream} ${transport}`))
  sync.start()
  while (sync.status.getState().stream !== 'polling') await advance(1_000)
  expect(sync.status.getState()).toMatchObject({ network: 'online', transport: 'poll' })
  await net.network.set('offline')
  expect(sync.status.getState()).toMatchObject({ network: 'offline', stream: 'waiting', transport: 'none' })
  await advance(120_000)
  expect(shown.filter((text) => /^offline .*poll/.test(text))).toEqual([])
  await net.network.set('online')
  expect(sync.status.getState()).toMatchObject({ network: 'online', stream: 'polling', transport: 'poll' })
})
