// What a platform may lack (jsdom in Jest, older React Native), and what a test takes away for a while (fake timers).
import { createQueryStore, createSyncClient, defineMutation, queryOptions } from 'tidemark'
import { afterEach, describe, expect, test, vi } from 'vitest'

const save = defineMutation({
  mutationKey: ['save'],
  mutationFn: (text: string, { fetch }) =>
    fetch('/save', { method: 'PUT', body: JSON.stringify(text) }).then((answer): Promise<string> => answer.json()),
})
const textQuery = queryOptions({ queryKey: ['text'], queryFn: async () => 'old' })

/** An answer as a platform's own `fetch` may make it, with nothing of the standard's classes. */
const answer = (status: number, body: unknown) =>
  ({
    ok: status < 300,
    status,
    headers: { get: () => null, has: () => false },
    json: async () => body,
    text: async () => JSON.stringify(body),
  }) as unknown as Response

const LACKING = [
  'Request',
  'Response',
  'Headers',
  'ReadableStream',
  'crypto',
  'location',
  'DOMException',
  'TextDecoder',
]

describe('a platform without the classes of the standard', () => {
  test('reads and writes, with headers, and renews its credentials after a 401', async () => {
    for (const name of [...LACKING, 'structuredClone']) vi.stubGlobal(name, undefined)
    const sent: unknown[] = []
    let token = 'old'
    const sync = createSyncClient({
      mutations: [save],
      headers: () => ({ Authorization: token }),
      refreshAuth: () => {
        token = 'new'
      },
      platform: {
        fetch: async (url, init) => {
          const { authorization, 'content-type': type } = { ...init?.headers } as Record<string, string>
          sent.push([url, authorization, type])
          return authorization === 'new' ? answer(200, 'saved') : answer(401, undefined)
        },
      },
    })
    const stop = sync.start()
    expect(await sync.mutate(save, 'hello').confirmed).toBe('saved')
    const read = queryOptions({
      queryKey: ['read'],
      queryFn: ({ fetch }) => fetch('/read').then((each) => each.json()),
    })
    expect(await sync.queryClient.fetchQuery(read)).toBe('saved')
    expect(sent).toEqual([
      ['/save', 'old', 'application/json'],
      ['/save', 'new', 'application/json'],
      ['/read', 'new', undefined],
    ])
    stop()
  })

  test('makes a new id for each write without a source of random bytes', () => {
    vi.stubGlobal('crypto', undefined)
    const sync = createSyncClient({ mutations: [save] })
    const ids = Array.from({ length: 600 }, () => sync.mutate(save, 'x').id)
    expect(new Set(ids).size).toBe(600)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})

describe('a period of fake timers', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  const FAKED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'queueMicrotask', 'Date'] as const
  /** As Jest does it, which takes `queueMicrotask` away too. */
  const fake = () => vi.useFakeTimers({ toFake: [...FAKED] })

  test('leaves no store deaf: what was scheduled in it is told, and so is what comes after it', async () => {
    const sync = createSyncClient({ mutations: [save], platform: { fetch: async () => answer(200, 'saved') } })
    const stop = sync.start()
    const told = { status: 0, outbox: 0, query: 0 }
    sync.status.subscribe(() => told.status++)
    sync.outbox.subscribe(() => told.outbox++)
    createQueryStore(sync, textQuery).subscribe(() => told.query++)
    fake()
    sync.mutate(save, 'during')
    vi.useRealTimers()
    const before = { ...told }
    sync.queryClient.setQueryData(textQuery.queryKey, 'new')
    await sync.mutate(save, 'after').confirmed
    await expect.poll(() => told.outbox).toBeGreaterThan(before.outbox)
    await expect.poll(() => told.status).toBeGreaterThan(before.status)
    expect(told.query).toBeGreaterThan(before.query)
    stop()
  })

  test('takes no retry away: what was waiting in it is sent', async () => {
    let lost = true
    const fetch = async () => {
      if (lost) throw new TypeError('fetch failed')
      return answer(200, 'saved')
    }
    const sync = createSyncClient({ mutations: [save], platform: { fetch } })
    const stop = sync.start()
    fake()
    const { confirmed } = sync.mutate(save, 'during')
    for (let turn = 0; sync.outbox.getState().entries[0]?.status !== 'uncertain' && turn < 1_000; turn++) await null
    expect(sync.outbox.getState().entries[0]?.status).toBe('uncertain')
    lost = false
    vi.useRealTimers()
    sync.mutate(save, 'after')
    expect(await confirmed).toBe('saved')
    stop()
  })
})
