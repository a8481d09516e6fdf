// What other libraries get wrong, each shown as right here. The names say what breaks there.
import { dehydrate, syncStream } from 'tidemark'
import { describe, expect, test } from 'vitest'
import {
  at,
  doc,
  docQuery,
  expectSettled,
  loadDoc,
  nextWrite,
  reads,
  takeRead,
  takeWrite,
  writes,
  writing,
} from '../kit/docs'
import { greet } from '../kit/stream'
import type { Todo } from '../kit/todos'
import { adding, editing, loadTodos, removing, take, titles, titlesShown, todo, todoRow } from '../kit/todos'
import { createWorld } from '../kit/world'

const STREAM = { stream: syncStream({ url: '/sync' }) }
const push = writing('push')

describe('where a recipe of cancel, snapshot and restore breaks', () => {
  test("rolling back one change keeps another's confirmed field", async () => {
    const edit = editing({ scope: ({ title }) => ({ id: title === undefined ? 'done' : 'title' }) })
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    const list = await loadTodos(world, [todo('1', 'old', { done: false })])
    const a = world.sync.mutate(edit, { id: '1', title: 'new' })
    const b = world.sync.mutate(edit, { id: '1', done: true })
    await world.settle()
    const [first, second] = [take(world, '/edit'), take(world, '/edit')]
    await second.answer({})
    await b.confirmed
    await first.answer({ title: 'No.' }, { status: 422 })
    await expect(a.confirmed).rejects.toThrow()
    expect(list.data).toEqual([todo('1', 'old', { done: true })])
    await world.settle()
    await world.net.take('GET').answer([todo('1', 'old', { done: true })])
    expect(list.data).toEqual([todo('1', 'old', { done: true })])
  })

  test('two failures in order leave no ghost of either write', async () => {
    const edit = editing({ scope: ({ title = '' }) => ({ id: title }) })
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    const list = await loadTodos(world, [todo('1', 'old')])
    world.sync.mutate(edit, { id: '1', title: 'a' })
    world.sync.mutate(edit, { id: '1', title: 'b' })
    await world.settle()
    await take(world, '/edit').answer({ title: 'No.' }, { status: 422 })
    expect(titles(list.data)).toBe('b')
    await take(world, '/edit').answer({ title: 'No.' }, { status: 422 })
    expect(titlesShown(list)).toEqual(['-', 'old', 'a', 'b', 'old'])
  })

  test('a refetch by focus while a change is pending does not flicker', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0), at(0, []))
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 0), at(0, []))
    await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] }, at(1))
    expect(q1.shown).toEqual(['-', '', 'm'])
  })

  test("a refetch by another mutation's settling does not flicker", async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0), {})
    world.sync.mutate(push, { token: 'm1', to: ['q1'] })
    world.sync.mutate(push, { token: 'm2', to: ['q1'] })
    await world.settle()
    await takeWrite(world, 'm1').answer({})
    await world.settle()
    for (const read of world.net.waiting.filter(({ method }) => method === 'GET')) await read.answer(doc('q1', 1, 'm1'))
    await takeWrite(world, 'm2').answer({})
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 2, 'm1', 'm2'))
    expect(q1.shown).toEqual(['-', '', 'm1', 'm1 m2'])
    expectSettled(world, 'q1')
  })

  test("a push's refetch that is cancelled is made again; the query does not claim to be fresh", async () => {
    const world = createWorld({ mutations: [push], ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0))
    await stream.invalidate(1, [['doc', 'q1']])
    await world.settle()
    takeRead(world, 'q1')
    await world.sync.queryClient.cancelQueries({ queryKey: ['doc', 'q1'] })
    expect(world.sync.queryClient.getQueryState(docQuery('q1').queryKey)?.isInvalidated).toBe(true)
    await world.advance(1000)
    await takeRead(world, 'q1').answer(doc('q1', 1, 'other'), at(1))
    expect(q1.shown).toEqual(['-', '', 'other'])
  })

  test('what is dehydrated is what the server said', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0, 'a'))
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    expect(q1.now).toBe('a m')
    expect(dehydrate(world.sync.queryClient).queries.map(({ state }) => state.data)).toEqual([doc('q1', 0, 'a')])
    expect(world.sync.queryClient.getQueryData(docQuery('q1').queryKey)).toEqual(doc('q1', 0, 'a'))
  })

  test('writes in mid-flight survive a reload and go on one after another', async () => {
    const first = createWorld({ mutations: [push] })
    first.sync.start()
    for (const token of ['m1', 'm2', 'm3']) first.sync.mutate(push, { token, to: ['q1'] })
    await first.settle()
    first.sync.stop()
    const world = createWorld({ mutations: [push], storage: first.storage, seed: 2 })
    world.sync.start()
    await world.settle()
    for (const [i, token] of ['m1', 'm2', 'm3'].entries()) {
      expect(world.net.waiting).toHaveLength(1)
      await takeWrite(world, token).answer({}, at(i + 1))
      await world.settle()
    }
    expect(writes(world)).toHaveLength(3)
    expectSettled(world)
  })

  test('an update that waits is not sent after the create that it builds on has failed', async () => {
    const [add, edit] = [adding(), editing()]
    const world = createWorld({ mutations: [add, edit] })
    world.sync.start()
    const list = await loadTodos(world, [])
    world.sync.mutate(add, todo('n', 'new'))
    const update = world.sync.mutate(edit, { id: 'n', title: 'newer' })
    await world.settle()
    expect(titles(list.data)).toBe('newer')
    await take(world, '/add').answer({ title: 'No.' }, { status: 422 })
    await expect(update.confirmed).rejects.toMatchObject({ code: 'dependency-rejected' })
    await world.advance(60_000)
    expect(writes(world)).toHaveLength(1)
    expect(titlesShown(list)).toEqual(['-', '', 'new', 'newer', ''])
  })

  test('a drop of the connection keeps the change, and sends it again', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    for (let attempt = 1; attempt <= 4; attempt++) {
      await (await nextWrite(world)).drop()
      expect(q1.now).toBe('m')
    }
    await (await nextWrite(world)).answer({ docs: [doc('q1', 1, 'm')] }, at(1))
    await handle.reflected
    expect(q1.shown).toEqual(['-', '', 'm'])
    expect(new Set(writes(world).map(({ id }) => id)).size).toBe(1)
  })

  test('a hidden tab goes on sending', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    await loadDoc(world, doc('q1', 0))
    await world.net.network.set('hidden')
    world.sync.mutate(push, { token: 'm1', to: ['q1'] })
    const last = world.sync.mutate(push, { token: 'm2', to: ['q1'] })
    await world.settle()
    await takeWrite(world, 'm1').drop()
    await world.advance(4000)
    await takeWrite(world, 'm1').answer({}, at(1))
    await world.settle()
    await takeWrite(world, 'm2').answer({}, at(2))
    await last.confirmed
  })
})

describe('where one overlay over a synced collection breaks', () => {
  test('a failed write does not stay visible beneath a later one', async () => {
    const edit = editing({ scope: ({ title }) => ({ id: title === undefined ? 'done' : 'title' }) })
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    const list = await loadTodos(world, [todo('1', 'old', { done: false })])
    world.sync.mutate(edit, { id: '1', title: 'wrong' })
    world.sync.mutate(edit, { id: '1', done: true })
    await world.settle()
    await take(world, '/edit').answer({ title: 'No.' }, { status: 422 })
    expect(list.data).toEqual([todo('1', 'old', { done: true })])
  })

  test("others' writes arrive while a mutation of the same query is on its way", async () => {
    const world = createWorld({ mutations: [push], ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0))
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    for (let i = 1; i <= 3; i++) {
      const value = doc('q1', i, ...['a', 'b', 'c'].slice(0, i))
      await stream.patch(i, [{ op: 'put', type: 'doc', id: 'q1', version: i, value }], { mutations: [] })
    }
    expect(q1.shown).toEqual(['-', '', 'm', 'a m', 'a b m', 'a b c m'])
  })

  test('insert, delete and insert of one row end right, though each answer beats its echo', async () => {
    const [add, remove] = [adding(), removing()]
    const world = createWorld({ mutations: [add, remove], ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const list = await loadTodos(world, [], at(0))
    const ids = [
      world.sync.mutate(add, todo('1', 'one')),
      world.sync.mutate(remove, '1'),
      world.sync.mutate(add, todo('1', 'uno')),
    ].map(({ id }) => id)
    expect(titles(list.data)).toBe('uno')
    for (const [i, url] of ['/add', '/remove', '/add'].entries()) {
      await world.settle()
      await take(world, url).answer({}, at(i + 1))
      expect(titles(list.data)).toBe('uno')
    }
    for (const [i, mutation] of ids.entries()) {
      await stream.invalidate(i + 1, [['todos']], { mutations: [mutation] })
      expect(titles(list.data)).toBe('uno')
    }
    for (const read of world.net.waiting.filter(({ method }) => method === 'GET'))
      await read.answer([todo('1', 'uno')], at(3))
    expect(titlesShown(list)).toEqual(['-', '', 'one', '', 'uno'])
    expect(world.sync.outbox.getState().entries).toEqual([])
  })

  test('one more change costs its own recipe, however many are pending', async () => {
    let runs = 0
    const edit = editing({
      scope: ({ id }) => ({ id }),
      optimistic: (view, { id, title }) =>
        view.row(todoRow, id).update((row) => {
          runs++
          row.title = title ?? ''
        }),
    })
    const world = createWorld({ mutations: [edit], platform: { development: false } })
    world.sync.start()
    const rows: Todo[] = Array.from({ length: 200 }, (_, i) => todo(String(i), 'old'))
    const list = await loadTodos(world, rows)
    for (const { id } of rows) world.sync.mutate(edit, { id, title: 'new' })
    runs = 0
    world.sync.mutate(edit, { id: '7', title: 'newer' })
    expect(runs).toBeLessThanOrEqual(2)
    expect(list.data?.[7]?.title).toBe('newer')
  })
})

describe('where an outbox beside the cache breaks', () => {
  test('a 503 delays its own scope and no other', async () => {
    const world = createWorld({ mutations: [push], breaker: { threshold: 100 } })
    world.sync.start()
    const broken = world.sync.mutate(push, { token: 'a', to: ['q1'], scope: 'A' })
    const fine = world.sync.mutate(push, { token: 'b', to: ['q1'], scope: 'B' })
    const next = world.sync.mutate(push, { token: 'c', to: ['q1'], scope: 'B' })
    await world.settle()
    await takeWrite(world, 'a').answer({}, { status: 503 })
    await takeWrite(world, 'b').answer({})
    await fine.confirmed
    await world.settle()
    await takeWrite(world, 'c').answer({})
    await next.confirmed
    expect(world.sync.outbox.getState().entries).toMatchObject([{ id: broken.id, status: 'uncertain' }])
  })

  test('whether to send again is told by status and type, not by words', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({ title: 'Network error: failed to fetch, timeout' }, { status: 400 })
    await expect(handle.confirmed).rejects.toMatchObject({ code: 'rejected', status: 400 })
    const other = world.sync.mutate(push, { token: 'n', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({ title: 'Validation failed' }, { status: 503 })
    expect(world.sync.outbox.getState().entries).toMatchObject([{ id: other.id, status: 'uncertain' }])
    expect(reads(world, 'q1')).toBe(0)
  })
})
