// When a write is sent, when it is sent again, and when it is given up.
import type { SyncClientOptions } from 'tidemark'
import { defineMutation, memoryStorage, syncStream } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { at, doc, loadDoc, nextWrite, takeRead, takeWrite, watchDoc, writes, writing } from '../kit/docs'
import { greet } from '../kit/stream'
import { adding, editing, loadTodos, removing, take, titles, titlesShown, todo } from '../kit/todos'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

const push = writing('push')
const patient = { threshold: 1000 }

async function started(options: SyncClientOptions = {}): Promise<World> {
  const world = createWorld({ mutations: [push], breaker: patient, ...options })
  world.sync.start()
  await world.settle()
  return world
}

const statuses = ({ sync }: World) => sync.outbox.getState().entries.map(({ status }) => status)

describe('what an answer means', () => {
  test.each([408, 425, 429, 502, 503, 504])(
    '%i: nobody answered for the application, it is tried without end',
    async (status) => {
      const world = await started()
      const handle = world.sync.mutate(push, { token: 'm', to: [] })
      for (let attempt = 1; attempt <= 30; attempt++) {
        await (await nextWrite(world)).answer({}, { status })
        expect(statuses(world)).toEqual(['uncertain'])
      }
      await (await nextWrite(world)).answer({})
      await handle.confirmed
      const sent = writes(world)
      expect(new Set(sent.map(({ id }) => id))).toEqual(new Set([handle.id]))
      expect(new Set(sent.map(({ headers }) => headers.get('sync-sequence')))).toEqual(new Set(['1']))
    },
  )

  test.each([500, 501, 507])(
    '%i: the application failed, it is tried eight times more and then kept',
    async (status) => {
      const world = await started()
      const q1 = await loadDoc(world, doc('q1', 0))
      const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
      const next = world.sync.mutate(push, { token: 'n', to: ['q1'] })
      for (let attempt = 1; attempt <= 9; attempt++)
        await (await nextWrite(world, 'm')).answer({ title: 'Oh.' }, { status })
      await expect(handle.confirmed).rejects.toMatchObject({ code: 'http', status })
      expect(world.sync.outbox.getState().failed).toMatchObject([{ id: handle.id, failure: { status } }])
      expect(q1.now).toBe('n')
      // It may have been applied after all: what it touched is read again, and the rest goes on.
      await world.settle()
      expect(world.net.waiting.map(({ method }) => method).sort()).toEqual(['GET', 'POST'])
      await takeWrite(world, 'n').answer({}, at(1))
      await next.confirmed
    },
  )

  test('the bound of answered failures is the mutation’s own', async () => {
    const once = writing('push', { retry: 1 })
    const world = await started({ mutations: [once] })
    const handle = world.sync.mutate(once, { token: 'm', to: [] })
    await (await nextWrite(world)).answer({}, { status: 500 })
    await (await nextWrite(world)).answer({}, { status: 500 })
    await expect(handle.confirmed).rejects.toMatchObject({ status: 500 })
    await world.advance(240_000)
    expect(writes(world)).toHaveLength(2)
  })

  test('no answers in between do not count as failures of the application', async () => {
    const twice = writing('push', { retry: 2 })
    const world = await started({ mutations: [twice] })
    world.sync.mutate(twice, { token: 'm', to: [] })
    for (const status of [500, 503, 503, 503, 500]) await (await nextWrite(world)).answer({}, { status })
    await (await nextWrite(world)).answer({})
    expect(statuses(world)).toEqual([])
  })

  test.each([400, 403, 404, 410, 413, 415, 422])('%i is final', async (status) => {
    const world = await started()
    const handle = world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    await takeWrite(world).answer({ title: 'No.', errors: { token: 'bad' } }, { status })
    await expect(handle.confirmed).rejects.toMatchObject({
      code: 'rejected',
      status,
      problem: { errors: { token: 'bad' } },
    })
    await expect(handle.reflected).rejects.toMatchObject({ status })
    await world.advance(240_000)
    expect(writes(world)).toHaveLength(1)
  })

  test("409 'in progress' is sent again with the same id, not before Retry-After", async () => {
    const world = await started()
    const handle = world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    await takeWrite(world).answer({ type: '/problems/in-progress' }, { status: 409, headers: { 'retry-after': '20' } })
    await world.advance(19_999)
    expect(writes(world)).toHaveLength(1)
    expect((await nextWrite(world)).id).toBe(handle.id)
  })

  test("422 'key reused' is a bug: kept, and reported", async () => {
    const world = await started()
    const handle = world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    await takeWrite(world).answer({ type: '/problems/key-reused' }, { status: 422 })
    await expect(handle.confirmed).rejects.toMatchObject({ status: 422 })
    expect(world.reports).toMatchObject([{ code: 'protocol' }])
    expect(world.sync.outbox.getState().failed).toHaveLength(1)
  })
})

describe('errors of other transports', () => {
  const failing = (errors: unknown[]) => {
    let calls = 0
    const ids: string[] = []
    const mutation = defineMutation<string, string>({
      mutationKey: ['other'],
      mutationFn: (_, { idempotencyKey }) => {
        ids.push(idempotencyKey)
        const error = errors[calls++]
        return error === undefined ? Promise.resolve('done') : Promise.reject(error)
      },
    })
    return { mutation, ids }
  }
  const named = (name: string, more: object = {}) => Object.assign(new Error(name), { name }, more)

  test.each([
    ['an axios error without an answer', named('AxiosError', { isAxiosError: true, code: 'ERR_NETWORK' })],
    ['an axios error with a 503', named('AxiosError', { isAxiosError: true, response: { status: 503, data: {} } })],
    ['a timeout of ky', named('TimeoutError')],
    ['a ky error with a 502', named('HTTPError', { response: { status: 502 } })],
    ['a failure of fetch in Chromium', new TypeError('Failed to fetch')],
    ['a failure of fetch in Firefox', new TypeError('NetworkError when attempting to fetch resource.')],
    ['a failure of fetch in Safari', new TypeError('Load failed')],
    ['an abort by somebody else', new DOMException('aborted', 'AbortError')],
  ])('%s is tried again', async (_, error) => {
    const { mutation, ids } = failing([error, error])
    const world = await started({ mutations: [mutation] })
    const handle = world.sync.mutate(mutation, 'x')
    await world.advance(60_000)
    expect(await handle.confirmed).toBe('done')
    expect(ids).toEqual([handle.id, handle.id, handle.id])
  })

  test.each([
    [
      'an axios error with a 404',
      named('AxiosError', { isAxiosError: true, response: { status: 404, data: { title: 'Gone.' } } }),
    ],
    ['a ky error with a 400', named('HTTPError', { response: { status: 400 } })],
    ['any error with a status', Object.assign(new Error('no'), { status: 403 })],
    ['a bug of the function itself', new TypeError("Cannot read properties of undefined (reading 'x')")],
    ['something that is no error', 'text'],
  ])('%s is final', async (_, error) => {
    const { mutation, ids } = failing([error])
    const world = await started({ mutations: [mutation] })
    const handle = world.sync.mutate(mutation, 'x')
    await world.advance(60_000)
    await expect(handle.confirmed).rejects.toMatchObject({ name: 'SyncError', code: 'rejected', cause: error })
    expect(ids).toHaveLength(1)
  })

  test('a function that throws at once is rejected, not retried', async () => {
    const mutation = defineMutation<string, never>({
      mutationKey: ['bug'],
      mutationFn: () => {
        throw new Error('oops')
      },
    })
    const world = await started({ mutations: [mutation] })
    const handle = world.sync.mutate(mutation, 'x')
    await expect(handle.confirmed).rejects.toMatchObject({ code: 'rejected', message: '"mutationFn" threw: oops.' })
  })
})

describe('waiting', () => {
  test('backoff grows with jitter from 1 s to at most 60 s', async () => {
    const world = await started()
    world.sync.mutate(push, { token: 'm', to: [] })
    const gaps: number[] = []
    for (let attempt = 0; attempt < 25; attempt++) {
      const before = world.clock.now()
      await (await nextWrite(world)).drop()
      gaps.push(world.clock.now() - before)
    }
    const waits = gaps.slice(1)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_250)
    expect(Math.max(...waits.slice(10))).toBeGreaterThan(10_000)
    expect(new Set(waits).size).toBeGreaterThan(5)
  })

  test.each([
    ['30', 30_000],
    ['7200', 3_600_000],
  ])('Retry-After: %s is a floor, capped at one hour', async (value, least) => {
    const world = await started()
    world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    await takeWrite(world).answer({}, { status: 503, headers: { 'retry-after': value } })
    await world.advance(least - 1)
    expect(writes(world)).toHaveLength(1)
    await world.advance(1)
    expect(writes(world)).toHaveLength(2)
  })

  test('an attempt without an answer is uncertain after the timeout, and sent again', async () => {
    const world = await started({ timeout: 5000 })
    const handle = world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    const silent = takeWrite(world)
    await world.advance(5000)
    expect(silent.aborted).toBe(true)
    expect(statuses(world)).toEqual(['uncertain'])
    const again = await nextWrite(world)
    expect(again.id).toBe(handle.id)
    await silent.answer({}, at(1))
    expect(statuses(world)).toEqual(['sending'])
    await again.answer({}, at(1))
    await handle.confirmed
  })

  test('a device that says it is offline is believed for half a minute; online sends at once', async () => {
    const world = await started()
    const q1 = await loadDoc(world, doc('q1', 0))
    await world.net.network.set('offline')
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.advance(29_000)
    expect([q1.now, writes(world).length]).toEqual(['m', 0])
    expect(world.sync.status.getState().network).toBe('offline')
    await world.net.network.set('online')
    await world.settle()
    expect(writes(world)).toHaveLength(1)
  })

  test.each(['online', 'visible', 'wake'] as const)('the event %s ends a wait early', async (event) => {
    const world = await started()
    world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    await takeWrite(world).answer({}, { status: 503, headers: { 'retry-after': '600' } })
    await world.advance(1000)
    expect(writes(world)).toHaveLength(1)
    await world.net.network.set(event)
    await world.settle()
    expect(writes(world)).toHaveLength(2)
  })

  test('an opening stream ends a wait early', async () => {
    const world = createWorld({ mutations: [push], stream: syncStream({ url: '/sync' }) })
    world.sync.start()
    await world.settle()
    world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    await takeWrite(world).answer({}, { status: 503, headers: { 'retry-after': '600' } })
    await greet(world)
    expect(writes(world)).toHaveLength(2)
  })

  test('going offline in mid-request is uncertain, not an error', async () => {
    const world = await started()
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    const request = takeWrite(world)
    await world.net.network.set('offline')
    await request.drop()
    expect([q1.now, ...statuses(world)]).toEqual(['m', 'uncertain'])
    await world.net.network.set('online')
    await world.settle()
    await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] }, at(1))
    await handle.reflected
    expect(world.reports).toEqual([])
  })
})

describe('the circuit breaker', () => {
  test('after failures in a row one probe goes out, and only its success opens the rest', async () => {
    const world = await started({ breaker: { threshold: 3, base: 10_000, cap: 10_000 } })
    const scopes = ['A', 'B', 'C']
    for (const scope of scopes) world.sync.mutate(push, { token: scope, to: [], scope })
    await world.settle()
    for (const scope of scopes) await takeWrite(world, scope).answer({}, { status: 503 })
    await world.advance(9_999)
    expect(writes(world)).toHaveLength(3)
    await world.advance(1)
    expect(world.net.waiting).toHaveLength(1)
    await world.net.waiting[0]?.answer({}, { status: 503 })
    await world.advance(9_999)
    expect(world.net.waiting).toHaveLength(0)
    await world.advance(1)
    expect(world.net.waiting).toHaveLength(1)
    await world.net.waiting[0]?.answer({})
    await world.settle()
    expect(world.net.waiting).toHaveLength(2)
    for (const request of [...world.net.waiting]) await request.answer({})
    expect(statuses(world)).toEqual([])
  })

  test('reads and writes share it, and reads keep showing what is cached', async () => {
    const world = await started({ breaker: { threshold: 3, base: 10_000, cap: 10_000 } })
    const q1 = await loadDoc(world, doc('q1', 0, 'a'))
    for (const scope of ['A', 'B', 'C']) world.sync.mutate(push, { token: scope, to: [], scope })
    await world.settle()
    for (const scope of ['A', 'B', 'C']) await takeWrite(world, scope).answer({}, { status: 503 })
    const read = world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    await read
    expect(world.net.waiting).toHaveLength(0)
    expect(q1.now).toBe('a')
    await world.advance(10_000)
    expect(world.net.waiting).toHaveLength(1)
    await world.net.waiting[0]?.answer({})
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'b'), at(1))
    expect(q1.now).toBe('b')
  })

  test('what the breaker holds back was never sent: it can be taken back and leaves no hole', async () => {
    const world = await started({ breaker: { threshold: 1, base: 10_000, cap: 10_000 } })
    const q1 = await loadDoc(world, doc('q1', 0))
    world.sync.mutate(push, { token: 'A', to: [], scope: 'A' })
    await world.settle()
    await takeWrite(world, 'A').answer({}, { status: 503 })
    const held = world.sync.mutate(push, { token: 'B', to: ['q1'], scope: 'B' })
    await world.settle()
    expect(statuses(world)).toEqual(['uncertain', 'queued'])
    expect(held.cancel()).toBe(true)
    expect(q1.now).toBe('')
    world.sync.mutate(push, { token: 'C', to: [], scope: 'B' })
    await world.advance(10_000)
    await (await nextWrite(world, 'A')).answer({})
    await world.settle()
    expect(takeWrite(world, 'C').headers.get('sync-sequence')).toBe('1')
  })

  test('coming online asks an origin again that was left alone', async () => {
    const world = await started({ breaker: { threshold: 1, base: 60_000, cap: 60_000 } })
    world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    await takeWrite(world).drop()
    await world.net.network.set('offline')
    await world.advance(5000)
    await world.net.network.set('online')
    await world.settle()
    expect(writes(world)).toHaveLength(2)
  })

  test('a read may be the probe', async () => {
    const world = await started({ breaker: { threshold: 3, base: 10_000, cap: 10_000 } })
    const q1 = watchDoc(world, 'q1')
    await world.settle()
    for (let failure = 1; failure <= 3; failure++) {
      if (failure > 1) void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
      await world.settle()
      await takeRead(world, 'q1').answer({}, { status: 503 })
    }
    world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    expect(writes(world)).toHaveLength(0)
    await world.net.network.set('offline')
    await world.advance(10_000)
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'a'), at(1))
    expect(q1.now).toBe('a')
    await world.net.network.set('online')
    await world.settle()
    expect(writes(world)).toHaveLength(1)
  })

  test('one origin that fails does not hold back another', async () => {
    const elsewhere = defineMutation<string, Response>({
      mutationKey: ['elsewhere'],
      mutationFn: (_, { fetch }) => fetch('https://other.example/write', { body: '1' }),
      scope: { id: 'other' },
    })
    const world = await started({ mutations: [push, elsewhere], breaker: { threshold: 1, base: 60_000, cap: 60_000 } })
    world.sync.mutate(push, { token: 'm', to: [] })
    await world.settle()
    await takeWrite(world).answer({}, { status: 503 })
    world.sync.mutate(elsewhere, 'x')
    await world.settle()
    const sent = take(world, 'https://other.example/write')
    expect([sent.headers.get('idempotency-key') !== null, sent.headers.get('sync-outbox')]).toEqual([true, null])
  })
})

describe('credentials', () => {
  const unauthenticated = (request: { answer(body: unknown, options: object): Promise<void> }) =>
    request.answer({ type: '/problems/unauthenticated' }, { status: 401 })

  test('a 401 refreshes once for everybody who waits, and the same key is sent again', async () => {
    let refreshes = 0
    let token = 'old'
    const world = await started({
      headers: () => ({ authorization: token }),
      refreshAuth: async () => {
        refreshes++
        token = 'new'
      },
    })
    const first = world.sync.mutate(push, { token: 'a', to: [], scope: 'A' })
    const second = world.sync.mutate(push, { token: 'b', to: [], scope: 'B' })
    await world.settle()
    const [a, b] = [takeWrite(world, 'a'), takeWrite(world, 'b')]
    expect(a.headers.get('authorization')).toBe('old')
    await Promise.all([unauthenticated(a), unauthenticated(b)])
    await world.settle()
    const [again, other] = [takeWrite(world, 'a'), takeWrite(world, 'b')]
    expect([again.id, other.id]).toEqual([first.id, second.id])
    expect(again.headers.get('authorization')).toBe('new')
    expect(refreshes).toBe(1)
    await again.answer({})
    await other.answer({})
    await Promise.all([first.confirmed, second.confirmed])
  })

  test('a mutation that waits for credentials is sent after a reload, which may have them', async () => {
    const storage = memoryStorage()
    const first = await started({ storage })
    const handle = first.sync.mutate(push, { token: 'm', to: [] })
    await first.settle()
    await unauthenticated(takeWrite(first))
    await first.settle()
    first.sync.stop()
    const world = createWorld({ mutations: [push], storage, seed: 2 })
    world.sync.start()
    await world.settle()
    expect(takeWrite(world).id).toBe(handle.id)
  })

  test('without new credentials every scope pauses until resume, and the attempt does not count', async () => {
    const world = await started({ refreshAuth: () => false })
    const handle = world.sync.mutate(push, { token: 'a', to: [], scope: 'A' })
    await world.settle()
    await unauthenticated(takeWrite(world, 'a'))
    await world.settle()
    world.sync.mutate(push, { token: 'b', to: [], scope: 'B' })
    await world.advance(600_000)
    expect(writes(world)).toHaveLength(1)
    expect(world.sync.status.getState()).toMatchObject({ needsAuth: true, counts: { paused: 1, queued: 1 } })
    expect(world.sync.outbox.getState().entries[0]?.attempt).toBe(0)
    world.sync.resume()
    await world.settle()
    expect(takeWrite(world, 'a').id).toBe(handle.id)
    takeWrite(world, 'b')
    expect(world.sync.status.getState().needsAuth).toBe(false)
  })
})

describe('a mutation that is not idempotent', () => {
  const once = writing('push', { idempotent: false })

  test('is not sent again once its outcome is uncertain, until the application says so', async () => {
    const world = await started({ mutations: [once] })
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(once, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).drop()
    await world.advance(600_000)
    await world.net.network.set('online')
    expect(writes(world)).toHaveLength(1)
    expect([q1.now, ...statuses(world)]).toEqual(['m', 'blocked'])
    expect(world.sync.retry(handle.id)?.id).toBe(handle.id)
    await world.settle()
    await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] }, at(1))
    await handle.reflected
  })

  test('may be given up, and what it touched is read again', async () => {
    const world = await started({ mutations: [once] })
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(once, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).drop()
    expect(world.sync.discard(handle.id)).toBe(true)
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
    expect(q1.shown).toEqual(['-', '', 'm', '', 'm'])
    await expect(handle.confirmed).rejects.toMatchObject({ code: 'stopped' })
  })

  test('is not sent again after a reload', async () => {
    const storage = memoryStorage()
    const first = await started({ mutations: [once], storage })
    const handle = first.sync.mutate(once, { token: 'm', to: [] })
    await first.settle()
    first.sync.stop()
    const world = createWorld({ mutations: [once], storage, seed: 2 })
    world.sync.start()
    await world.advance(60_000)
    expect(writes(world)).toHaveLength(0)
    expect(statuses(world)).toEqual(['blocked'])
    world.sync.retry(handle.id)
    await world.settle()
    expect(writes(world)).toHaveLength(1)
  })
})

describe('order', () => {
  test('scopes go side by side, and in order within', async () => {
    const world = await started()
    for (const token of ['a1', 'a2', 'b1', 'b2', 'c1'])
      world.sync.mutate(push, { token, to: [], scope: token[0] as string })
    await world.settle()
    expect(world.net.waiting.map(({ body }) => (body as { token: string }).token)).toEqual(['a1', 'b1', 'c1'])
    await takeWrite(world, 'b1').answer({})
    await world.settle()
    expect(world.net.waiting.map(({ body }) => (body as { token: string }).token)).toEqual(['a1', 'c1', 'b2'])
    expect(writes(world).map(({ headers }) => [headers.get('sync-scope'), headers.get('sync-sequence')])).toEqual([
      ['a', '1'],
      ['b', '1'],
      ['c', '1'],
      ['b', '2'],
    ])
  })

  test('sequences have no hole where an entry was taken back before it was sent', async () => {
    const world = await started()
    for (const token of ['a', 'b', 'c']) world.sync.mutate(push, { token, to: [] })
    await world.settle()
    const [, second] = world.sync.outbox.getState().entries
    expect(world.sync.discard(second?.id as string)).toBe(true)
    await takeWrite(world, 'a').answer({})
    await world.settle()
    expect(takeWrite(world, 'c').headers.get('sync-sequence')).toBe('2')
    expect(writes(world)).toHaveLength(2)
  })

  test('an update of a row waits for its create, also in another scope', async () => {
    const add = adding({ scope: { id: 'add' } })
    const edit = editing({ scope: { id: 'edit' } })
    const world = await started({ mutations: [add, edit] })
    world.sync.mutate(add, todo('n', 'new'))
    world.sync.mutate(edit, { id: 'n', title: 'newer' })
    await world.settle()
    expect(writes(world).map(({ url }) => url)).toEqual(['/add'])
    await take(world, '/add').answer({})
    await world.settle()
    expect(writes(world).map(({ url }) => url)).toEqual(['/add', '/edit'])
  })

  test('what builds on a refused create is refused with it, through all links, in order; the rest goes on', async () => {
    const [add, edit, remove] = [adding(), editing(), removing()]
    const world = await started({ mutations: [add, edit, remove] })
    const list = await loadTodos(world, [])
    const order: string[] = []
    const made = [
      world.sync.mutate(add, todo('n', 'new')),
      world.sync.mutate(edit, { id: 'n', title: 'newer' }),
      world.sync.mutate(add, todo('x', 'other')),
      world.sync.mutate(remove, 'n'),
    ]
    for (const [i, handle] of made.entries()) handle.confirmed.catch((error) => order.push(`${i} ${error.code}`))
    await world.settle()
    expect(titles(list.data)).toBe('other')
    await take(world, '/add').answer({ title: 'No.' }, { status: 422 })
    await world.settle()
    expect(order).toEqual(['0 rejected', '1 dependency-rejected', '3 dependency-rejected'])
    expect(world.sync.outbox.getState().failed).toHaveLength(3)
    expect(take(world, '/add').body).toMatchObject({ id: 'x' })
    expect(titlesShown(list).at(-1)).toBe('other')
  })

  test("with onDependencyRejected 'keep' it is left to the application", async () => {
    const add = adding()
    const edit = editing({ onDependencyRejected: 'keep' })
    const world = await started({ mutations: [add, edit] })
    const list = await loadTodos(world, [])
    world.sync.mutate(add, todo('n', 'new'))
    const kept = world.sync.mutate(edit, { id: 'n', title: 'newer' })
    await world.settle()
    await take(world, '/add').answer({ title: 'No.' }, { status: 422 })
    await world.advance(60_000)
    expect(world.sync.outbox.getState().entries).toMatchObject([{ id: kept.id, status: 'blocked' }])
    expect(titles(list.data)).toBe('')
    world.sync.retry(kept.id)
    await world.settle()
    await take(world, '/edit').answer({})
    await kept.confirmed
  })
})

describe('the application’s hand on the queue', () => {
  test('pause sends nothing more, and what is on its way ends; resume goes on', async () => {
    const world = await started()
    const first = world.sync.mutate(push, { token: 'a', to: [] })
    world.sync.mutate(push, { token: 'b', to: [] })
    await world.settle()
    world.sync.pause()
    await takeWrite(world, 'a').answer({})
    await first.confirmed
    await world.advance(60_000)
    expect(writes(world)).toHaveLength(1)
    expect(world.sync.status.getState().isPaused).toBe(true)
    world.sync.resume()
    await world.settle()
    takeWrite(world, 'b')
  })

  test('flush sends now and resolves when everything that is pending is confirmed or refused', async () => {
    const world = await started()
    world.sync.mutate(push, { token: 'a', to: [] })
    world.sync.mutate(push, { token: 'b', to: [] })
    await world.settle()
    await takeWrite(world, 'a').answer({}, { status: 503, headers: { 'retry-after': '600' } })
    let flushed = false
    const flush = world.sync.flush().then(() => {
      flushed = true
    })
    await world.settle()
    await takeWrite(world, 'a').answer({})
    await world.settle()
    expect(flushed).toBe(false)
    await takeWrite(world, 'b').answer({}, { status: 400 })
    await flush
  })

  test('cancel takes back what was not sent, and only that', async () => {
    const world = await started()
    const q1 = await loadDoc(world, doc('q1', 0))
    const sent = world.sync.mutate(push, { token: 'a', to: ['q1'] })
    const queued = world.sync.mutate(push, { token: 'b', to: ['q1'] })
    await world.settle()
    expect([sent.cancel(), queued.cancel(), queued.cancel()]).toEqual([false, true, false])
    expect(q1.now).toBe('a')
    await expect(queued.confirmed).rejects.toMatchObject({ code: 'stopped' })
    await takeWrite(world, 'a').answer({})
    await sent.confirmed
    expect(sent.cancel()).toBe(false)
    expect(writes(world)).toHaveLength(1)
  })

  test('a failed entry is sent again as a new one with replaces', async () => {
    const world = await started()
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({ title: 'No.' }, { status: 422 })
    expect(world.sync.status.getState().counts.failed).toBe(1)
    const again = world.sync.retry(handle.id)
    expect(again?.id).not.toBe(handle.id)
    expect(world.sync.outbox.getState()).toMatchObject({ entries: [{ replaces: handle.id }], failed: [] })
    await world.settle()
    const request = takeWrite(world)
    expect([request.id, request.headers.get('sync-sequence')]).toEqual([again?.id, '2'])
    await request.answer({ docs: [doc('q1', 1, 'm')] }, at(1))
    await again?.reflected
    expect(q1.shown).toEqual(['-', '', 'm', '', 'm'])
    expect(world.sync.retry(handle.id)).toBeUndefined()
  })

  test('a failed entry can be edited and sent again, or forgotten', async () => {
    const world = await started()
    const made = ['a', 'b'].map((token) => world.sync.mutate(push, { token, to: [] }))
    for (const token of ['a', 'b']) {
      await world.settle()
      await takeWrite(world, token).answer({ title: 'No.' }, { status: 422 })
    }
    const edited = world.sync.edit(made[0]?.id as string, { token: 'c', to: [] })
    await world.settle()
    await takeWrite(world, 'c').answer({})
    await edited?.confirmed
    expect(world.sync.discard(made[1]?.id as string)).toBe(true)
    expect(world.sync.discard(made[1]?.id as string)).toBe(false)
    expect(world.sync.outbox.getState()).toEqual({ entries: [], failed: [], quarantined: [] })
  })

  test('the list of failed entries is bounded', async () => {
    const world = await started({ keepFailed: 2 })
    for (const token of ['a', 'b', 'c']) {
      world.sync.mutate(push, { token, to: [] })
      await world.settle()
      await takeWrite(world, token).answer({ title: 'No.' }, { status: 422 })
    }
    expect(world.sync.outbox.getState().failed.map(({ variables }) => (variables as { token: string }).token)).toEqual([
      'b',
      'c',
    ])
  })

  test('failed entries are there after a reload', async () => {
    const storage = memoryStorage()
    const first = await started({ storage })
    const handle = first.sync.mutate(push, { token: 'm', to: [] })
    await first.settle()
    await takeWrite(first).answer({ title: 'No.' }, { status: 422 })
    await first.settle()
    first.sync.stop()
    const world = createWorld({ mutations: [push], storage, seed: 2 })
    world.sync.start()
    await world.sync.ready
    expect(world.sync.outbox.getState()).toMatchObject({
      entries: [],
      failed: [{ id: handle.id, failure: { status: 422 } }],
    })
    world.sync.retry(handle.id)
    await world.settle()
    await takeWrite(world).answer({})
    expect(world.sync.outbox.getState()).toMatchObject({ entries: [], failed: [] })
  })

  test('nobody has to listen: a refusal is never an unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown) => void unhandled.push(error)
    process.on('unhandledRejection', note)
    const world = await started()
    world.sync.mutate(push, { token: 'a', to: [] })
    world.sync.mutate(push, { token: 'b', to: [] }).cancel()
    await world.settle()
    await takeWrite(world, 'a').answer({ title: 'No.' }, { status: 422 })
    world.sync.mutate(push, { token: 'c', to: [] })
    await world.sync.close()
    await new Promise((resolve) => setTimeout(resolve, 0))
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
})

describe('what an earlier version of the application left', () => {
  const v1 = writing('push', { version: 1 })
  async function leave(): Promise<{ storage: ReturnType<typeof memoryStorage>; id: string }> {
    const storage = memoryStorage()
    const world = await started({ mutations: [v1], storage })
    await world.net.network.set('offline')
    const { id } = world.sync.mutate(v1, { token: 'm', to: ['q1'] })
    await world.settle()
    world.sync.stop()
    return { storage, id }
  }

  test('is set aside when its mutation is not known, listed, and can be discarded', async () => {
    const { storage, id } = await leave()
    const world = createWorld({ mutations: [], storage, seed: 2 })
    world.sync.start()
    await world.sync.ready
    expect(world.sync.outbox.getState()).toMatchObject({
      entries: [],
      quarantined: [{ id, mutationKey: ['write'], variables: { token: 'm' } }],
    })
    expect(world.sync.status.getState().counts.quarantined).toBe(1)
    await world.advance(60_000)
    expect(writes(world)).toEqual([])
    expect(world.sync.discard(id)).toBe(true)
    world.sync.stop()
    const next = createWorld({ mutations: [v1], storage, seed: 3 })
    next.sync.start()
    await next.sync.ready
    expect(next.sync.outbox.getState()).toEqual({ entries: [], failed: [], quarantined: [] })
  })

  test('is set aside when its version is not known, and used again by a version that knows it', async () => {
    const { storage, id } = await leave()
    const world = createWorld({ mutations: [writing('push', { version: 2 })], storage, seed: 2 })
    world.sync.start()
    await world.sync.ready
    expect(world.sync.outbox.getState().quarantined).toMatchObject([{ id, version: 1 }])
    world.sync.stop()
    const next = createWorld({ mutations: [v1], storage, seed: 3 })
    next.sync.start()
    await next.settle()
    expect(takeWrite(next).id).toBe(id)
  })

  test('is brought up to date by migrate', async () => {
    const { storage, id } = await leave()
    const v2 = writing('push', {
      version: 2,
      migrate: (variables, version) => ({ ...(variables as { token: string }), token: `from ${version}`, to: ['q1'] }),
    })
    const world = createWorld({ mutations: [v2], storage, seed: 2 })
    world.sync.start()
    await world.settle()
    const request = takeWrite(world)
    expect([request.id, request.body]).toEqual([id, { token: 'from 1', to: ['q1'] }])
  })

  test('is set aside when migrate throws', async () => {
    const { storage, id } = await leave()
    const v2 = writing('push', {
      version: 2,
      migrate: () => {
        throw new Error('no')
      },
    })
    const world = createWorld({ mutations: [v2], storage, seed: 2 })
    world.sync.start()
    await world.sync.ready
    expect(world.sync.outbox.getState().quarantined).toMatchObject([{ id }])
  })
})
