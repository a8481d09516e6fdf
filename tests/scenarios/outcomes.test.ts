// Required outcomes: one scripted story, at least, for each situation.
import { memoryStorage, syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import {
  at,
  doc,
  docQuery,
  docRow,
  expectSettled,
  loadDoc,
  reads,
  takeRead,
  takeWrite,
  watchDoc,
  writes,
  writing,
} from '../kit/docs'
import { scriptedStorage } from '../kit/storage'
import { greet } from '../kit/stream'
import { createWorld } from '../kit/world'

const STREAM = { stream: syncStream({ url: '/sync' }) }
const push = writing('push')
const put = (id: string, version: number, ...tokens: string[]) => ({
  op: 'put' as const,
  type: 'doc',
  id,
  version,
  value: doc(id, version, ...tokens),
})
const refusal = (more: object = {}) => ({ type: 'https://example.com/problems/validation', title: 'No.', ...more })

test('a rejection in the middle takes only its own effect away, and the rest keep their places', async () => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  const [m1, m2, m3] = ['m1', 'm2', 'm3'].map((token) => world.sync.mutate(push, { token, to: ['q1'], scope: token }))
  expect(q1.now).toBe('m1 m2 m3')
  await world.settle()
  await takeWrite(world, 'm2').answer(refusal(), { status: 422 })
  await expect(m2?.confirmed).rejects.toMatchObject({ code: 'rejected', status: 422 })
  expect(q1.now).toBe('m1 m3')
  await takeWrite(world, 'm3').answer({}, at(1))
  await takeWrite(world, 'm1').answer({}, at(2))
  await world.settle()
  for (const read of world.net.waiting.filter(({ method }) => method === 'GET'))
    await read.answer(doc('q1', 2, 'm3', 'm1'), at(2))
  await Promise.all([m1?.reflected, m3?.reflected])
  expect(world.sync.outbox.getState().failed).toMatchObject([{ id: m2?.id, failure: { status: 422 } }])
  expectSettled(world, 'q1')
})

test('a rejection with current data publishes the data and the rollback together', async () => {
  const edit = writing('push', {
    optimistic: (view, { token, to }) =>
      view.row(docRow, to[0] as string).update((draft) => void draft.tokens.push(token)),
  })
  const world = createWorld({ mutations: [edit] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 1, 'a'), at(1))
  world.sync.mutate(edit, { token: 'm', to: ['q1'] })
  await world.settle()
  const current = { version: 2, value: doc('q1', 2, 'a', 'b') }
  await takeWrite(world).answer(refusal({ current, cursor: 'e:2' }), { status: 422 })
  expect(q1.shown).toEqual(['-', 'a', 'a m', 'a b'])
  expectSettled(world, 'q1')
})

test('a rejection with current data that has no place reads the query again', async () => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 1, 'a'), at(1))
  world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  const current = { version: 2, value: doc('q1', 2, 'a', 'b') }
  await takeWrite(world).answer(refusal({ current, cursor: 'e:2' }), { status: 422 })
  await world.settle()
  await takeRead(world, 'q1').answer(doc('q1', 2, 'a', 'b'), at(2))
  expect(q1.shown).toEqual(['-', 'a', 'a m', 'a', 'a b'])
})

test('a patch in the middle of the chain goes beneath the live changes', async () => {
  const world = createWorld({ mutations: [push], ...STREAM })
  world.sync.start()
  const stream = await greet(world)
  const q1 = await loadDoc(world, doc('q1', 0))
  world.sync.mutate(push, { token: 'm1', to: ['q1'] })
  world.sync.mutate(push, { token: 'm2', to: ['q1'] })
  await stream.patch(1, [put('q1', 1, 'other')], { mutations: [] })
  expect(q1.shown).toEqual(['-', '', 'm1', 'm1 m2', 'other m1 m2'])
})

test('a patch that names the mutation confirms it; the answer that comes later only delivers the result', async () => {
  const world = createWorld({ mutations: [push], ...STREAM })
  world.sync.start()
  const stream = await greet(world)
  const q1 = await loadDoc(world, doc('q1', 0))
  const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  let result: unknown = 'none yet'
  void handle.confirmed.then((value) => {
    result = value
  })
  await world.settle()
  await stream.patch(1, [put('q1', 1, 'm')], { mutations: [handle.id] })
  await handle.reflected
  expect(world.sync.getBase(docQuery('q1').queryKey)?.tokens).toEqual(['m'])
  expect(result).toBe('none yet')
  const publishes = q1.values.length
  await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] }, at(1))
  expect(result).toEqual({ docs: [doc('q1', 1, 'm')] })
  expect(q1.values.length).toBe(publishes)
  expect(q1.shown).toEqual(['-', '', 'm'])
  expect(reads(world, 'q1')).toBe(1)
  expectSettled(world, 'q1')
})

test('an acknowledgement on the stream ends a mutation whose answer was lost', async () => {
  const world = createWorld({ mutations: [push], ...STREAM })
  world.sync.start()
  const stream = await greet(world)
  const q1 = await loadDoc(world, doc('q1', 0))
  const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  await takeWrite(world).drop()
  await stream.ack(1, [handle.id])
  expect(await handle.confirmed).toBeUndefined()
  expect(q1.now).toBe('m')
  await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
  await handle.reflected
  await world.advance(60_000)
  expect(writes(world)).toHaveLength(1)
  expectSettled(world, 'q1')
})

test('a refusal on the stream ends a mutation whose answer was lost', async () => {
  const world = createWorld({ mutations: [push], ...STREAM })
  world.sync.start()
  const stream = await greet(world)
  const q1 = await loadDoc(world, doc('q1', 0))
  const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  await takeWrite(world).drop()
  await stream.ack(1, [{ id: handle.id, status: 'rejected', problem: { title: 'Too long.' } }])
  await expect(handle.confirmed).rejects.toMatchObject({ code: 'rejected', message: 'Too long.' })
  expect(q1.shown).toEqual(['-', '', 'm', ''])
})

test('with cursors an answer without data makes what it touched be read again at once', async () => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  world.sync.mutate(push, { token: 'm1', to: ['q1'], scope: 'A' })
  world.sync.mutate(push, { token: 'm2', to: ['q1'], scope: 'B' })
  await world.settle()
  await takeWrite(world, 'm1').answer({}, at(1))
  await world.settle()
  const read = takeRead(world, 'q1')
  expect(read.headers.get('sync-min-cursor')).toBe('e:1')
  await takeWrite(world, 'm2').answer({}, at(2))
  await read.answer(doc('q1', 2, 'm1', 'm2'), at(2))
  expect(q1.shown).toEqual(['-', '', 'm1', 'm1 m2'])
  expectSettled(world, 'q1')
})

test('without cursors it is read again when nothing that touches it is open', async () => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0), {})
  world.sync.mutate(push, { token: 'm1', to: ['q1'], scope: 'A' })
  world.sync.mutate(push, { token: 'm2', to: ['q1'], scope: 'B' })
  await world.settle()
  await takeWrite(world, 'm1').answer({})
  await world.advance(10_000)
  expect(reads(world, 'q1')).toBe(1)
  await takeWrite(world, 'm2').answer({})
  await world.settle()
  await takeRead(world, 'q1').answer(doc('q1', 2, 'm1', 'm2'))
  expect(q1.shown).toEqual(['-', '', 'm1', 'm1 m2'])
  expectSettled(world, 'q1')
})

test('an answer that carries the data is published in the transition that drops the layer', async () => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  await takeWrite(world).answer({ docs: [doc('q1', 1, 'other', 'm')] }, at(1))
  await handle.reflected
  await world.advance(60_000)
  expect(q1.shown).toEqual(['-', '', 'm', 'other m'])
  expect(reads(world, 'q1')).toBe(1)
  expectSettled(world, 'q1')
})

test("an 'already done' without a body confirms with an unknown result and asks again for what waited", async () => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  await takeWrite(world).drop()
  void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
  await world.settle()
  await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
  expect(world.sync.status.getState().waiting).toEqual([['doc', 'q1']])
  await world.advance(4000)
  await takeWrite(world).answer(undefined, { headers: { 'idempotent-replayed': 'true' } })
  expect(await handle.confirmed).toBeUndefined()
  expect(q1.now).toBe('m')
  await world.settle()
  await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
  expect(q1.shown).toEqual(['-', '', 'm'])
  expectSettled(world, 'q1')
})

test('an event that is sent again changes nothing and tells nobody', async () => {
  const world = createWorld({ mutations: [push], ...STREAM })
  world.sync.start()
  const stream = await greet(world)
  const q1 = await loadDoc(world, doc('q1', 0))
  const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  await stream.patch(1, [put('q1', 1, 'm')], { mutations: [handle.id] })
  const { length } = q1.values
  const before = q1.data
  await stream.repeat()
  await stream.repeat()
  expect(q1.data).toBe(before)
  expect(q1.values).toHaveLength(length)
  await takeWrite(world).answer({}, at(1))
  await stream.repeat()
  expect(q1.data).toBe(before)
  expect(reads(world, 'q1')).toBe(1)
})

test('a lost answer leaves the mutation uncertain, its scope closed, and the same id is sent again', async () => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  const first = world.sync.mutate(push, { token: 'm1', to: ['q1'] })
  world.sync.mutate(push, { token: 'm2', to: ['q1'] })
  await world.settle()
  await takeWrite(world, 'm1').drop()
  expect(world.sync.outbox.getState().entries.map(({ status }) => status)).toEqual(['uncertain', 'queued'])
  expect(q1.now).toBe('m1 m2')
  expect(world.net.waiting).toEqual([])
  await world.advance(4000)
  const again = takeWrite(world, 'm1')
  expect([again.id, again.headers.get('sync-sequence')]).toEqual([first.id, '1'])
  expect(world.net.waiting).toEqual([])
  await again.answer({}, at(1))
  await world.settle()
  expect(takeWrite(world, 'm2').headers.get('sync-sequence')).toBe('2')
})

test('after a reload the queue goes on in order, with the same ids and sequences', async () => {
  const storage = memoryStorage()
  const first = createWorld({ mutations: [push], storage })
  first.sync.start()
  await loadDoc(first, doc('q1', 0))
  const made = ['m1', 'm2', 'm3'].map((token) => first.sync.mutate(push, { token, to: ['q1'] }))
  await first.settle()
  takeWrite(first, 'm1')
  first.sync.stop()

  const world = createWorld({ mutations: [push], storage, seed: 2 })
  world.sync.start()
  const early = world.sync.mutate(push, { token: 'm4', to: ['q1'] })
  await world.sync.ready
  expect(world.sync.outbox.getState().entries.map(({ id }) => id)).toEqual([...made, early].map(({ id }) => id))
  const q1 = watchDoc(world, 'q1')
  await world.settle()
  await takeRead(world, 'q1').answer(doc('q1', 0), at(0, []))
  expect(q1.shown).toEqual(['-', 'm1 m2 m3 m4'])
  for (const [i, token] of ['m1', 'm2', 'm3', 'm4'].entries()) {
    const request = takeWrite(world, token)
    expect(request.id).toBe([...made, early][i]?.id)
    expect(request.headers.get('sync-sequence')).toBe(String(i + 1))
    expect(request.headers.get('sync-outbox')).toBe(first.net.log.at(-1)?.headers.get('sync-outbox'))
    await request.answer({}, at(i + 1))
    await world.settle()
  }
})

test('a reload after the answer sends nothing again and asks for reads that have the change', async () => {
  const storage = memoryStorage()
  const first = createWorld({ mutations: [push], storage })
  first.sync.start()
  await loadDoc(first, doc('q1', 0))
  const handle = first.sync.mutate(push, { token: 'm', to: ['q1'] })
  await first.settle()
  await takeWrite(first).answer({}, at(1))
  await handle.confirmed
  first.sync.stop()

  const world = createWorld({ mutations: [push], storage, seed: 2 })
  world.sync.start()
  await world.sync.ready
  const q1 = watchDoc(world, 'q1')
  await world.settle()
  const read = takeRead(world, 'q1')
  expect(read.headers.get('sync-min-cursor')).toBe('e:1')
  await read.answer(doc('q1', 1, 'm'), at(1))
  await world.advance(60_000)
  expect(q1.shown).toEqual(['-', 'm'])
  expect(writes(world)).toEqual([])
  expectSettled(world, 'q1')
})

test.each([-10, 0, 10])('moving the clock by %i years changes nothing', async (years) => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  const handle = world.sync.mutate(push, { token: 'm1', to: ['q1'] })
  await world.settle()
  world.clock.shift(years * 31_557_600_000)
  world.sync.mutate(push, { token: 'm2', to: ['q1'] })
  await takeWrite(world, 'm1').drop()
  await world.advance(4000)
  expect(takeWrite(world, 'm1').id).toBe(handle.id)
  world.clock.shift(-years * 31_557_600_000)
  await world.advance(75_000)
  await takeWrite(world, 'm1').answer({ docs: [doc('q1', 1, 'm1')] }, at(1))
  await world.settle()
  await takeWrite(world, 'm2').answer({ docs: [doc('q1', 2, 'm1', 'm2')] }, at(2))
  expect(q1.shown).toEqual(['-', '', 'm1', 'm1 m2'])
  expect(writes(world)).toHaveLength(4)
  expectSettled(world, 'q1')
})

test('after close nothing late changes anything, and nobody waits for ever', async () => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  const request = takeWrite(world)
  q1.stop()
  await world.sync.close()
  await expect(handle.confirmed).rejects.toMatchObject({ code: 'stopped' })
  await expect(handle.reflected).rejects.toMatchObject({ code: 'stopped' })
  expect(request.aborted).toBe(true)
  await request.answer({ docs: [doc('q1', 1, 'm')] }, at(1))
  expect(world.sync.getBase(docQuery('q1').queryKey)).toBeUndefined()
  expect(() => world.sync.mutate(push, { token: 'n', to: ['q1'] })).toThrow(/closed/)
  expect(world.clock.pending()).toBe(0)
})

test('a mutation is sent only after its row is on disk', async () => {
  const storage = scriptedStorage()
  const world = createWorld({ mutations: [push], storage })
  world.sync.start()
  await world.settle()
  const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  let durable = false
  void handle.durable.then(() => {
    durable = true
  })
  await world.advance(1000)
  expect([durable, writes(world).length]).toEqual([false, 0])
  await storage.writes[0]?.complete()
  expect([durable, writes(world).length]).toEqual([true, 0])
  // That it leaves is written down before it leaves.
  await storage.writes[0]?.complete()
  expect(writes(world)).toHaveLength(1)
})

test('a failed append rejects durable, and the mutation lives on in memory', async () => {
  const storage = scriptedStorage()
  const world = createWorld({ mutations: [push], storage })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  expect(world.sync.status.getState().isDurable).toBe(true)
  await storage.writes[0]?.fail()
  await expect(handle.durable).rejects.toMatchObject({ code: 'storage' })
  expect(world.sync.status.getState().isDurable).toBe(false)
  expect(world.reports).toMatchObject([{ code: 'storage' }])
  await storage.flow()
  await world.settle()
  await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] }, at(1))
  await handle.reflected
  expect(q1.shown).toEqual(['-', '', 'm'])
  expect(world.sync.status.getState().isDurable).toBe(true)
})

test.each(['gap', 'reset'])(
  'a %s of the stream makes what is watched be read again and leaves the queue alone',
  async (how) => {
    const world = createWorld({ mutations: [push], ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    if (how === 'gap') await stream.send('invalidate', { prev: 'e:7', keys: [['other']] }, 8)
    else {
      await stream.connection.close()
      await world.advance(10_000)
      await greet(world, { position: 0, epoch: 'f', resume: 'reset' })
    }
    await world.advance(1000)
    const seen = how === 'gap' ? at(8) : { headers: { 'sync-cursor': 'f:0' } }
    await takeRead(world, 'q1').answer(doc('q1', 8, 'other'), seen)
    expect(q1.now).toMatch(/m$/)
    expect(world.sync.outbox.getState().entries).toMatchObject([{ id: handle.id, status: 'sending' }])
    const answer = how === 'gap' ? at(9) : { headers: { 'sync-cursor': 'f:1' } }
    await takeWrite(world).answer({ docs: [doc('q1', 9, 'other', 'm')] }, answer)
    await world.advance(1000)
    for (const read of world.net.waiting.filter(({ method }) => method === 'GET'))
      await read.answer(doc('q1', 9, 'other', 'm'), answer)
    expect(q1.now).toBe('other m')
    expectSettled(world, 'q1')
  },
)
