import { createQueryStore, queryOptions } from 'tidemark'
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
