// Whatever a client sends: an answer below 500, and nothing written unless it is a proper mutation.
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { manualClock, STORES, startServer } from './harness'

vi.setConfig({ testTimeout: 30_000 })

const RUNS = { numRuns: 150 }

test.each(STORES)('malformed requests are answered with 4xx and write nothing, on %s', async (_name, makeStore) => {
  const clock = manualClock()
  const { send, store, errors } = startServer(makeStore(clock), {
    clock,
    mutations: { put: (tx, row: { id: string }) => tx.put('row', row.id, row) },
    queries: { rows: (tx) => tx.rows('row') },
  })
  const assertRefused = async (path: string, init: RequestInit) => {
    const answer = await send(path, init)
    await answer.body?.cancel()
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
  }
  const json = { 'Content-Type': 'application/json' }
  const key = { ...json, 'Idempotency-Key': 'k' }

  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('{', '[1,', '"', 'nul', '{"a":}', '\u0000'),
  )
  const notJson = text.filter((body) => !isJson(body))
  await fc.assert(
    fc.asyncProperty(notJson, (body) => assertRefused('/mutations/put', { method: 'POST', headers: key, body })),
    RUNS,
  )

  const bytes = fc.uint8Array({ minLength: 1 }).map((noise) => Uint8Array.of(0x22, 0xff, ...noise))
  await fc.assert(
    fc.asyncProperty(bytes, (body) => assertRefused('/mutations/put', { method: 'POST', headers: key, body })),
    RUNS,
  )

  const notBatch = fc.oneof(
    fc.jsonValue().filter((value) => !Array.isArray((value as { mutations?: unknown } | null)?.mutations)),
    fc.record({
      outbox: fc.jsonValue(),
      mutations: fc.array(
        fc.jsonValue().filter((entry) => !hasName(entry)),
        { minLength: 1 },
      ),
    }),
    fc.record({ mutations: fc.constant([]) }),
    fc.record({
      mutations: fc.array(
        fc.record({
          id: fc.oneof(
            fc.integer(),
            fc.string().filter((id) => !/^[A-Za-z0-9._~:-]+$/.test(id)),
            fc.constant('x'.repeat(129)),
          ),
          mutationKey: fc.constant('put'),
          variables: fc.jsonValue(),
        }),
        { minLength: 1 },
      ),
    }),
  )
  await fc.assert(
    fc.asyncProperty(notBatch, (body) =>
      assertRefused('/mutations', { method: 'POST', headers: json, body: JSON.stringify(body) }),
    ),
    RUNS,
  )

  const field = fc.string({ minLength: 1 }).filter((value) => /^[\x21-\x7e]+$/.test(value))
  const badHeaders = fc.oneof(
    field.filter((id) => !/^"?[A-Za-z0-9._~:-]{1,128}"?$/.test(id)).map((id) => ({ 'Idempotency-Key': id })),
    field.filter((value) => !/^\d{1,16}$/.test(value)).map((value) => ({ 'Sync-Sequence': value })),
    fc.constant({ 'Sync-Sequence': '9007199254740993' }),
    field.filter((value) => !/^[*"]/.test(value)).map((value) => ({ 'If-Match': value })),
    fc.constant({ 'Sync-Pending': Array.from({ length: 65 }, (_, n) => `m${n}`).join() }),
    fc.constant({ 'Sync-Pending': '<script>' }),
    fc.constant({ 'Sync-Scope': 'x'.repeat(1_025) }),
    fc.constant({ 'Sync-Outbox': 'x'.repeat(1_025) }),
  )
  await fc.assert(
    fc.asyncProperty(badHeaders, (headers) =>
      assertRefused('/mutations/put', {
        method: 'POST',
        headers: { ...key, ...headers } as Record<string, string>,
        body: '{"id":"a"}',
      }),
    ),
    RUNS,
  )

  const { head } = await store.snapshot((view) => view.position())
  expect([head, await store.snapshot((view) => view.list('row'))]).toEqual(['0', []])
  expect(errors).toEqual([])
})

test.each(STORES)('no request is answered with 5xx, on %s', async (_name, makeStore) => {
  const clock = manualClock()
  const { send, errors } = startServer(makeStore(clock), {
    clock,
    mutations: { put: { variables: assertRow, run: (tx, row: { id: string }) => tx.put('row', row.id, row) } },
    queries: { rows: (tx) => tx.rows('row') },
  })
  const header = fc.string({ unit: 'grapheme' }).map(encodeURIComponent)
  const request = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'OPTIONS', 'HEAD'),
    path: fc.oneof(
      fc.constantFrom('/mutations/put', '/mutations', '/queries/rows', '/stream', '/mutations/', '/queries/../stream'),
      fc.webPath(),
      fc.webQueryParameters().map((query) => `/stream?topics=${query}`),
      fc.webQueryParameters().map((query) => `/stream?last_event_id=${query}`),
      fc.webQueryParameters().map((query) => `/queries/rows?params=${query}`),
    ),
    headers: fc.dictionary(
      fc.constantFrom(
        'Idempotency-Key',
        'Sync-Outbox',
        'Sync-Scope',
        'Sync-Sequence',
        'Sync-Pending',
        'Sync-Min-Cursor',
        'If-Match',
        'If-None-Match',
        'Last-Event-ID',
        'Origin',
        'Sec-Fetch-Site',
        'Content-Type',
      ),
      fc.oneof(header, fc.constantFrom('application/json', 'same-origin', 'k1', '"k2"', '1', '*', 'e:1', 'e:1-2-3')),
    ),
    body: fc.oneof(
      fc.json(),
      fc.json().map((id) => JSON.stringify({ id })),
      fc.string(),
      fc.constant('{"__proto__":{"id":1}}'),
    ),
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, headers, body }) => {
      const answer = await send(path, { method, headers, ...(method === 'GET' || method === 'HEAD' ? {} : { body }) })
      await answer.body?.cancel()
      expect(answer.status).toBeLessThan(500)
    }),
    { numRuns: 600 },
  )
  expect(errors).toEqual([])
})

test('a line break in a header never reaches an answer', async () => {
  expect(() => new Headers({ 'Sync-Pending': 'a\r\nSet-Cookie: x=1' })).toThrow()
  const clock = manualClock()
  const [, makeStore] = STORES[0] ?? []
  if (makeStore === undefined) throw new Error('there is no store')
  const { send } = startServer(makeStore(clock), { clock, queries: { echo: (_tx, params) => params } })
  const answer = await send('/queries/echo?x=%0d%0aSet-Cookie:%20x=1')
  expect(answer.headers.has('Set-Cookie')).toBe(false)
  expect((await send('/queries/%0d%0aSet-Cookie:x')).status).toBe(404)
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function hasName(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'mutationKey' in value && 'id' in value
}

function assertRow(input: unknown): unknown {
  if (typeof (input as { id?: unknown } | null)?.id !== 'string') throw new Error('a row needs an id')
  return input
}
