// The cases that broke plainer rules, one by one: given, when, then. With recipes that push, and again with repeatable
// ones, where nothing waits and the same is shown.
import { syncStream } from 'tidemark'
import { describe, expect, test } from 'vitest'
import type { Kind } from '../kit/docs'
import {
  at,
  doc,
  docQuery,
  expectSettled,
  kinds,
  loadDoc,
  reads,
  takeRead,
  takeWrite,
  watchDoc,
  writes,
  writing,
} from '../kit/docs'
import { greet } from '../kit/stream'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

const STREAM = { stream: syncStream({ url: '/sync' }) }
const put = (id: string, version: number, ...tokens: string[]) => ({
  op: 'put' as const,
  type: 'doc',
  id,
  version,
  value: doc(id, version, ...tokens),
})
/** A change that fits no version that anybody has. */
const misfit = (id: string, version: number) => ({
  op: 'merge' as const,
  type: 'doc',
  id,
  version,
  base: 99,
  value: {},
})
const baseOf = ({ sync }: World, id: string) => sync.getBase(docQuery(id).queryKey)?.tokens.join(' ')
const problem = (ends: string) => ({ type: `https://example.com/problems/${ends}` })

describe.each(kinds)('with recipes that %s', (kind: Kind) => {
  const write = writing(kind)
  const pushes = kind === 'push'

  test('1: a first load from before the mutation shows it on top, and the next read brings it', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const q1 = watchDoc(world, 'q1')
    await world.settle()
    const early = takeRead(world, 'q1')
    const handle = world.sync.mutate(write, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({}, at(1))
    await early.answer(doc('q1', 0), at(0))
    expect(q1.now).toBe('m')
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
    await handle.reflected
    expect(q1.shown).toEqual(['-', 'm'])
    expectSettled(world, 'q1')
  })

  test('1: without cursors the first load from before the mutation is discarded or shown with it', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const q1 = watchDoc(world, 'q1')
    await world.settle()
    const early = takeRead(world, 'q1')
    world.sync.mutate(write, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({})
    await early.answer(doc('q1', 0))
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'm'))
    await world.settle()
    expect(q1.shown).toEqual(['-', 'm'])
    expectSettled(world, 'q1')
  })

  test('2: a query that was unmounted while the mutation settled has it in its first value', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const before = await loadDoc(world, doc('q1', 0))
    before.stop()
    const handle = world.sync.mutate(write, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({}, at(1))
    await handle.reflected
    const q1 = watchDoc(world, 'q1')
    expect(q1.shown).toEqual(['m'])
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
    expect(q1.shown).toEqual(['m'])
    expectSettled(world, 'q1')
  })

  test.each(['answer first', 'echo first'])(
    '3: an echo without data confirms and keeps the change on top (%s)',
    async (order) => {
      const world = createWorld({ mutations: [write], ...STREAM })
      world.sync.start()
      const stream = await greet(world)
      const q1 = await loadDoc(world, doc('q1', 0))
      const before = reads(world, 'q1')
      const handle = world.sync.mutate(write, { token: 'm', to: ['q1'] })
      await world.settle()
      const request = takeWrite(world)
      if (order === 'answer first') await request.answer({}, at(1))
      await stream.invalidate(1, [['doc', 'q1']], { mutations: [handle.id] })
      expect(q1.now).toBe('m')
      expect(world.sync.status.getState().counts.confirmed).toBe(1)
      if (order === 'echo first') await request.answer({}, at(1))
      await handle.confirmed
      await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
      await world.advance(30_000)
      expect(reads(world, 'q1') - before).toBe(1)
      expect(q1.shown).toEqual(['-', '', 'm'])
      expectSettled(world, 'q1')
    },
  )

  test('4: a patch that fits one of two queries covers that one; the other is cured by a read at its position', async () => {
    const world = createWorld({ mutations: [write], ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0))
    const q2 = await loadDoc(world, doc('q2', 0))
    const handle = world.sync.mutate(write, { token: 'm', to: ['q1', 'q2'] })
    await world.settle()
    await stream.patch(1, [put('q1', 1, 'm'), misfit('q2', 1)], { mutations: [handle.id] })
    expect([q1.now, q2.now]).toEqual(['m', 'm'])
    expect([baseOf(world, 'q1'), baseOf(world, 'q2')]).toEqual(['m', ''])
    const late = takeRead(world, 'q2')
    expect(late.headers.get('sync-min-cursor')).toBe('e:1')
    await late.answer(doc('q2', 0), at(0))
    expect(q2.now).toBe('m')
    await world.advance(1000)
    await takeRead(world, 'q2').answer(doc('q2', 1, 'm'), at(1))
    await takeWrite(world).answer({}, at(1))
    await world.advance(30_000)
    expect([q1.shown, q2.shown]).toEqual([
      ['-', '', 'm'],
      ['-', '', 'm'],
    ])
    expect([reads(world, 'q1'), reads(world, 'q2')]).toEqual([1, 3])
    expectSettled(world, 'q1', 'q2')
  })

  test('5: a patch that does not say whose writes it contains waits for the answer', async () => {
    const world = createWorld({ mutations: [write], ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0), at(0, []))
    expect(world.sync.getMode(docQuery('q1').queryKey)).toBe('exact')
    world.sync.mutate(write, { token: 'm', to: ['q1'] })
    await world.settle()
    await stream.patch(1, [put('q1', 1, 'm')])
    expect(baseOf(world, 'q1')).toBe(pushes ? '' : 'm')
    expect(q1.now).toBe('m')
    await takeWrite(world).answer({}, at(1))
    expect(baseOf(world, 'q1')).toBe('m')
    expect(q1.shown).toEqual(['-', '', 'm'])
    expectSettled(world, 'q1')
  })

  test("5: a patch that says it contains only others' writes is published at once", async () => {
    const world = createWorld({ mutations: [write], ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0), at(0, []))
    world.sync.mutate(write, { token: 'm', to: ['q1'] })
    await world.settle()
    await stream.patch(1, [put('q1', 1, 'other')], { mutations: [] })
    expect(baseOf(world, 'q1')).toBe('other')
    expect(q1.shown).toEqual(['-', '', 'm', 'other m'])
  })

  test('6: a read that could not name the mutation and may contain it waits for the answer', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0), at(0, []))
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    const read = takeRead(world, 'q1')
    world.sync.mutate(write, { token: 'm', to: ['q1'] })
    await world.settle()
    const request = takeWrite(world)
    await read.answer(doc('q1', 1, 'm'), at(1, []))
    expect(baseOf(world, 'q1')).toBe(pushes ? '' : 'm')
    await request.answer({}, at(1))
    expect(baseOf(world, 'q1')).toBe('m')
    expect(q1.shown).toEqual(['-', '', 'm'])
  })

  test('6: the same when a conflict has given the mutation another id', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0), at(0, []))
    const handle = world.sync.mutate(write, { token: 'm', to: ['q1'] })
    await world.settle()
    const refused = takeWrite(world)
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    const read = takeRead(world, 'q1')
    expect(read.names).toEqual([handle.id])
    await refused.answer(problem('conflict'), { status: 409 })
    await world.settle()
    const replacement = takeWrite(world)
    expect(replacement.id).not.toBe(refused.id)
    await read.answer(doc('q1', 1, 'm'), at(1, []))
    expect(baseOf(world, 'q1')).toBe(pushes ? '' : 'm')
    await replacement.answer({}, at(1))
    expect(baseOf(world, 'q1')).toBe('m')
    expect(q1.shown).toEqual(['-', '', 'm'])
  })

  test('6: the same for the one of 65 that there was no room to name', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0), at(0, []))
    const names = Array.from({ length: 65 }, (_, i) => `t${i}`)
    const handles = names.map((token) => world.sync.mutate(write, { token, to: ['q1'], scope: token }))
    await world.settle()
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    const read = takeRead(world, 'q1')
    expect(read.names).toEqual(handles.slice(0, 64).map(({ id }) => id))
    await read.answer(doc('q1', 1, ...names), at(65, read.names))
    expect(baseOf(world, 'q1')).toBe(pushes ? '' : names.join(' '))
    expect(q1.now).toBe(names.join(' '))
    await takeWrite(world, 't64').answer({}, at(65))
    expect(baseOf(world, 'q1')).toBe(names.join(' '))
    expect(q1.now).toBe(names.join(' '))
    expect(q1.shown.at(-1)).toBe(names.join(' '))
  })

  test('7: a mutation that is paused by a 401 may still be at the server: a read waits for it', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(write, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).drop()
    await world.advance(4000)
    await takeWrite(world).answer(problem('unauthenticated'), { status: 401 })
    expect(world.sync.status.getState()).toMatchObject({ needsAuth: true, counts: { paused: 1 } })
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
    expect(baseOf(world, 'q1')).toBe(pushes ? '' : 'm')
    world.sync.resume()
    await world.settle()
    const third = takeWrite(world)
    expect(third.id).toBe(handle.id)
    await third.answer({}, { headers: { ...at(1).headers, 'idempotent-replayed': 'true' } })
    expect(q1.shown).toEqual(['-', '', 'm'])
    expectSettled(world, 'q1')
  })

  test("8: data in an answer waits for another scope's open mutation, and stays shown", async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0))
    const first = world.sync.mutate(write, { token: 'm1', to: ['q1'], scope: 'A' })
    const second = world.sync.mutate(write, { token: 'm2', to: ['q1'], scope: 'B' })
    await world.settle()
    await takeWrite(world, 'm2').answer({ docs: [doc('q1', 2, 'm1', 'm2')] }, at(2))
    await second.confirmed
    expect(baseOf(world, 'q1')).toBe(pushes ? '' : 'm1 m2')
    expect(q1.now).toBe('m1 m2')
    const publishes = q1.values.length
    await takeWrite(world, 'm1').answer({}, at(1))
    await first.reflected
    expect(baseOf(world, 'q1')).toBe('m1 m2')
    expect(q1.values.length - publishes).toBeLessThanOrEqual(1)
    expect(q1.shown).toEqual(['-', '', 'm1', 'm1 m2'])
    expectSettled(world, 'q1')
  })

  test('9: under unbroken writing a base is published within the longest round trip', async () => {
    const world = createWorld({ mutations: [write], ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0))
    const tokens: string[] = []
    for (const [i, scope] of ['A', 'B', 'C'].entries()) {
      tokens.push(`m${i + 1}`)
      world.sync.mutate(write, { token: `m${i + 1}`, to: ['q1'], scope })
      await world.settle()
      await stream.patch(i + 1, [put('q1', i + 1, ...tokens)])
    }
    for (let i = 4; i <= 12; i++) {
      await takeWrite(world, `m${i - 3}`).answer({}, at(i - 3))
      tokens.push(`m${i}`)
      world.sync.mutate(write, { token: `m${i}`, to: ['q1'], scope: 'ABC'[(i - 1) % 3] as string })
      await world.settle()
      await stream.patch(i, [put('q1', i, ...tokens)])
      const published = baseOf(world, 'q1')?.split(' ').filter(Boolean).length ?? 0
      expect(published).toBeGreaterThanOrEqual(i - 5)
      expect(q1.now).toBe(tokens.join(' '))
    }
    for (const i of [10, 11, 12]) await takeWrite(world, `m${i}`).answer({}, at(i))
    expect(baseOf(world, 'q1')).toBe(tokens.join(' '))
    expect(q1.shown).toEqual(['-', '', ...tokens.map((_, i) => tokens.slice(0, i + 1).join(' '))])
  })

  test('10: a late stored answer is not the first base of a query', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    world.sync.mutate(write, { token: 'm1', to: ['q1'], scope: 'A' })
    const second = world.sync.mutate(write, { token: 'm2', to: ['q1'], scope: 'B' })
    await world.settle()
    await takeWrite(world, 'm1').drop()
    await takeWrite(world, 'm2').answer({}, at(2))
    await second.reflected
    const q1 = watchDoc(world, 'q1')
    await world.settle()
    const read = takeRead(world, 'q1')
    await world.advance(4000)
    await takeWrite(world, 'm1').answer({ docs: [doc('q1', 1, 'm1')] }, at(1))
    expect(q1.now).toBe('-')
    await read.answer(doc('q1', 2, 'm1', 'm2'), at(2))
    expect(q1.shown).toEqual(['-', 'm1 m2'])
    expectSettled(world, 'q1')
  })

  test('11: a first read behind an event is used, left stale and asked for again', async () => {
    const world = createWorld({ mutations: [write], ...STREAM })
    world.sync.start()
    const stream = await greet(world, { position: 3 })
    const q1 = watchDoc(world, 'q1')
    await world.settle()
    const read = takeRead(world, 'q1')
    await stream.invalidate(5, [['doc', 'q1']])
    await read.answer(doc('q1', 4, 'a'), at(4))
    expect(q1.now).toBe('a')
    await world.advance(1000)
    await takeRead(world, 'q1').answer(doc('q1', 5, 'a', 'b'), at(5))
    await world.advance(30_000)
    expect(q1.shown).toEqual(['-', 'a', 'a b'])
    expect(reads(world, 'q1')).toBe(2)
  })

  test.each(['fits', 'fits not'])(
    '11: the same with an older base and a read in flight (the patch %s)',
    async (how) => {
      const world = createWorld({ mutations: [write], ...STREAM })
      world.sync.start()
      const stream = await greet(world, { position: 3 })
      const q1 = await loadDoc(world, doc('q1', 3), at(3))
      void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
      await world.settle()
      const read = takeRead(world, 'q1')
      await stream.patch(5, [how === 'fits' ? put('q1', 5, 'a', 'b') : misfit('q1', 5)])
      await read.answer(doc('q1', 4, 'a'), at(4))
      if (how === 'fits not') {
        await world.advance(1000)
        await takeRead(world, 'q1').answer(doc('q1', 5, 'a', 'b'), at(5))
      }
      await world.advance(30_000)
      expect(q1.shown).toEqual(how === 'fits' ? ['-', '', 'a b'] : ['-', '', 'a', 'a b'])
      expect(reads(world, 'q1')).toBe(how === 'fits' ? 2 : 3)
    },
  )

  test.each(['without names', 'with names'])(
    '12: a read from before a mutation that has left is discarded (%s)',
    async (names) => {
      const world = createWorld({ mutations: [write] })
      const answer = at(undefined, names === 'with names' ? [] : undefined)
      world.sync.start()
      const q1 = await loadDoc(world, doc('q1', 0), answer)
      world.sync.mutate(write, { token: 'm', to: ['q1'] })
      await world.settle()
      void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
      await world.settle()
      const read = takeRead(world, 'q1')
      await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] })
      expect(baseOf(world, 'q1')).toBe('m')
      await read.answer(doc('q1', 0), answer)
      expect(q1.now).toBe('m')
      await world.settle()
      await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), answer)
      expect(q1.shown).toEqual(['-', '', 'm'])
      expectSettled(world, 'q1')
    },
  )

  test('13: without cursors a replayed answer does not bring data from before another mutation', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0), {})
    world.sync.mutate(write, { token: 'm1', to: ['q1'], scope: 'A' })
    world.sync.mutate(write, { token: 'm2', to: ['q1'], scope: 'B' })
    await world.settle()
    await takeWrite(world, 'm1').drop()
    await takeWrite(world, 'm2').answer({})
    await world.advance(4000)
    const before = reads(world, 'q1')
    const replay = takeWrite(world, 'm1')
    for (const read of world.net.waiting.filter(({ method }) => method === 'GET'))
      await read.answer(doc('q1', 2, 'm1', 'm2'))
    await replay.answer({ docs: [doc('q1', 1, 'm1')] })
    expect(q1.now).toBe('m1 m2')
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 2, 'm1', 'm2'))
    await world.advance(30_000)
    expect(reads(world, 'q1') - before).toBe(1)
    expect(q1.shown).toEqual(['-', '', 'm1', 'm1 m2'])
    expectSettled(world, 'q1')
  })

  test('14: after a reload the mutation is sent again with its id and is shown once', async () => {
    const first = createWorld({ mutations: [write] })
    const { storage } = first
    first.sync.start()
    await loadDoc(first, doc('q1', 0), at(0, []))
    const handle = first.sync.mutate(write, { token: 'm', to: ['q1'] })
    await first.settle()
    first.sync.stop()

    const world = createWorld({ mutations: [write], storage, seed: 2 })
    world.sync.start()
    await world.sync.ready
    const q1 = watchDoc(world, 'q1')
    await world.settle()
    const read = takeRead(world, 'q1')
    expect(read.names).toEqual([handle.id])
    await read.answer(doc('q1', 1, 'm'), at(1, [handle.id]))
    expect(q1.now).toBe('m')
    const again = takeWrite(world)
    expect([again.id, again.headers.get('sync-sequence')]).toEqual([handle.id, '1'])
    await again.answer({}, { headers: { ...at(1).headers, 'idempotent-replayed': 'true' } })
    expect(q1.shown).toEqual(['-', 'm'])
    expectSettled(world, 'q1')
  })

  test('15: with names the queries of a mutation without an outcome follow by reads', async () => {
    const world = createWorld({ mutations: [write] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0), at(0, []))
    world.sync.mutate(write, { token: 'm', to: ['q1'] })
    const tokens: string[] = []
    for (let i = 1; i <= 40; i++) {
      await world.settle()
      tokens.push(`o${i}`)
      void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
      await world.settle()
      await takeRead(world, 'q1').answer(doc('q1', i, ...tokens), at(i, []))
    }
    expect(baseOf(world, 'q1')).toBe(tokens.join(' '))
    expect(q1.now).toBe([...tokens, 'm'].join(' '))
    expect(world.sync.status.getState().waiting).toEqual([])
  })

  test('15: with names they follow by patches although a read waits', async () => {
    const world = createWorld({ mutations: [write], ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0), at(0, []))
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    const unnamed = takeRead(world, 'q1')
    world.sync.mutate(write, { token: 'm', to: ['q1'] })
    await world.settle()
    await unnamed.answer(doc('q1', 0), at(0, []))
    const tokens: string[] = []
    for (let i = 1; i <= 40; i++) {
      tokens.push(`o${i}`)
      await stream.patch(i, [put('q1', i, ...tokens)], { mutations: [] })
    }
    expect(baseOf(world, 'q1')).toBe(tokens.join(' '))
    expect(q1.now).toBe([...tokens, 'm'].join(' '))
  })

  test.each(['cursor', 'fence'])(
    '15: in mode %s they wait, say so, and discarding the mutation frees them',
    async (mode) => {
      const world = createWorld({ mutations: [write] })
      const seen = (position: number) => (mode === 'cursor' ? at(position) : {})
      world.sync.start()
      const q1 = await loadDoc(world, doc('q1', 0), seen(0))
      const q2 = await loadDoc(world, doc('q2', 0), seen(0))
      const poison = world.sync.mutate(write, { token: 'm', to: ['q1'], scope: 'poison' })
      await world.settle()
      const other = world.sync.mutate(write, { token: 'n', to: ['q2'], scope: 'other' })
      await world.settle()
      await takeWrite(world, 'n').answer({ docs: [doc('q2', 1, 'n')] }, seen(1))
      await other.reflected
      expect(baseOf(world, 'q2')).toBe('n')
      for (let i = 2; i <= 5; i++) {
        void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
        await world.settle()
        const read = world.net.waiting.find(({ url }) => url === '/doc/q1')
        await read?.answer(doc('q1', i, 'o'), seen(i))
      }
      expect(baseOf(world, 'q1')).toBe(pushes ? '' : 'o')
      expect(world.sync.status.getState().waiting).toEqual(pushes ? [['doc', 'q1']] : [])
      expect(world.sync.discard(poison.id)).toBe(true)
      await world.advance(1000)
      for (const read of world.net.waiting.filter(({ url }) => url === '/doc/q1'))
        await read.answer(doc('q1', 5, 'o'), seen(5))
      expect(q1.now).toBe('o')
      expect(q2.shown).toEqual(['-', '', 'n'])
      expectSettled(world, 'q1', 'q2')
      expect(writes(world).filter(({ url }) => url === '/write').length).toBe(2)
    },
  )
})

test('13: after three discarded reads unsent mutations wait for one read, and none of the discarded is used', async () => {
  const write = writing('push')
  const world = createWorld({ mutations: [write] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0), {})
  const tokens: string[] = []
  // There is always one on its way: each is sent before the one before it is answered.
  const begin = async () => {
    tokens.push(`m${tokens.length + 1}`)
    world.sync.mutate(write, { token: tokens.at(-1) as string, to: ['q1'], scope: tokens.length % 2 ? 'A' : 'B' })
    await world.settle()
  }
  await begin()
  let round = 0
  while (world.net.log.filter(({ method }) => method === 'POST').length === tokens.length && round++ < 10) {
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    await begin()
    for (const read of world.net.waiting.filter(({ method }) => method === 'GET'))
      await read.answer(doc('q1', 0, 'wrong'))
    await takeWrite(world, tokens.at(-2)).answer({})
  }
  expect(round).toBeLessThan(6)
  expect(baseOf(world, 'q1')).toBe('')
  for (const request of world.net.waiting.filter(({ method }) => method === 'POST')) await request.answer({})
  await world.advance(1000)
  const sent = tokens.slice(0, -1)
  await takeRead(world, 'q1').answer(doc('q1', 1, ...sent))
  await world.settle()
  expect(baseOf(world, 'q1')).toBe(sent.join(' '))
  await takeWrite(world, tokens.at(-1)).answer({})
  await world.advance(1000)
  await takeRead(world, 'q1').answer(doc('q1', 2, ...tokens))
  expect(q1.shown).toEqual(['-', '', ...tokens.map((_, i) => tokens.slice(0, i + 1).join(' '))])
  expectSettled(world, 'q1')
})
