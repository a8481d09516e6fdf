// What a QueryClient does under a sync client, beside the same on a plain one: reads that are superseded, cancelled, or come
// after data that was not read; resets; sharing. Each of these ended otherwise once.
import {
  createQueryStore,
  createSyncClient,
  InfiniteQueryObserver,
  QueryClient,
  QueryObserver,
  queryOptions,
} from 'tidemark'
import { describe, expect, test, vi } from 'vitest'

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

interface Side {
  queryClient: QueryClient
  /** What observers are made with. */
  client: QueryClient
}
const sides = (): Record<'plain' | 'ours', Side> => {
  const plain = new QueryClient()
  const queryClient = new QueryClient()
  return {
    plain: { queryClient: plain, client: plain },
    ours: { queryClient, client: createSyncClient({ queryClient }).viewClient },
  }
}

/** Runs the same on both sides; what it returns must be the same, and it is returned. */
async function alike<T>(run: (side: Side) => Promise<T>): Promise<T> {
  const { plain, ours } = sides()
  const [expected, got] = await Promise.all([run(plain), run(ours)])
  expect(got).toEqual(expected)
  return got
}

/** Until no query is fetching, or for ever: then the test ends by its time limit. */
const settled = ({ queryClient }: Side) =>
  vi.waitFor(() => expect(queryClient.isFetching()).toBe(0), { timeout: 20_000 })

const pages = (read: (signal: AbortSignal) => Promise<unknown>) => ({
  queryKey: ['pages'],
  queryFn: ({ signal }: { signal: AbortSignal }) => read(signal),
  initialPageParam: 0,
  getNextPageParam: () => undefined,
})

describe('an infinite query', () => {
  test('whose read is superseded ends with the next one', async () => {
    const got = await alike(async (side) => {
      let reads = 0
      const read = async (signal: AbortSignal): Promise<string> => {
        const mine = ++reads
        await new Promise<void>((resolve, reject) => {
          setTimeout(resolve, 20)
          signal.addEventListener('abort', () => reject(signal.reason))
        })
        return `read ${mine}`
      }
      const observer = new InfiniteQueryObserver(side.client, pages(read))
      const stop = observer.subscribe(() => {})
      await settled(side)
      void side.queryClient.invalidateQueries()
      await sleep(5)
      void side.queryClient.invalidateQueries()
      await settled(side)
      stop()
      return [observer.getCurrentResult().data?.pages, observer.getCurrentResult().fetchStatus]
    })
    expect(got).toEqual([['read 3'], 'idle'])
  })

  test('whose read was cancelled takes the next one over what was set between', async () => {
    const got = await alike(async (side) => {
      let server = ['a']
      const read = async () => {
        const now = server
        await sleep(20)
        return now
      }
      const observer = new InfiniteQueryObserver(side.client, pages(read))
      const stop = observer.subscribe(() => {})
      await settled(side)
      void side.queryClient.invalidateQueries()
      await sleep(5)
      await side.queryClient.cancelQueries()
      side.queryClient.setQueryData(['pages'], { pages: [['a', 'optimistic']], pageParams: [0] })
      await sleep(40)
      server = ['a', 'saved']
      await side.queryClient.invalidateQueries()
      await settled(side)
      stop()
      return observer.getCurrentResult().data?.pages
    })
    expect(got).toEqual([['a', 'saved']])
  })
})

describe('data that was not read', () => {
  const full = (): Promise<string> => sleep(20).then(() => 'full')
  const options = { queryKey: ['todo'], staleTime: 60_000, queryFn: full }

  test.each<[string, (side: Side) => unknown]>([
    ['setQueryData', ({ queryClient }) => queryClient.setQueryData(['todo'], 'partial')],
    [
      'initial data',
      ({ client }) =>
        new QueryObserver(client, { ...options, initialData: 'partial', initialDataUpdatedAt: 1 }).subscribe(() => {}),
    ],
    [
      'an old state',
      ({ queryClient }) =>
        queryClient
          .getQueryCache()
          .find({ queryKey: ['todo'] })
          ?.setState({ data: 'partial', dataUpdatedAt: 1, status: 'success' }),
    ],
  ])('does not stand for a read that was on its way: %s', async (_, bring) => {
    const got = await alike(async (side) => {
      const observer = new QueryObserver(side.client, options)
      const stop = observer.subscribe(() => {})
      await sleep(5)
      bring(side)
      await settled(side)
      await sleep(0)
      await settled(side)
      stop()
      return [observer.getCurrentResult().data, observer.getCurrentResult().fetchStatus]
    })
    expect(got).toEqual(['full', 'idle'])
  })
})

test('a reset during a read ends the read', async () => {
  const got = await alike(async (side) => {
    const options = { queryKey: ['k'], queryFn: () => sleep(20).then(() => 'read'), initialData: 'initial' }
    const observer = new QueryObserver<string>(side.client, options)
    const stop = observer.subscribe(() => {})
    await settled(side)
    observer.setOptions({ ...options, enabled: false })
    side.queryClient.fetchQuery(options).catch(() => {})
    await sleep(5)
    void side.queryClient.resetQueries().catch(() => {})
    await sleep(60)
    stop()
    return [observer.getCurrentResult().data, observer.getCurrentResult().fetchStatus, side.queryClient.isFetching()]
  })
  expect(got).toEqual(['initial', 'idle', 0])
})

test('a sharing function is asked of news, not of a state that is reset or hydrated', async () => {
  const got = await alike(async (side) => {
    const structuralSharing = (before: unknown, next: unknown) => [
      ...((before as string[]) ?? []),
      ...(next as string[]),
    ]
    const options = { queryKey: ['log'], queryFn: async () => ['read'], initialData: ['initial'], staleTime: 60_000 }
    const observer = new QueryObserver(side.client, { ...options, structuralSharing })
    const stop = observer.subscribe(() => {})
    await observer.refetch()
    const read = observer.getCurrentResult().data
    const query = side.queryClient.getQueryCache().find({ queryKey: ['log'] })
    query?.reset()
    const reset = observer.getCurrentResult().data
    query?.setState({ data: ['hydrated'], dataUpdatedAt: Date.now() })
    stop()
    return [read, reset, observer.getCurrentResult().data]
  })
  expect(got).toEqual([['initial', 'read'], ['initial'], ['hydrated']])
})

test.each<[string, object]>([
  ['select', { select: (rows: Array<{ id: number }>) => rows.map(({ id }) => id) }],
  [
    'a select that throws',
    {
      select: () => {
        throw new Error('No.')
      },
    },
  ],
  ['a placeholder', { queryKey: ['none'], placeholderData: () => [{ id: 0 }] }],
])('a query store that nobody watches reads the same twice, with %s', async (_, more) => {
  const sync = createSyncClient()
  const options = queryOptions({ queryKey: ['rows'], queryFn: async () => [{ id: 1 }] })
  await sync.queryClient.prefetchQuery(options)
  const store = createQueryStore(sync, { ...options, ...more })
  const first = store.getState()
  expect(store.getState()).toBe(first)
  store.subscribe(() => {})()
  expect(store.getState()).toBe(store.getState())
  sync.queryClient.setQueryData(['rows'], [{ id: 2 }])
  sync.queryClient.setQueryData(['none'], [{ id: 2 }])
  const after = store.getState()
  expect(store.getState()).toBe(after)
  sync.queryClient.removeQueries()
  expect(store.getState()).toBe(store.getState())
})

test('a closed client is held by nothing', async () => {
  const queryClient = new QueryClient()
  const listeners = (): number => (queryClient.getQueryCache() as unknown as { listeners: Set<unknown> }).listeners.size
  for (let round = 0; round < 3; round++) await createSyncClient({ queryClient }).close()
  expect(listeners()).toBe(0)
})
