// The flicker oracle: a counter is bumped every 10 ms, whatever the network does. What a subscriber saw never goes back
// and never overshoots.
import { createQueryStore, createSyncClient, defineMutation, QueryClient, queryOptions, seededRandom } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { virtualClock } from '../kit/clock'
import { scriptedNetwork } from '../kit/network'

interface Server {
  names: boolean
  cursors: boolean
  scopes: number
  /** Answers carry the counter. */
  data: boolean
}

const counter = queryOptions({
  queryKey: ['counter'],
  queryFn: ({ fetch }) => fetch('/counter').then((response): Promise<number> => response.json()),
})
const bump = defineMutation({
  mutationKey: ['bump'],
  mutationFn: (by: { scope: string }, { fetch }) =>
    fetch('/bump', { body: JSON.stringify(by) }).then((response): Promise<{ count?: number }> => response.json()),
  optimistic: (view) => view.update<number>({ queryKey: ['counter'], exact: true }, (count) => count + 1),
  apply: (base, { count }) => {
    if (count !== undefined) base.set(counter.queryKey, count)
  },
  scope: ({ scope }) => ({ id: scope }),
})

const BUMPS = 150

async function play(kind: Server, seed: number): Promise<void> {
  const clock = virtualClock()
  const random = seededRandom(seed)
  const applied = new Map<string, number>()
  let count = 0

  function serve(url: string, headers: Headers): Response {
    const names = (headers.get('sync-pending') ?? '').split(', ').filter(Boolean)
    const answer: Record<string, string> = kind.cursors ? { 'sync-cursor': `e:${count}` } : {}
    if (kind.names) answer['sync-reflects'] = names.filter((id) => applied.has(id)).join(', ')
    if (url === '/counter') return Response.json(count, { headers: answer })
    const id = (headers.get('idempotency-key') ?? '').replaceAll('"', '')
    const stored = applied.get(id)
    if (stored === undefined) applied.set(id, ++count)
    const at = stored ?? count
    if (kind.cursors) answer['sync-cursor'] = `e:${at}`
    if (kind.names)
      answer['sync-reflects'] = names.filter((name) => (applied.get(name) ?? Number.POSITIVE_INFINITY) <= at).join(', ')
    return Response.json(kind.data ? { count: at } : {}, { headers: answer })
  }

  const fetch = (url: string, init?: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      const headers = new Headers(init?.headers)
      const lost = random.next()
      clock.after(random.next() * 80, () => {
        const response = lost < 0.1 ? undefined : serve(url, headers)
        clock.after(random.next() * 80, () =>
          response === undefined || lost > 0.85 ? reject(new TypeError('fetch failed')) : resolve(response),
        )
      })
    })
  const sync = createSyncClient({
    queryClient: new QueryClient({ defaultOptions: { queries: { retry: false, gcTime: Number.POSITIVE_INFINITY } } }),
    mutations: [bump],
    breaker: { threshold: 1000 },
    onReport: () => {},
    platform: { clock, random, network: scriptedNetwork().network, fetch, development: false },
  })
  const stop = sync.start()
  const store = createQueryStore(sync, counter)
  let made = 0
  let seen = -1
  const see = (data: number | undefined): void => {
    if (data === undefined) return
    if (data < seen) throw new Error(`went back from ${seen} to ${data} after ${made} bumps`)
    if (data > made) throw new Error(`overshot to ${data} after ${made} bumps`)
    seen = data
  }
  store.subscribe(({ data }) => see(data))
  while (store.getState().data === undefined) {
    await clock.advance(100)
    if (store.getState().status === 'error') void sync.queryClient.refetchQueries()
  }
  for (; made < BUMPS; ) {
    made++
    sync.mutate(bump, { scope: `s${made % kind.scopes}` })
    expect(store.getState().data).toBe(made)
    if (made % 7 === 0) void sync.queryClient.refetchQueries({}, { cancelRefetch: made % 2 === 0 })
    await clock.advance(10)
  }
  for (let round = 0; round < 400 && sync.status.getState().pending > 0; round++) {
    sync.reconnect()
    await clock.advance(200)
  }
  await clock.advance(60_000)
  expect(sync.status.getState().pending).toBe(0)
  expect(count).toBe(BUMPS)
  expect(store.getState().data).toBe(BUMPS)
  stop()
  await sync.close()
}

describe('a counter that is bumped every 10 ms', () => {
  for (const [names, cursors] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ] as const) {
    for (const scopes of [1, 3]) {
      for (const data of [true, false]) {
        const evidence = `${names ? 'names' : cursors ? 'positions' : 'order'}${names && !cursors ? ' only' : ''}`
        test(`never goes back and never overshoots, told by ${evidence}, ${scopes} scopes, answers ${data ? 'with' : 'without'} data`, {
          timeout: 120_000,
        }, async () => {
          for (let seed = 1; seed <= 3; seed++) await play({ names, cursors, scopes, data }, seed)
        })
      }
    }
  }
})
