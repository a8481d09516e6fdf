// What an application holds in its hands and asks again and again: results, references, the QueryClient after `close()`.
import { createQueryStore, createSyncClient, defineMutation, QueryClient, QueryObserver, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'
import { createWorld } from '../kit/world.ts'

const fresh = queryOptions({
  queryKey: ['fresh'],
  queryFn: ({ fetch }) => fetch('/fresh').then((answer): Promise<Array<{ id: number }>> => answer.json()),
  structuralSharing: false,
})

test('a query store that nobody watches answers the same object until something has changed', () => {
  const { sync } = createWorld()
  const store = createQueryStore(sync, queryOptions({ queryKey: ['a'], queryFn: async () => 'a' }))
  expect(store.getState()).toBe(store.getState())
  sync.queryClient.setQueryData(['a'], 'set')
  const after = store.getState()
  expect(after.data).toBe('set')
  expect(store.getState()).toBe(after)
})

test('structuralSharing: false shows each answer, and what is cached is what is shown', async () => {
  const { sync, net, settle } = createWorld()
  const observer = new QueryObserver(sync.viewClient, fresh)
  const seen = new Set<unknown>()
  const stop = observer.subscribe(({ data }) => void (data !== undefined && seen.add(data)))
  await settle()
  await net.take('GET').answer([{ id: 1 }])
  await settle()
  void observer.refetch()
  await settle()
  await net.take('GET').answer([{ id: 1 }])
  await settle()
  sync.queryClient.setQueryData(fresh.queryKey, [{ id: 1 }])
  expect(seen.size).toBe(3)
  expect(sync.queryClient.getQueryData(fresh.queryKey)).toBe(observer.getCurrentResult().data)
  expect(sync.getView(fresh.queryKey)).toBe(sync.getBase(fresh.queryKey))
  stop()
})

test('what a structuralSharing function returns is what is shown', async () => {
  const { sync } = createWorld()
  const options = {
    queryKey: ['own'],
    queryFn: () => 1,
    structuralSharing: (before: unknown, next: unknown) => ({ before: (before as { next?: unknown })?.next, next }),
  }
  const observer = new QueryObserver(sync.viewClient, options)
  const stop = observer.subscribe(() => {})
  sync.queryClient.setQueryData(['own'], 'first')
  sync.queryClient.setQueryData(['own'], 'second')
  expect(observer.getCurrentResult().data).toEqual({ before: 'first', next: 'second' })
  expect(sync.queryClient.getQueryData(['own'])).toBe(observer.getCurrentResult().data)
  stop()
})

test('close() gives the QueryClient back: the next client takes it, the closed one keeps its views', async () => {
  const queryClient = new QueryClient()
  const first = createSyncClient({ queryClient })
  first.start()
  await first.close({ outbox: 'discard' })
  const second = createSyncClient({ queryClient })
  queryClient.setQueryData(['a'], 1)
  expect(second.getView(['a'])).toBe(1)
  expect(first.getView(['a'])).toBeUndefined()
  expect(() => createSyncClient({ queryClient })).toThrow('belongs to a sync client already')
})

test('the progress of a write is a store: pending, then what the server said', async () => {
  const rename = defineMutation({
    mutationKey: ['rename'],
    mutationFn: (title: string, { fetch }) =>
      fetch('/rename', { body: JSON.stringify(title) }).then((answer): Promise<string> => answer.json()),
  })
  const { sync, net, settle } = createWorld({ mutations: [rename] })
  sync.start()
  const handle = sync.mutate(rename, 'A')
  const progress = sync.progress(handle.id)
  const seen: unknown[] = []
  progress?.subscribe(({ status, failureCount }) => void seen.push([status, failureCount]))
  expect(progress?.getState()).toMatchObject({ status: 'pending', variables: 'A', error: null, failureCount: 0 })
  await settle()
  await net.take('POST').answer('AA')
  await settle()
  expect(progress?.getState()).toMatchObject({ status: 'success', data: 'AA', error: null })
  expect(seen).toEqual([['success', 0]])
  expect(sync.progress(handle.id)).toBeUndefined()
  expect(sync.progress('nope')).toBeUndefined()
})
