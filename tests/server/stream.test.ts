import type { Principal, StateStore, SyncHandlerOptions } from 'tidemark/server'
import { memoryStore, reject, storeError } from 'tidemark/server'
import { describe, expect, test } from 'vitest'
import { authenticate, manualClock, problemOf, STORES, startServer } from './harness'

interface Row {
  id: string
  list?: string
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 10))

describe.each(STORES)('the stream on %s', (_name, makeStore) => {
  function start(options: Partial<SyncHandlerOptions> = {}) {
    const clock = manualClock()
    const server = startServer(makeStore(clock), {
      authenticate,
      clock,
      random: () => 0.5,
      mutations: {
        put: (tx, row: Row) => tx.put('row', row.id, row),
        del: (tx, row: Row) => tx.del('row', row.id),
        note: (tx, row: Row) => tx.put('note', row.id, row),
        no: () => {
          throw reject('no')
        },
        noop: () => {},
      },
      ...options,
    })
    return { ...server, clock }
  }

  test('greets, then sends each commit with its id, the one before, and whose it is', async () => {
    const { stream, post } = start()
    await post('put', { id: 'before' })
    const events = await stream('?topics=row')
    const [hello] = await events.take(1)
    expect(hello).toMatchObject({ event: 'hello', protocol: 1, resume: 'fresh', heartbeat: 15_000, maxAge: 3_600_000 })
    await post('put', { id: 'a' }, { id: 'one', headers: { 'Sync-Outbox': 'o' } })
    await post('del', { id: 'a' })
    const [put, del] = await events.take(2)
    const cursor = (position: number) => `${(hello as { epoch: string }).epoch}:${position}`
    expect(hello).toMatchObject({ cursor: cursor(1) })
    expect(put).toEqual({
      event: 'patch',
      id: cursor(2),
      prev: cursor(1),
      changes: [{ op: 'put', type: 'row', id: 'a', version: 1, value: { id: 'a' } }],
      topics: ['row'],
      mutations: [{ id: 'one', status: 'applied' }],
    })
    expect(del).toMatchObject({ id: cursor(3), prev: cursor(2), changes: [{ op: 'del', id: 'a', version: 2 }] })
  })

  test('sends only what its topics cover, with a chain that skips the rest', async () => {
    const { stream, post } = start()
    const events = await stream('?topics=row&topics=other')
    const [hello] = await events.take(1)
    await post('note', { id: 'n' }, { as: 'you' })
    await post('put', { id: 'a' }, { as: 'you' })
    const [patch] = await events.take(1)
    expect(patch).toMatchObject({ prev: (hello as { cursor: string }).cursor, changes: [{ type: 'row' }] })
    expect(patch?.id).toMatch(/:2$/)
  })

  test('acknowledges to its own principal what changes nothing that it sees, and to nobody else', async () => {
    const { stream, post } = start()
    const [mine, theirs] = [await stream('?topics=row'), await stream('?topics=row', { as: 'you' })]
    await mine.next()
    await theirs.next()
    await post('no', null, { id: 'refused' })
    await post('noop', null, { id: 'noop' })
    await post('note', { id: 'n' }, { id: 'unseen' })
    const acks = await mine.take(3)
    expect(acks).toMatchObject([
      { event: 'ack', mutations: [{ id: 'refused', status: 'rejected', problem: { detail: 'no' } }] },
      { event: 'ack', mutations: [{ id: 'noop', status: 'noop' }] },
      { event: 'ack', mutations: [{ id: 'unseen', status: 'applied' }] },
    ])
    expect(await theirs.isQuiet()).toBe(true)
  })

  test('tells a large transaction in parts, with the id on the last', async () => {
    const { stream, handler } = start()
    const events = await stream('?topics=row')
    await events.next()
    const { cursor } = await handler.write(async (tx) => {
      for (let i = 0; i < 1_100; i++) await tx.put('row', i, { i })
      tx.invalidate({ keys: [['rows']], to: ['row'] })
      tx.state({ key: ['count'], value: 1_100 }, { topics: ['row'] })
    })
    const parts = await events.take(5)
    expect(parts.map(({ event }) => event)).toEqual(['patch', 'patch', 'patch', 'invalidate', 'state'])
    expect(parts.map((part) => [part.id, (part as { more?: boolean }).more ?? false])).toEqual([
      [undefined, true],
      [undefined, true],
      [undefined, true],
      [undefined, true],
      [cursor, false],
    ])
    expect(new Set(parts.map((part) => (part as { txn?: string }).txn)).size).toBe(1)
    expect(parts).toMatchObject(parts.map(() => ({ mutations: [] })))
  })

  test('tells invalidations by key, topic and entity to whoever may know, without topics of others', async () => {
    const { stream, handler } = start()
    const events = await stream('?topics=row')
    await events.next()
    await handler.publish({ topics: ['row', 'secret'], spread: 500 })
    await handler.publish({ keys: [['row', 1]] })
    await handler.publish({ entities: [{ type: 'row', id: 1, version: 3 }] })
    await handler.publish({ topics: ['secret'] })
    await handler.publish({ keys: [['other']], to: ['row'] })
    const [byTopic, byKey, byEntity, addressed] = await events.take(4)
    expect(byTopic).toMatchObject({ event: 'invalidate', topics: ['row'], spread: 500 })
    expect(byKey).toMatchObject({ keys: [['row', 1]] })
    expect(byEntity).toMatchObject({ entities: [{ type: 'row', id: 1, version: 3 }] })
    expect(addressed).toMatchObject({ keys: [['other']] })
  })

  test('tells whoever can no longer see a row that it changed, and not how', async () => {
    const { stream, post } = start({ topics: (row) => [`list:${(row.value as Row | undefined)?.list}`] })
    const [old, current] = [await stream('?topics=list:a'), await stream('?topics=list:b')]
    await old.next()
    await current.next()
    await post('put', { id: 'r', list: 'a' }, { as: 'you' })
    await old.next()
    await post('put', { id: 'r', list: 'b' }, { as: 'you' })
    const moved = await old.next()
    expect(moved).toMatchObject({ event: 'invalidate', entities: [{ type: 'row', id: 'r', version: 2 }] })
    expect(moved).not.toHaveProperty('changes')
    expect(await current.next()).toMatchObject({ event: 'patch', changes: [{ version: 2 }] })
  })

  describe('resume', () => {
    /** What a client has that reads the stream to its end from `cursor` on. */
    async function readFrom(server: ReturnType<typeof start>, cursor: string, count: number, search = '') {
      const events = await server.stream(`?topics=row${search}`, search ? {} : { headers: { 'Last-Event-ID': cursor } })
      const [hello, ...rest] = await events.take(count + 1)
      expect(await events.isQuiet()).toBe(true)
      return { hello, ids: rest.map((message) => message.id), rest }
    }

    test('goes on at every position, from the log and from the ring', async () => {
      const server = start({ limits: { ringEvents: 4 } })
      const cursors = [(await server.handler.read(() => 0)).cursor]
      const put = async (n: number) => {
        const answer = await server.post(n % 3 ? 'put' : 'note', { id: `r${n}` }, { as: 'you' })
        cursors.push(answer.headers.get('Sync-Cursor') ?? '')
      }
      for (let n = 1; n <= 5; n++) await put(n)
      await (await server.stream('?topics=row')).next() // the ring begins here
      for (let n = 6; n <= 12; n++) await put(n)
      for (const [index, cursor] of cursors.entries()) {
        const expected = cursors.filter((_, n) => n > index && n % 3 !== 0)
        const { hello, ids, rest } = await readFrom(server, cursor, expected.length)
        expect(hello).toMatchObject({ resume: 'continued', cursor })
        expect(ids).toEqual(expected)
        const chain = [cursor, ...expected.slice(0, -1)].slice(0, expected.length)
        expect(rest.map((message) => (message as { prev?: string }).prev)).toEqual(chain)
      }
      expect(server.handler.snapshot()).toMatchObject({
        'replayed{log}': expect.any(Number),
        'replayed{ring}': expect.any(Number),
      })
    })

    test('takes the position from the address too', async () => {
      const server = start()
      const { cursor } = await server.handler.read(() => 0)
      await server.post('put', { id: 'a' })
      const { hello, ids } = await readFrom(server, cursor, 1, `&last_event_id=${encodeURIComponent(cursor)}`)
      expect(hello).toMatchObject({ resume: 'continued' })
      expect(ids).toHaveLength(1)
    })

    test('starts afresh from a position that is trimmed, in the future, or of another log', async () => {
      const server = start()
      const { cursor } = await server.handler.read(() => 0)
      for (let n = 0; n < 5; n++) await server.post('put', { id: `r${n}` })
      await server.store.trim({ logBefore: 0, logEntries: 2, outcomesBefore: 0, sequencesBefore: 0 })
      const at = (position: number) => cursor.replace(/0$/, `${position}`)
      for (const [from, resume] of [
        [at(0), 'reset'],
        [at(2), 'reset'],
        [at(3), 'continued'],
        [at(5), 'continued'],
        [at(6), 'reset'],
        ['other:3', 'reset'],
      ] as const) {
        const { hello } = await readFrom(server, from, resume === 'continued' ? 5 - Number(from.split(':')[1]) : 0)
        expect(hello).toMatchObject({ resume, cursor: resume === 'reset' ? at(5) : from })
      }
    })

    test('starts afresh when too much would have to be replayed', async () => {
      const server = start({ limits: { replay: 3 } })
      const cursors = [(await server.handler.read(() => 0)).cursor]
      for (let n = 0; n < 5; n++) {
        cursors.push((await server.post('put', { id: `r${n}` })).headers.get('Sync-Cursor') ?? '')
      }
      expect((await readFrom(server, cursors[1] ?? '', 0)).hello).toMatchObject({ resume: 'reset' })
      expect((await readFrom(server, cursors[2] ?? '', 3)).hello).toMatchObject({ resume: 'continued' })
    })

    test('refuses what is no position', async () => {
      const { send } = start()
      const answer = await send('/stream?topics=row', { headers: { 'Last-Event-ID': 'soon' } })
      expect(await problemOf(answer)).toMatchObject({ status: 400, name: 'malformed' })
    })

    test('loses nothing and repeats nothing while others write', async () => {
      const server = start({ limits: { rate: false, replay: 100_000 } })
      let { cursor } = await server.handler.read(() => 0)
      const got: string[] = []
      let isDone = false
      const writing = (async () => {
        for (let n = 0; n < 200; n++) await server.post('put', { id: `r${n}` }, { as: 'you' })
        isDone = true
      })()
      while (!isDone || got.length < 200) {
        const events = await server.stream('?topics=row', { headers: { 'Last-Event-ID': cursor } })
        expect(await events.next()).toMatchObject({ resume: 'continued', cursor })
        for (const message of await events.take(Math.min(7, 200 - got.length))) {
          expect(message).toMatchObject({ event: 'patch', prev: cursor })
          if (message.event === 'patch') got.push(...message.changes.map(({ id }) => String(id)))
          cursor = message.id ?? cursor
        }
        await events.cancel()
      }
      await writing
      expect(got).toEqual(Array.from({ length: 200 }, (_, n) => `r${n}`))
    })
  })

  test('proves that it lives, and brings a bookmark when its topics are quiet', async () => {
    const { stream, post, clock } = start()
    const events = await stream('?topics=row')
    const [hello] = await events.take(1)
    const pinged = events.next()
    await settled()
    clock.advance(16_000)
    const ping = await pinged
    expect(ping).toMatchObject({ event: 'ping', prev: (hello as { cursor: string }).cursor })
    expect(ping).not.toHaveProperty('id')
    await post('note', { id: 'n' }, { as: 'you' })
    const bookmark = events.next()
    await settled()
    clock.advance(16_000)
    expect(await bookmark).toMatchObject({
      event: 'ping',
      cursor: expect.stringMatching(/:1$/),
      id: expect.stringMatching(/:1$/),
    })
    await post('put', { id: 'a' })
    expect(await events.next()).toMatchObject({ prev: expect.stringMatching(/:1$/) })
  })

  test('tells a position that others moved within the time of its hello, and once', async () => {
    const { stream, post, clock } = start()
    const events = await stream('?topics=row')
    const [hello] = await events.take(1)
    expect(hello).toMatchObject({ progress: 4_000 })
    const heard: (string | undefined)[] = []
    void (async () => {
      for (;;) heard.push(((await events.next()) as { id?: string }).id)
    })().catch(() => {})
    for (let n = 1; n <= 2; n++) {
      await post('note', { id: `n${n}` }, { as: 'you' })
      for (let second = 0; second < 4; second++) {
        await settled()
        clock.advance(1_000)
      }
      await settled()
      expect(heard).toHaveLength(n)
      expect(heard.at(-1)).toMatch(new RegExp(`:${n}$`))
      for (let second = 0; second < 6; second++) {
        clock.advance(1_000)
        await settled()
      }
      expect(heard).toHaveLength(n)
    }
    await events.cancel()
  })

  test('asks a reader who fell out of the ring to read afresh, and goes on from there', async () => {
    const { stream, post, handler } = start({ limits: { ringEvents: 3, rate: false } })
    const [slow, healthy] = [await stream('?topics=row'), await stream('?topics=row')]
    await slow.next()
    await healthy.next()
    const seen: (string | undefined)[] = []
    for (let n = 0; n < 10; n++) {
      await post('put', { id: `r${n}` })
      seen.push((await healthy.next())?.event)
    }
    expect(new Set(seen)).toEqual(new Set(['patch']))
    // What the slow reader's pipe had taken already comes first.
    let message = await slow.next()
    while (message?.event === 'patch') message = await slow.next()
    expect(message).toMatchObject({ event: 'resync', reason: 'overflow', id: expect.stringMatching(/:10$/) })
    await post('put', { id: 'last' })
    expect(await slow.next()).toMatchObject({ event: 'patch', prev: message?.id })
    expect(handler.snapshot()).toMatchObject({ 'resyncs{overflow}': 1 })
  })

  test('closes who stays behind for too long, and nobody else', async () => {
    const { send, stream, post, clock, handler } = start()
    const paused = await send('/stream?topics=row')
    const healthy = await stream('?topics=row')
    await healthy.next()
    const reader = paused.body?.getReader()
    await reader?.read()
    await post('put', { id: 'a' })
    await healthy.next()
    const waiting = healthy.next()
    clock.advance(1_000)
    expect(handler.snapshot()).toMatchObject({ lag_events: 1, ring_events: 1, deliveries: 1 })
    clock.advance(28_000)
    expect(handler.snapshot()['streams']).toBe(2)
    clock.advance(3_000)
    expect(handler.snapshot()).toMatchObject({ streams: 1, 'streams_closed{lag}': 1 })
    await expect(reader?.read()).rejects.toThrow('too slow')
    expect((await waiting)?.event).toBe('ping')
  })

  test('ends with a goodbye when it is old', async () => {
    const { stream, clock } = start({ stream: { maxAge: 60_000 } })
    const events = await stream('?topics=row')
    await events.next()
    const last = nextBye(events)
    clock.advance(61_000)
    expect(await last).toMatchObject({ event: 'bye', reason: 'max-age' })
    expect(await events.next()).toBeUndefined()
  })

  test('ends when the credentials do, and sends nothing after that', async () => {
    const clock = manualClock()
    const server = startServer(makeStore(clock), {
      clock,
      authenticate: (): Principal => ({ id: 'me', expiresAt: clock.now() + 5_000 }),
      mutations: { put: (tx, row: Row) => tx.put('row', row.id, row) },
    })
    const paused = (await server.send('/stream?topics=row')).body?.getReader()
    await paused?.read()
    const events = await server.stream('?topics=row')
    await events.next()
    await server.post('put', { id: 'unread' })
    await events.next()
    const last = events.next()
    await settled()
    clock.advance(5_000)
    expect(await last).toMatchObject({ event: 'bye', reason: 'auth-expired' })
    expect(await events.next()).toBeUndefined()
    const late = new TextDecoder().decode((await paused?.read())?.value)
    expect(late).toMatch(/^event: bye\n/)
    expect(late).not.toContain('unread')
  })

  describe('authorization', () => {
    test('lets a stream have the topics it may have, and refuses it if there is none', async () => {
      const { stream, send, post } = start({ authorize: (_, topics) => topics.filter((topic) => topic !== 'note') })
      const events = await stream('?topics=row,note')
      await events.next()
      await post('note', { id: 'n' }, { as: 'you' })
      await post('put', { id: 'a' }, { as: 'you' })
      expect(await events.next()).toMatchObject({ changes: [{ type: 'row' }] })
      expect(await problemOf(await send('/stream?topics=note'))).toMatchObject({ status: 403, name: 'forbidden' })
    })
    test('never gives a topic that was not asked for', async () => {
      const { stream, post } = start({ authorize: () => ['row', 'note'] })
      const events = await stream('?topics=row')
      await events.next()
      await post('note', { id: 'n' }, { as: 'you' })
      expect(await events.isQuiet()).toBe(true)
    })
    test('is asked again: a lost topic is revoked, and without any left the stream ends', async () => {
      let mine = ['row', 'note']
      const { stream, post, handler, clock } = start({
        authorize: (_, topics) => topics.filter((t) => mine.includes(t)),
      })
      const events = await stream('?topics=row,note')
      await events.next()
      mine = ['row']
      handler.reauthorize('me')
      expect(await events.next()).toMatchObject({ event: 'resync', reason: 'authorization' })
      await post('note', { id: 'n' }, { as: 'you' })
      expect(await events.isQuiet()).toBe(true)
      mine = []
      const last = nextBye(events)
      clock.advance(61_000)
      expect(await last).toMatchObject({ event: 'bye', reason: 'auth-revoked', reconnect: false })
    })
    test('that fails when asked again is reported, and asked once more later', async () => {
      let fails = false
      const { stream, handler, errors } = start({
        authorize: (_, topics) => {
          if (fails) throw new Error('no database')
          return topics
        },
      })
      const events = await stream('?topics=row')
      await events.next()
      fails = true
      handler.reauthorize()
      await settled()
      expect(errors).toMatchObject([{ message: 'no database' }])
      expect(await events.isQuiet()).toBe(true)
    })
    test('ends the streams of a session that logs out, and no others', async () => {
      const clock = manualClock()
      const { stream, handler } = startServer(makeStore(clock), {
        clock,
        authenticate: (request) => {
          const [id = '', session] = (request.headers.get('Authorization') ?? '').split('/')
          return { id, session }
        },
      })
      const [out, other] = [await stream('', { as: 'me/1' }), await stream('', { as: 'me/2' })]
      await out.next()
      await other.next()
      handler.logout({ principal: 'me', session: '1' })
      expect(await out.next()).toMatchObject({ event: 'bye', reason: 'auth-revoked' })
      expect(await other.isQuiet()).toBe(true)
    })
  })

  describe('the end', () => {
    test('says goodbye to the streams, finishes what runs, refuses what comes, and is over', async () => {
      const clock = manualClock()
      let release = () => {}
      const server = startServer(makeStore(clock), {
        authenticate,
        clock,
        mutations: { slow: () => new Promise<void>((resolve) => (release = resolve)) },
      })
      const events = await server.stream('?topics=row')
      await events.next()
      const running = server.post('slow', null)
      await settled()
      const closing = server.handler.close({ spread: 1_000 })
      expect(await events.take(2)).toMatchObject([{ event: 'bye', reason: 'drain', spread: 1_000 }])
      const refused = await server.post('slow', null)
      expect(refused.headers.get('Retry-After')).toBe('1')
      expect(await problemOf(refused)).toMatchObject({ status: 503, name: 'draining' })
      release()
      expect((await running).status).toBe(200)
      await closing
      expect(server.handler.snapshot()['streams']).toBe(0)
    })
    test('does not wait for a reader who does not read', async () => {
      const { send, handler, clock } = start()
      await send('/stream?topics=row')
      const closing = handler.close({ timeout: 2_000 })
      await settled()
      clock.advance(2_000)
      await closing
      expect(handler.snapshot()).toMatchObject({ streams: 0 })
    })
    test('is cleaned up once, whoever ends it', async () => {
      const { send, handler } = start()
      const abort = new AbortController()
      const aborted = await send('/stream', { signal: abort.signal })
      const cancelled = await send('/stream')
      await aborted.body?.getReader().read()
      abort.abort()
      await cancelled.body?.cancel()
      abort.abort()
      const gone = new AbortController()
      gone.abort()
      await send('/stream', { signal: gone.signal }).catch(() => {})
      expect(handler.snapshot()).toMatchObject({ streams: 0, 'streams_closed{cancelled}': 1 })
      expect(handler.snapshot()['streams_closed{aborted}']).toBeGreaterThanOrEqual(1)
    })
  })
})

test('a new log in the middle of a stream is a resync onto it', async () => {
  const clock = manualClock()
  const store = memoryStore({ now: clock.now, epoch: 'old' })
  const { stream, post } = startServer(store, {
    authenticate,
    clock,
    mutations: { put: (tx, row: Row) => tx.put('row', row.id, row) },
  })
  const events = await stream('?topics=row')
  expect(await events.next()).toMatchObject({ cursor: 'old:0' })
  store.rotateEpoch('new')
  await post('put', { id: 'a' })
  expect(await events.next()).toMatchObject({ event: 'resync', reason: 'stream-changed', id: 'new:1' })
  await post('put', { id: 'b' })
  expect(await events.next()).toMatchObject({ event: 'patch', prev: 'new:1', id: 'new:2' })
})

test('a log that cannot be read for a moment is read a second later', async () => {
  const clock = manualClock()
  const store = memoryStore({ now: clock.now })
  let fails = false
  const flaky: StateStore = {
    ...store,
    snapshot: (run) => (fails ? Promise.reject(storeError('the disk is away')) : store.snapshot(run)),
  }
  const { stream, send, handler, errors } = startServer(flaky, { authenticate, clock })
  const events = await stream('?topics=row')
  await events.next()
  fails = true
  await handler.publish({ topics: ['row'] })
  expect(await problemOf(await send('/stream', { headers: { 'Last-Event-ID': 'e:1' } }))).toMatchObject({ status: 503 })
  fails = false
  expect(await events.isQuiet()).toBe(true)
  expect(errors).toHaveLength(2)
  clock.advance(1_000)
  expect(await events.next()).toMatchObject({ event: 'invalidate', topics: ['row'] })
})

/** The goodbye, after whatever pings came before it. */
async function nextBye(events: { next(): Promise<{ event: string } | undefined> }) {
  let message = await events.next()
  while (message?.event === 'ping') message = await events.next()
  return message
}
