// What a program may hand to `fetch` and to `headers`, and what becomes of a mistake in it: refused at once, with its cause.
import { createServer } from 'node:http'
import type { SyncClientOptions } from 'tidemark'
import { createSyncClient, defineMutation, queryOptions, syncStream } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { createWorld } from '../kit/world'

describe('headers', () => {
  const kinds: ReadonlyArray<readonly [string, SyncClientOptions['headers']]> = [
    ['a record', { Authorization: 'Bearer x' }],
    ['a Headers object', new Headers({ authorization: 'Bearer x' })],
    ['pairs', [['authorization', 'Bearer x']]],
    ['a function of a record', () => ({ authorization: 'Bearer x' })],
    ['a function of a Headers object', () => new Headers({ authorization: 'Bearer x' })],
    ['a promise of pairs', async () => [['authorization', 'Bearer x']] as const],
  ]

  test.each(kinds)('as %s go out with reads, writes and the stream', async (_, headers) => {
    const write = defineMutation({ mutationKey: ['write'], mutationFn: (_, { fetch }) => fetch('/write') })
    const { sync, net, settle } = createWorld({ headers, mutations: [write], stream: syncStream({ url: '/stream' }) })
    sync.start()
    sync.mutate(write)
    void sync.queryClient
      .fetchQuery(queryOptions({ queryKey: ['q'], queryFn: ({ fetch }) => fetch('/q') }))
      .catch(() => {})
    await settle()
    const sent = [...net.log, net.stream()].map(({ url, headers }) => [url, headers.get('authorization')])
    expect(sent.sort()).toEqual([
      ['/q', 'Bearer x'],
      ['/stream', 'Bearer x'],
      ['/write', 'Bearer x'],
    ])
    await sync.close({ outbox: 'discard' })
  })

  test('of another kind are a mistake that is said at once, by reads and by writes', async () => {
    const write = defineMutation({ mutationKey: ['write'], mutationFn: (_, { fetch }) => fetch('/write') })
    const { sync } = createWorld({ headers: (() => 'Bearer x') as never, mutations: [write] })
    sync.start()
    const message = '"headers" must be a record, a Headers object or pairs of a name and a value.'
    await expect(sync.mutate(write).confirmed).rejects.toMatchObject({ code: 'rejected', message })
    const query = queryOptions({ queryKey: ['q'], queryFn: ({ fetch }) => fetch('/q'), retry: 3 })
    await expect(sync.queryClient.fetchQuery(query)).rejects.toMatchObject({ code: 'usage', message })
  })
})

type Fetch = (input: string, init?: RequestInit) => Promise<Response>

const mistakes: ReadonlyArray<readonly [string, RegExp, (fetch: Fetch, url: string) => Promise<Response>]> = [
  ['a relative address where there is no page', /URL/, (fetch) => fetch('/api/x')],
  ['an address that cannot be parsed', /URL/, (fetch) => fetch('http://[x')],
  ['GET with a body', /GET/, (fetch, url) => fetch(url, { method: 'GET', body: 'x' })],
  ['an unknown mode', /nonsense/, (fetch, url) => fetch(url, { mode: 'nonsense' as never })],
  ['an unknown method', /BAD/, (fetch, url) => fetch(url, { method: 'BAD METHOD' })],
  [
    'a header value outside Latin-1',
    /ByteString|Latin/,
    (fetch, url) => fetch(url, { headers: { 'x-user': 'Łukasz' } }),
  ],
  ['a header name with a space', /name/, (fetch, url) => fetch(url, { headers: { 'x user': 'x' } })],
]

describe('a request that cannot be made', () => {
  const server = createServer((_, response) => response.end())
  const listening = new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}/x`)),
  )

  test.each(mistakes)('%s: refused at once, what stands behind it goes on', async (_, words, call) => {
    const url = await listening
    let attempts = 0
    const wrong = defineMutation({
      mutationKey: ['wrong'],
      mutationFn: (_, { fetch }) => {
        attempts++
        return call(fetch as Fetch, url)
      },
    })
    const right = defineMutation({ mutationKey: ['right'], mutationFn: async () => 'done' })
    const sync = createSyncClient({ mutations: [wrong, right], onReport() {}, platform: { development: false } })
    sync.start()
    const first = sync.mutate(wrong)
    const second = sync.mutate(right)
    const error = await first.confirmed.catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'rejected', message: expect.stringMatching(words) })
    expect((error as Error).message).toMatch(/^The request cannot be made as it was given to "fetch": .*[^.]\.$/)
    expect(await second.confirmed).toBe('done')
    expect(attempts).toBe(1)
    expect(sync.outbox.getState().failed[0]?.failure?.mayBeApplied).toBeUndefined()
    const query = queryOptions({ queryKey: ['q'], queryFn: ({ fetch }) => call(fetch as Fetch, url), retry: 3 })
    await expect(sync.queryClient.fetchQuery(query)).rejects.toMatchObject({ code: 'usage' })
    await sync.close({ outbox: 'discard' })
    if (call === mistakes.at(-1)?.[2]) server.close()
  })
})

test.each(['opaque', 'opaqueredirect'])('an answer that is %s is refused at once: nobody may read it', async (type) => {
  const fetch = async () => Object.defineProperty(new Response(null), 'type', { value: type })
  const write = defineMutation({ mutationKey: ['write'], mutationFn: (_, { fetch }) => fetch('/write') })
  const { sync } = createWorld({ mutations: [write], platform: { fetch } })
  sync.start()
  await expect(sync.mutate(write).confirmed).rejects.toMatchObject({
    code: 'rejected',
    message: expect.stringContaining('because of the "mode" or "redirect" that it was made with.'),
  })
})

test.each(['constructor', '__proto__', 'toString', '\ud800', 'a\udfffb', 'ä ö', ''])(
  'a scope may be any text: %j',
  async (scope) => {
    const write = defineMutation({
      mutationKey: ['write'],
      mutationFn: (_: number, { fetch }) => fetch('/write').then((answer) => answer.json()),
      scope: { id: scope },
    })
    const { sync, net, settle } = createWorld({ mutations: [write] })
    sync.start()
    for (const round of [1, 2]) {
      const handle = sync.mutate(write, round)
      await settle()
      const sent = net.take('POST')
      expect(sent.headers.get('sync-sequence')).toBe(String(round))
      expect(sent.headers.get('sync-scope')).toMatch(/^[\w.~%!*'()-]*$/)
      await sent.answer(round)
      expect(await handle.confirmed).toBe(round)
    }
    await sync.close({ outbox: 'discard' })
  },
)

test('an answer of status 0 is a lost connection, and the circuit breaker counts it', async () => {
  let requests = 0
  const fetch = async () => {
    requests++
    return Object.defineProperty(new Response(null), 'status', { value: 0 })
  }
  const write = defineMutation({ mutationKey: ['write'], mutationFn: (_, { fetch }) => fetch('/write') })
  const { sync, advance } = createWorld({
    mutations: [write],
    platform: { fetch },
    breaker: { threshold: 2, base: 600_000, cap: 600_000 },
  })
  sync.start()
  sync.mutate(write)
  await advance(300_000)
  expect(requests).toBe(2)
  expect(sync.outbox.getState()).toMatchObject({
    entries: [{ status: 'uncertain', failure: { code: 'network' } }],
    failed: [],
  })
})
