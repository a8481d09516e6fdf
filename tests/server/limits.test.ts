import type { Limits, Principal, SyncHandlerOptions } from 'tidemark/server'
import { createSyncHandler, memoryStore } from 'tidemark/server'
import { describe, expect, test } from 'vitest'
import { authenticate, manualClock, problemOf, startServer } from './harness'

function start(limits: Partial<Limits> = {}, options: Partial<SyncHandlerOptions> = {}) {
  const clock = manualClock()
  const store = memoryStore({ now: clock.now })
  const server = startServer(store, {
    authenticate,
    clock,
    limits,
    mutations: { put: (tx, row: { id: string }) => tx.put('row', row.id, row) },
    queries: { rows: (tx) => tx.rows('row') },
    ...options,
  })
  const isEmpty = async () => (await store.snapshot((view) => view.position())).head === '0'
  return { ...server, clock, isEmpty }
}

const json = { 'Content-Type': 'application/json' }

describe('limits', () => {
  test('refuse a body that is too large, whatever its length says', async () => {
    const { send, post, isEmpty } = start({ body: 1_000 })
    const big = { id: 'x'.repeat(1_000) }
    expect(await problemOf(await post('put', big))).toMatchObject({ status: 413, name: 'too-large' })
    const endless = new ReadableStream<Uint8Array>({ pull: (to) => to.enqueue(new Uint8Array(500).fill(32)) })
    const init = { method: 'POST', body: endless, duplex: 'half', headers: { ...json, 'Idempotency-Key': 'a' } }
    expect(await problemOf(await send('/mutations/put', init as RequestInit))).toMatchObject({ status: 413 })
    const liar = { method: 'POST', body: '{}', headers: { ...json, 'Content-Length': '5000', 'Idempotency-Key': 'a' } }
    expect((await send('/mutations/put', liar)).status).toBe(413)
    expect(await isEmpty()).toBe(true)
  })
  test('have the defaults of the documentation', async () => {
    const { post } = start()
    expect((await post('put', { id: 'x'.repeat(262_144 - 9) })).status).toBe(200)
    expect((await post('put', { id: 'x'.repeat(262_144) })).status).toBe(413)
  })
  test('refuse JSON that is nested too deep, before it is parsed', async () => {
    const { send, isEmpty } = start()
    const deep = (depth: number) => `{"id":"a","x":${'['.repeat(depth)}${']'.repeat(depth)}}`
    const post = (body: string, id: string) =>
      send('/mutations/put', { method: 'POST', body, headers: { ...json, 'Idempotency-Key': id } })
    expect(await problemOf(await post(deep(100_000), 'a'))).toMatchObject({ status: 400, name: 'malformed' })
    expect(await isEmpty()).toBe(true)
    expect((await post(`{"id":"${'['.repeat(500)}\\"["}`, 'b')).status).toBe(200)
    expect((await post(deep(63), 'c')).status).toBe(200)
  })
  test('bound the mutations of a batch', async () => {
    const { send } = start({ batch: 2 })
    const mutations = [1, 2, 3].map((n) => ({ id: `m${n}`, mutationKey: ['put'], variables: { id: 'a' } }))
    const post = (list: unknown[]) =>
      send('/mutations', { method: 'POST', headers: json, body: JSON.stringify({ outbox: 'o', mutations: list }) })
    expect(await problemOf(await post(mutations))).toMatchObject({ status: 413, name: 'too-large' })
    expect((await post(mutations.slice(1))).status).toBe(200)
  })
  test('bound the topics of a stream', async () => {
    const { send } = start({ topics: 2 })
    expect(await problemOf(await send('/stream?topics=a,b&topics=c'))).toMatchObject({ status: 413 })
    expect((await send(`/stream?topics=${'x'.repeat(300)}`)).status).toBe(400)
    expect((await send('/stream?topics=a,b&topics=a,,')).status).toBe(200)
  })
  test('bound the streams of a session and of a principal, those that are being opened too', async () => {
    const { send, handler } = start(
      { sessionStreams: 2, principalStreams: 3 },
      {
        authenticate: (request) => {
          const [id = '', session] = (request.headers.get('Authorization') ?? '').split('/')
          return { id, session }
        },
      },
    )
    const open = (as: string) => send('/stream', { as })
    const session = await Promise.all([open('me/1'), open('me/1'), open('me/1')])
    expect(session.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(session[2]?.headers.get('Retry-After')).toBe('5')
    expect((await open('me/2')).status).toBe(200)
    expect(await problemOf(await open('me/3'))).toMatchObject({ status: 429, name: 'too-many-streams' })
    expect((await open('you/1')).status).toBe(200)
    await session[0]?.body?.cancel()
    expect((await open('me/3')).status).toBe(200)
    expect(handler.snapshot()['refused{too-many-streams}']).toBe(2)
  })
  test('bound the streams of the whole server', async () => {
    const { send } = start({ streams: 1 })
    expect((await send('/stream', { as: 'a' })).status).toBe(200)
    const full = await send('/stream', { as: 'b' })
    expect(full.headers.get('Retry-After')).toBe('5')
    expect(await problemOf(full)).toMatchObject({ status: 503, name: 'overload' })
  })
  test('bound the rate of a principal: a burst, then so many a second; a batch counts by its mutations', async () => {
    const { send, query, clock } = start({ rate: { burst: 3, perSecond: 2 } })
    const statuses = async (count: number, as?: string) =>
      (await Promise.all(Array.from({ length: count }, () => query('rows', {}, as)))).map(({ status }) => status)
    expect(await statuses(4)).toEqual([200, 200, 200, 429])
    expect(await statuses(1, 'you')).toEqual([200])
    clock.advance(500)
    expect(await statuses(2)).toEqual([200, 429])
    clock.advance(60_000)
    const mutations = [1, 2, 3].map((n) => ({ id: `m${n}`, mutationKey: 'put', variables: { id: 'a' } }))
    await send('/mutations', { method: 'POST', headers: json, body: JSON.stringify({ outbox: 'o', mutations }) })
    const refused = await query('rows')
    expect(refused.headers.get('Retry-After')).toBe('1')
    expect(await problemOf(refused)).toMatchObject({ status: 429, name: 'too-many-requests', retryable: true })
  })
  test('do not count together those whom nobody tells apart', async () => {
    const { query } = start({ rate: { burst: 1, perSecond: 1 } }, { authenticate: undefined })
    expect([(await query('rows')).status, (await query('rows')).status]).toEqual([200, 200])
  })
})

describe('forged requests', () => {
  const cases: [name: string, headers: Record<string, string>, allowed: boolean][] = [
    ['a program that is no browser', {}, true],
    ['a page of this origin', { Origin: 'http://sync.test', 'Sec-Fetch-Site': 'same-origin' }, true],
    ['a page of this origin in an old browser', { Origin: 'http://sync.test' }, true],
    ['a page of this origin behind a proxy', { Origin: 'https://app.test', 'Sec-Fetch-Site': 'same-origin' }, true],
    ['a page of a listed origin', { Origin: 'https://ok.test', 'Sec-Fetch-Site': 'cross-site' }, true],
    ['an address typed by the user', { 'Sec-Fetch-Site': 'none' }, true],
    ['a page of another site', { Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' }, false],
    ['a page of another site in an old browser', { Origin: 'https://evil.test' }, false],
    ['a sibling domain', { Origin: 'https://other.sync.test', 'Sec-Fetch-Site': 'same-site' }, false],
    ['an image or a form of another site', { 'Sec-Fetch-Site': 'cross-site' }, false],
    ['a sandboxed frame', { Origin: 'null' }, false],
    ['an origin that only looks like a listed one', { Origin: 'https://ok.test.evil.test' }, false],
    ['an origin that is no address', { Origin: ':::' }, false],
  ]
  test.each(cases)('%s: %o', async (_name, headers, allowed) => {
    const { post, query, send, isEmpty } = start({}, { origins: ['https://ok.test'] })
    const statuses = [
      (await query('rows', headers)).status,
      (await send('/stream', { headers })).status,
      (await post('put', { id: 'a' }, { headers })).status,
    ]
    expect(statuses).toEqual(allowed ? [200, 200, 200] : [403, 403, 403])
    expect(await isEmpty()).toBe(!allowed)
  })
  test('cannot be made by a form: the body must be application/json, and have a key', async () => {
    const { send, isEmpty } = start()
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonp',
      '',
    ]) {
      const headers = { 'Content-Type': type, 'Idempotency-Key': 'a' }
      const answer = await send('/mutations/put', { method: 'POST', body: '{"id":"a"}', headers })
      expect(await problemOf(answer)).toMatchObject({ status: 415, name: 'media-type' })
    }
    const bare = await send('/mutations/put', { method: 'POST', body: '{"id":"a"}', headers: json })
    expect(await problemOf(bare)).toMatchObject({ status: 400, name: 'malformed' })
    expect(await isEmpty()).toBe(true)
    const charset = { 'Content-Type': 'application/json; charset=utf-8', 'Idempotency-Key': 'a' }
    expect((await send('/mutations/put', { method: 'POST', body: '{"id":"a"}', headers: charset })).status).toBe(200)
  })
})

describe('CORS', () => {
  const ORIGIN = 'https://ok.test'
  test('answers a preflight of a listed origin with everything that clients send', async () => {
    const { send } = start({}, { origins: [ORIGIN] })
    const answer = await send('/mutations/put', { method: 'OPTIONS', as: '', headers: { Origin: ORIGIN } })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(ORIGIN)
    expect(answer.headers.get('Access-Control-Allow-Credentials')).toBe('true')
    const allowed = (answer.headers.get('Access-Control-Allow-Headers') ?? '').split(', ')
    for (const name of [
      'Idempotency-Key',
      'Sync-Outbox',
      'Sync-Scope',
      'Sync-Sequence',
      'Sync-Pending',
      'Sync-Min-Cursor',
    ]) {
      expect(allowed).toContain(name)
    }
    expect(allowed).toEqual(expect.arrayContaining(['Last-Event-ID', 'If-Match', 'If-None-Match', 'Authorization']))
  })
  test('lets a listed origin read every header, on answers and on problems', async () => {
    const { query } = start({}, { origins: [ORIGIN] })
    for (const answer of [await query('rows', { Origin: ORIGIN }), await query('nothing', { Origin: ORIGIN })]) {
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(ORIGIN)
      expect(answer.headers.get('Vary')).toContain('Origin')
      const exposed = (answer.headers.get('Access-Control-Expose-Headers') ?? '').split(', ')
      expect(exposed).toEqual(
        expect.arrayContaining(['Sync-Cursor', 'Sync-Reflects', 'Idempotent-Replayed', 'ETag', 'Retry-After']),
      )
    }
  })
  test('says nothing to other origins', async () => {
    const { send } = start({}, { origins: [ORIGIN] })
    const answer = await send('/mutations/put', { method: 'OPTIONS', headers: { Origin: 'https://evil.test' } })
    expect(answer.headers.has('Access-Control-Allow-Origin')).toBe(false)
    expect(answer.headers.get('Vary')).toBe('Origin')
  })
})

describe('addresses', () => {
  test('are below a base path; the stream can be elsewhere', async () => {
    const handler = createSyncHandler({
      store: memoryStore(),
      basePath: '/api/',
      streamPath: '/api/sync',
      queries: { 'a/b': () => 'here' },
    })
    const get = (path: string) => handler(new Request(`http://sync.test${path}`))
    expect(await (await get('/api/queries/a/b')).json()).toBe('here')
    expect(await (await get('/api/queries/a%2Fb')).json()).toBe('here')
    expect((await get('/api/sync')).headers.get('Content-Type')).toContain('text/event-stream')
    expect((await get('/api/stream')).status).toBe(404)
    expect((await get('/api/queries/%E0%A4%A')).status).toBe(400)
    expect(['/api/sync', '/api/queries/x', '/other', '/apix'].map(handler.matches)).toEqual([true, true, false, false])
    await handler.close({ timeout: 0 })
  })
  test('say which method they take', async () => {
    const { send } = start()
    const wrong = await send('/queries/rows', { method: 'DELETE' })
    expect([wrong.status, wrong.headers.get('Allow')]).toEqual([405, 'GET'])
    expect((await send('/mutations/put', { method: 'GET' })).headers.get('Allow')).toBe('POST')
  })
})

describe('options', () => {
  const make = (options: object) => () =>
    createSyncHandler({ store: memoryStore(), ...options } as SyncHandlerOptions<Principal>)
  test('that are unknown or wrong are refused with what to do', () => {
    expect(make({ quries: {} })).toThrow(/no option "quries"; did you mean "queries"/)
    expect(make({ limits: { bodi: 1 } })).toThrow(/limits has no option "bodi"; did you mean "body"/)
    expect(make({ store: undefined })).toThrow(/memoryStore\(\) or sqliteStore/)
    expect(make({ mutations: { add: {} } })).toThrow(/mutation "add" must be a function/)
    expect(make({ basePath: 'sync' })).toThrow(/must begin with "\/"/)
  })
  test('are numbers that are not negative, and a heartbeat is one that clients take', () => {
    for (const heartbeat of [0, 999, 120_001, Infinity]) {
      expect(make({ stream: { heartbeat } })).toThrow(/heartbeat must be between 1000 and 120000/)
    }
    for (const wrong of ['1', -1, Number.NaN, null]) {
      expect(make({ limits: { body: wrong } })).toThrow(/limits.body must be a number that is not negative/)
      expect(make({ retention: { keys: wrong } })).toThrow(/retention.keys must be a number/)
    }
    expect(make({ stream: { heartbeat: 120_000, maxAge: Infinity }, limits: { rate: false } })).not.toThrow()
  })
})
