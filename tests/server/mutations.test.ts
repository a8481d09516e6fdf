import type { Metric, SyncHandlerOptions, WriteTransaction } from 'tidemark/server'
import { conflict, forbid, reject, retryLater } from 'tidemark/server'
import { describe, expect, test } from 'vitest'
import { authenticate, manualClock, newId, problemOf, STORES, startServer } from './harness'

interface Row {
  id: string
  n: number
}

let release = () => {}
let calls = 0

const mutations: SyncHandlerOptions['mutations'] = {
  'rows/put': (tx, row: Row) => tx.put('row', row.id, row),
  'rows/add': async (tx, { id, n }: Row) => {
    const before = await tx.row<Row>('row', id)
    return tx.put('row', id, { id, n: (before?.n ?? 0) + n })
  },
  'rows/merge': (tx, { id, ...fields }: Row) => tx.merge('row', id, fields),
  'rows/delete': (tx, { id }: Row) => tx.del('row', id),
  noop: () => 'nothing',
  conflict: async (tx, { id }: Row) => {
    await tx.put('row', id, { id, n: 99 })
    const other = await tx.get<Row>('row', 'theirs')
    throw conflict(other)
  },
  reject: async (tx, { id }: Row) => {
    calls++
    await tx.put('row', id, { id, n: 99 })
    throw reject({ detail: 'too many', errors: { n: 'too many' } })
  },
  broken: async (tx, { id }: Row) => {
    calls++
    await tx.put('row', id, { id, n: 99 })
    throw new Error('a bug')
  },
  later: async (tx, { id }: Row) => {
    calls++
    await tx.put('row', id, { id, n: 99 })
    if (calls === 1) throw retryLater('not yet', 3_000)
  },
  forbidden: () => {
    throw forbid()
  },
  slow: async (tx, row: Row) => {
    await new Promise<void>((resolve) => {
      release = resolve
    })
    await tx.put('row', row.id, row)
  },
  guarded: {
    authorize: (_tx, _variables, { principal }) => allowed.has(principal.id),
    run: (tx: WriteTransaction) => tx.put('row', 'guarded', { id: 'guarded', n: 1 }),
  },
  checked: {
    variables: {
      '~standard': {
        validate: (input: unknown) =>
          typeof (input as Row | null)?.n === 'number'
            ? { value: { ...(input as Row), n: (input as Row).n * 10 } }
            : { issues: [{ message: 'n must be a number', path: [{ key: 'n' }] }] },
      },
    },
    run: (tx, row: Row) => tx.put('row', row.id, row),
  },
}
let allowed = new Set<string>()

describe.each(STORES)('mutations on %s', (_name, makeStore) => {
  function start(options: Partial<SyncHandlerOptions> = {}) {
    calls = 0
    allowed = new Set(['me'])
    const clock = manualClock()
    const server = startServer(makeStore(clock), { mutations, authenticate, clock, ...options })
    const row = async (id: string) => (await server.handler.read((tx) => tx.get<Row>('row', id))).value
    const log = () => server.store.snapshot((view) => view.readLog('0', 1_000))
    return { ...server, clock, row, log }
  }

  test('answers with the result, the position of the commit and the version', async () => {
    const { post, row } = start()
    const answer = await post('rows/put', { id: 'a', n: 1 })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ id: 'a', n: 1 })
    expect(answer.headers.get('Sync-Cursor')).toMatch(/^[0-9a-f]{16}:1$/)
    expect(answer.headers.get('Sync-Status')).toBe('applied')
    expect(answer.headers.get('ETag')).toBe('"v1"')
    expect(answer.headers.has('Idempotent-Replayed')).toBe(false)
    expect(await row('a')).toMatchObject({ value: { n: 1 }, version: 1 })
  })

  test('applies a duplicate once, and answers it with the first body and cursor', async () => {
    const { post, row } = start()
    const first = await post('rows/add', { id: 'a', n: 1 }, { id: 'same' })
    await post('rows/add', { id: 'a', n: 5 })
    const second = await post('rows/add', { id: 'a', n: 1 }, { id: 'same' })
    expect(second.headers.get('Idempotent-Replayed')).toBe('true')
    expect(second.headers.get('Sync-Cursor')).toBe(first.headers.get('Sync-Cursor'))
    expect(await second.json()).toEqual(await first.json())
    expect((await row('a'))?.value.n).toBe(6)
  })

  test('takes a quoted and a bare key for the same', async () => {
    const { post, row } = start()
    await post('rows/add', { id: 'a', n: 1 }, { id: '"same"' })
    const second = await post('rows/add', { id: 'a', n: 1 }, { id: 'same' })
    expect(second.headers.get('Idempotent-Replayed')).toBe('true')
    expect((await row('a'))?.value.n).toBe(1)
  })

  test('applies many concurrent duplicates once', async () => {
    const { post, row } = start()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post('rows/add', { id: 'a', n: 1 }, { id: 'same' })),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(answers.filter(({ headers }) => !headers.has('Idempotent-Replayed'))).toHaveLength(1)
    expect((await row('a'))?.value.n).toBe(1)
  })

  test('says in-progress with Retry-After while the first attempt runs on', async () => {
    const { post, clock, row } = start({ limits: { time: 60_000 } })
    const first = post('slow', { id: 'a', n: 1 }, { id: 'same' })
    await settled()
    const second = post('slow', { id: 'a', n: 1 }, { id: 'same' })
    await settled()
    clock.advance(1_000)
    const answer = await second
    expect(answer.headers.get('Retry-After')).toBe('1')
    expect(await problemOf(answer)).toMatchObject({ status: 409, name: 'in-progress', retryable: true })
    release()
    expect((await first).status).toBe(200)
    expect((await post('slow', { id: 'a', n: 1 }, { id: 'same' })).headers.get('Idempotent-Replayed')).toBe('true')
    expect(await row('a')).toMatchObject({ version: 1 })
  })

  test('refuses a key that was used with other variables or another name', async () => {
    const { post, row } = start()
    await post('rows/put', { id: 'a', n: 1 }, { id: 'same' })
    for (const [name, n] of [
      ['rows/put', 2],
      ['rows/add', 1],
    ] as const) {
      const problem = await problemOf(await post(name, { id: 'a', n }, { id: 'same' }))
      expect(problem).toMatchObject({ status: 422, name: 'key-reused', mutationId: 'same' })
    }
    expect(await row('a')).toMatchObject({ version: 1 })
  })

  test('keeps the keys of two principals apart', async () => {
    const { post, row } = start()
    await post('rows/add', { id: 'a', n: 1 }, { id: 'same', as: 'me' })
    const other = await post('rows/add', { id: 'a', n: 1 }, { id: 'same', as: 'you' })
    expect(other.headers.has('Idempotent-Replayed')).toBe(false)
    expect((await row('a'))?.value.n).toBe(2)
  })

  test('treats the order of fields as the same request', async () => {
    const { post } = start()
    await post('rows/put', { id: 'a', n: 1 }, { id: 'same' })
    const again = await post('rows/put', { n: 1, id: 'a' }, { id: 'same' })
    expect(again.headers.get('Idempotent-Replayed')).toBe('true')
  })

  test('answers duplicate by sequence when the key is forgotten', async () => {
    const { post, clock, row, handler } = start()
    const headers = { 'Sync-Outbox': 'o', 'Sync-Scope': 's', 'Sync-Sequence': '1' }
    await post('rows/add', { id: 'a', n: 1 }, { id: 'first', headers })
    clock.advance(8 * 86_400_000)
    await post('rows/put', { id: 'b', n: 1 }) // trims
    await settled()
    expect(handler.snapshot()['trims']).toBe(1)
    const again = await post('rows/add', { id: 'a', n: 1 }, { id: 'first', headers })
    expect([again.status, again.headers.get('Sync-Status'), await again.json()]).toEqual([200, 'duplicate', null])
    expect(again.headers.get('Idempotent-Replayed')).toBe('true')
    expect((await row('a'))?.value.n).toBe(1)
    const next = await post(
      'rows/add',
      { id: 'a', n: 1 },
      { id: 'second', headers: { ...headers, 'Sync-Sequence': '2' } },
    )
    expect(next.headers.get('Sync-Status')).toBe('applied')
    const otherScope = await post('rows/add', { id: 'a', n: 1 }, { headers: { ...headers, 'Sync-Scope': 't' } })
    expect(otherScope.headers.get('Sync-Status')).toBe('applied')
  })

  test('says noop when nothing was written', async () => {
    const { post } = start()
    const answer = await post('noop', null)
    expect(answer.headers.get('Sync-Status')).toBe('noop')
    expect(await answer.json()).toBe('nothing')
    expect((await post('rows/delete', { id: 'nobody' })).headers.get('Sync-Status')).toBe('noop')
  })

  test('answers a conflict with the current row, undoes the effects and stores the outcome', async () => {
    const { post, row, handler } = start()
    await handler.write((tx) => tx.put('row', 'theirs', { id: 'theirs', n: 7 }))
    const first = await post('conflict', { id: 'a' }, { id: 'same' })
    const problem = await problemOf(first)
    expect(problem).toMatchObject({ status: 409, name: 'conflict', current: { version: 1, value: { n: 7 } } })
    expect(problem).toMatchObject({ mutationId: 'same', cursor: first.headers.get('Sync-Cursor') })
    expect(await row('a')).toBeUndefined()
    await handler.write((tx) => tx.put('row', 'theirs', { id: 'theirs', n: 8 }))
    const again = await post('conflict', { id: 'a' }, { id: 'same' })
    expect(again.headers.get('Idempotent-Replayed')).toBe('true')
    expect(await problemOf(again)).toEqual(problem)
  })

  test('rolls a refused mutation back and answers it the same for ever', async () => {
    const { post, row } = start()
    const problem = await problemOf(await post('reject', { id: 'a' }, { id: 'same' }))
    expect(problem).toMatchObject({ status: 422, name: 'validation', detail: 'too many', errors: { n: 'too many' } })
    expect(await problemOf(await post('reject', { id: 'a' }, { id: 'same' }))).toEqual(problem)
    expect(calls).toBe(1)
    expect(await row('a')).toBeUndefined()
  })

  test('ends a poisoned mutation: effects undone, outcome stored and final, what follows goes on', async () => {
    const { post, row, errors } = start()
    const headers = { 'Sync-Outbox': 'o', 'Sync-Scope': 's', 'Sync-Sequence': '1' }
    const problem = await problemOf(await post('broken', { id: 'a' }, { id: 'same', headers }))
    expect(problem).toMatchObject({ status: 422, name: 'application-error', retryable: false })
    expect(JSON.stringify(problem)).not.toContain('a bug')
    expect(errors).toMatchObject([{ message: 'a bug' }])
    await post('broken', { id: 'a' }, { id: 'same', headers })
    expect(calls).toBe(1)
    expect(await row('a')).toBeUndefined()
    const next = await post('rows/put', { id: 'b', n: 1 }, { headers: { ...headers, 'Sync-Sequence': '2' } })
    expect(next.status).toBe(200)
  })

  test('takes a slip of a mutation for what it is: no id, no text as type, a value that is none or no JSON', async () => {
    const slips: SyncHandlerOptions['mutations'] = {
      noId: (tx, row: Row) => tx.put('row', row.id, row),
      noType: (tx) => tx.get('', 'a'),
      noJson: (tx) => tx.put('row', 'a', 1n),
      noValue: (tx) => tx.put('row', 'a', undefined),
      late: (tx) => {
        setTimeout(() => tx.put('row', 'late', 1).catch(() => {}), 5)
      },
    }
    const { post, row } = start({ mutations: slips })
    for (const name of ['noId', 'noType', 'noJson', 'noValue']) {
      expect(await problemOf(await post(name, {}))).toMatchObject({ status: 422, name: 'application-error' })
    }
    expect((await post('late', {})).headers.get('Sync-Status')).toBe('noop')
    await settled()
    expect(await row('late')).toBeUndefined()
  })

  test('stores nothing when trying again may help, and applies the next attempt', async () => {
    const { post, row } = start()
    const first = await post('later', { id: 'a' }, { id: 'same' })
    expect([first.status, first.headers.get('Retry-After')]).toEqual([503, '3'])
    expect([first.headers.has('Sync-Cursor'), first.headers.has('Sync-Status')]).toEqual([false, false])
    expect(await row('a')).toBeUndefined()
    const second = await post('later', { id: 'a' }, { id: 'same' })
    expect(second.status).toBe(200)
    expect(second.headers.has('Idempotent-Replayed')).toBe(false)
    expect(await row('a')).toMatchObject({ version: 1 })
  })

  test('undoes a mutation that takes too long, and what it does afterwards has no effect', async () => {
    const { post, clock, row } = start({ limits: { time: 500 } })
    const slow = post('slow', { id: 'a', n: 1 })
    await settled()
    clock.advance(500)
    expect((await slow).status).toBe(503)
    release()
    await settled()
    await post('rows/put', { id: 'b', n: 1 })
    expect(await row('a')).toBeUndefined()
  })

  test('says 404 to a mutation it does not know, and stores nothing', async () => {
    const { post, store } = start()
    expect(await problemOf(await post('rows/nothing', {}, { id: 'same' }))).toMatchObject({
      status: 404,
      name: 'not-found',
    })
    expect(await store.snapshot((view) => view.outcome('me', 'same'))).toBeUndefined()
  })

  describe('authorization', () => {
    test('is asked before a stored answer is given again', async () => {
      const { post } = start()
      expect((await post('guarded', {}, { id: 'same' })).status).toBe(200)
      allowed.clear()
      expect(await problemOf(await post('guarded', {}, { id: 'same' }))).toMatchObject({
        status: 403,
        name: 'forbidden',
      })
      allowed.add('me')
      expect((await post('guarded', {}, { id: 'same' })).headers.get('Idempotent-Replayed')).toBe('true')
    })
    test('that fails refuses', async () => {
      const { post } = start({
        mutations: {
          guarded: {
            authorize: (_tx, variables: { list: string[] }) => variables.list.length > 0,
            run: () => {},
          },
        },
      })
      expect((await post('guarded', {})).status).toBe(403)
    })
    test('of nobody is 401, and a mutation may forbid: neither is stored', async () => {
      const { post, store } = start()
      expect(await problemOf(await post('noop', null, { as: '' }))).toMatchObject({
        status: 401,
        name: 'unauthenticated',
      })
      expect((await post('forbidden', null, { id: 'same' })).status).toBe(403)
      expect(await store.snapshot((view) => view.outcome('me', 'same'))).toBeUndefined()
    })
  })

  describe('preconditions', () => {
    test('are checked against the first row that is written: 412 with the current row', async () => {
      const { post, row } = start()
      await post('rows/put', { id: 'a', n: 1 })
      await post('rows/put', { id: 'a', n: 2 })
      const answer = await post('rows/put', { id: 'a', n: 3 }, { headers: { 'If-Match': '"v1"' } })
      const current = { version: 2, value: { id: 'a', n: 2 } }
      expect(await problemOf(answer)).toMatchObject({ status: 412, name: 'precondition', current })
      const fits = await post('rows/put', { id: 'a', n: 3 }, { headers: { 'If-Match': '"x", "v2"' } })
      expect(fits.status).toBe(200)
      expect((await post('rows/delete', { id: 'b' }, { headers: { 'If-Match': '*' } })).status).toBe(412)
      expect((await row('a'))?.value.n).toBe(3)
    })
    test('come after the look-up: a resend of an applied mutation with a stale If-Match gets its 200', async () => {
      const { post, row } = start()
      await post('rows/put', { id: 'a', n: 1 })
      const first = await post('rows/add', { id: 'a', n: 1 }, { id: 'same', headers: { 'If-Match': '"v1"' } })
      const again = await post('rows/add', { id: 'a', n: 1 }, { id: 'same', headers: { 'If-Match': '"v1"' } })
      expect([first.status, again.status]).toEqual([200, 200])
      expect(await again.json()).toEqual({ id: 'a', n: 2 })
      expect(await row('a')).toMatchObject({ version: 2 })
    })
  })

  test('merges fields, and says not-found for a row that is gone', async () => {
    const { post, row, log } = start()
    await post('rows/put', { id: 'a', n: 1, note: 'x' })
    expect(await (await post('rows/merge', { id: 'a', n: 2, note: null })).json()).toEqual({ id: 'a', n: 2 })
    expect(await row('a')).toMatchObject({ value: { id: 'a', n: 2 }, version: 2 })
    const [part] = (await log())[1]?.parts ?? []
    expect(part).toEqual({
      topics: ['row'],
      change: {
        op: 'merge',
        type: 'row',
        id: 'a',
        base: 1,
        version: 2,
        value: { n: 2, note: null },
        row: { id: 'a', n: 2 },
      },
    })
    expect(await problemOf(await post('rows/merge', { id: 'z', n: 1 }))).toMatchObject({
      status: 404,
      name: 'not-found',
    })
  })

  test('validates variables by schema: 422 with the fields, and hands on what the schema made', async () => {
    const { post, row } = start()
    const problem = await problemOf(await post('checked', { id: 'a', n: 'x' }))
    expect(problem).toMatchObject({
      status: 422,
      name: 'validation',
      errors: [{ message: 'n must be a number', path: ['n'] }],
    })
    await post('checked', { id: 'a', n: 4 })
    expect((await row('a'))?.value.n).toBe(40)
  })

  test('names in Sync-Reflects what the data of the answer contains, no later ones', async () => {
    const { post } = start()
    await post('rows/add', { id: 'a', n: 1 }, { id: 'one' })
    const headers = { 'Sync-Pending': 'one, two, three' }
    const two = await post('rows/add', { id: 'a', n: 1 }, { id: 'two', headers })
    expect(two.headers.get('Sync-Reflects')).toBe('one, two')
    await post('rows/add', { id: 'a', n: 1 }, { id: 'three' })
    const replayed = await post('rows/add', { id: 'a', n: 1 }, { id: 'two', headers })
    expect(replayed.headers.get('Sync-Reflects')).toBe('one, two')
  })

  describe('batch', () => {
    const call = (mutationKey: unknown, variables: unknown, more: object = {}) => ({
      id: newId(),
      mutationKey,
      variables,
      ...more,
    })
    const statuses = (answer: { results: { status: string }[] }) => answer.results.map(({ status }) => status)

    test('answers in order, and a rejection does not stop it', async () => {
      const { batch, row } = start()
      const answer = await batch({
        outbox: 'o',
        mutations: [
          call(['rows', 'put'], { id: 'a', n: 1 }, { scope: 's', sequence: 1 }),
          call(['reject'], { id: 'b' }, { scope: 's', sequence: 2 }),
          call('broken', { id: 'b' }, { scope: 's', sequence: 3 }),
          call(['noop'], null, { scope: 's', sequence: 4 }),
          call(['rows', 'put'], { id: 'a', n: 2 }, { baseVersion: 9 }),
          call(['nothing'], null),
          call(['rows', 'delete'], { id: 'a' }, { baseVersion: 1 }),
        ],
      })
      expect(statuses(answer)).toEqual(['applied', 'rejected', 'rejected', 'noop', 'conflict', 'rejected', 'applied'])
      const [put, rejected, broken, , stale, unknown, deleted] = answer.results
      expect(put?.entities).toEqual([{ type: 'row', id: 'a', version: 1, value: { id: 'a', n: 1 } }])
      expect(put?.data).toEqual({ id: 'a', n: 1 })
      expect(rejected?.problem).toMatchObject({ type: 'urn:tidemark:problem:validation' })
      expect(broken?.problem).toMatchObject({ type: 'urn:tidemark:problem:application-error' })
      expect(stale?.problem?.current).toMatchObject({ version: 1 })
      expect(unknown?.problem).toMatchObject({ type: 'urn:tidemark:problem:not-found' })
      expect(deleted?.entities).toEqual([{ type: 'row', id: 'a', version: 2, deleted: true }])
      expect(answer.cursor).toBe(deleted?.cursor)
      expect(await row('a')).toBeUndefined()
    })
    test('replays what was applied before and goes on with the rest', async () => {
      const { batch, row } = start()
      const calls = [1, 2, 3].map((n) => call(['rows', 'add'], { id: 'a', n }))
      const first = await batch({ outbox: 'o', mutations: calls.slice(0, 2) })
      const second = await batch({ outbox: 'o', mutations: calls })
      expect(second.results.slice(0, 2)).toEqual(first.results)
      expect((await row('a'))?.value.n).toBe(6)
    })
    test('stops at a failure that may pass, and keeps what came before it', async () => {
      const { batch, row } = start()
      const mutations = [
        call(['rows', 'put'], { id: 'a', n: 1 }),
        call(['later'], { id: 'b' }),
        call(['rows', 'put'], { id: 'c', n: 1 }),
      ]
      const first = await batch({ outbox: 'o', mutations })
      expect(statuses(first)).toEqual(['applied', 'not-attempted', 'not-attempted'])
      expect(first.results[1]?.problem).toMatchObject({ retryable: true })
      expect(await row('b')).toBeUndefined()
      expect(statuses(await batch({ outbox: 'o', mutations }))).toEqual(['applied', 'applied', 'applied'])
      expect(await row('a')).toMatchObject({ version: 1 })
    })
    test('applies a transaction at one position, or not at all', async () => {
      const { batch, row, log } = start()
      const [a, b] = [call(['rows', 'put'], { id: 'a', n: 1 }), call(['rows', 'put'], { id: 'b', n: 1 })]
      const done = await batch({ outbox: 'o', atomic: true, mutations: [a, b] })
      expect(statuses(done)).toEqual(['applied', 'applied'])
      expect(done.results[0]?.cursor).toBe(done.results[1]?.cursor)
      expect((await log()).map(({ mutations }) => mutations.map(({ id }) => id))).toEqual([[a.id, b.id]])
      expect(await batch({ outbox: 'o', atomic: true, mutations: [a, b] })).toMatchObject({ results: done.results })

      const bad = [call(['rows', 'put'], { id: 'c', n: 1 }), call(['reject'], { id: 'd' }), call(['noop'], null)]
      const undone = await batch({ outbox: 'o', atomic: true, mutations: bad })
      expect(statuses(undone)).toEqual(['not-attempted', 'rejected', 'not-attempted'])
      expect(await row('c')).toBeUndefined()
      const again = await batch({ outbox: 'o', atomic: true, mutations: bad })
      expect(again.results).toEqual(undone.results)
      expect(calls).toBe(1)
    })
    test('undoes a transaction that may pass later and stores nothing of it', async () => {
      const { batch, row } = start()
      const mutations = [call(['rows', 'put'], { id: 'a', n: 1 }), call(['later'], { id: 'b' })]
      const first = await batch({ outbox: 'o', atomic: true, mutations })
      expect(statuses(first)).toEqual(['not-attempted', 'not-attempted'])
      expect(await row('a')).toBeUndefined()
      expect(statuses(await batch({ outbox: 'o', atomic: true, mutations }))).toEqual(['applied', 'applied'])
    })
    test('refuses a transaction of which a part was applied alone', async () => {
      const { batch, row, send } = start()
      const a = call(['rows', 'put'], { id: 'a', n: 1 })
      await batch({ outbox: 'o', mutations: [a] })
      const answer = await send('/mutations', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ outbox: 'o', atomic: true, mutations: [a, call(['rows', 'put'], { id: 'b', n: 1 })] }),
      })
      expect(await problemOf(answer)).toMatchObject({ status: 422, name: 'key-reused' })
      expect(await row('b')).toBeUndefined()
    })
  })

  test('counts what happens', async () => {
    const metrics: Metric[] = []
    const { post, handler } = start({ onMetric: (metric) => metrics.push(metric) })
    await post('rows/put', { id: 'a', n: 1 }, { id: 'x' })
    await post('rows/put', { id: 'a', n: 1 }, { id: 'x' })
    expect(metrics).toContainEqual({ name: 'mutations{replayed}', kind: 'counter', value: 1 })
    await post('broken', { id: 'a' })
    await post('conflict', { id: 'a' })
    expect(handler.snapshot()).toMatchObject({
      'requests{mutations}': 4,
      'mutations{applied}': 1,
      'mutations{replayed}': 1,
      'mutations{application-error}': 1,
      'mutations{conflict}': 1,
    })
  })
})

/** Everything that is under way has gone as far as it can. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10))
}
