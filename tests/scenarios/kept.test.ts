// Pushed changes that come while a read is out, and that base cannot take: they are put into what the read brings.
import { queryOptions, syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import type { RowChange } from '../../src/base/messages'
import { at, doc, takeRead, takeWrite, watchDoc, writing } from '../kit/docs'
import { greet } from '../kit/stream'
import type { Todo } from '../kit/todos'
import { loadTodos, titles, titlesShown, todo, todoRow, todosQuery } from '../kit/todos'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

const put = (id: string, version: number, title: string): RowChange => ({
  op: 'put',
  type: 'todo',
  id,
  version,
  value: todo(id, title),
})

const requests = ({ net }: World) => net.log.filter(({ method }) => method === 'GET').length
const read = ({ net }: World) => net.take('GET', '/todos')

async function opened() {
  const world = createWorld({ stream: syncStream({ url: '/sync', pollInterval: false }) })
  world.sync.start()
  return { world, stream: await greet(world) }
}

/** A list that was read at 0, is stale since 1, and is being read. */
async function rereading(rows: Todo[] = [todo('1', 'a'), todo('2', 'b')]) {
  const { world, stream } = await opened()
  const todos = await loadTodos(world, rows, at(0))
  await stream.invalidate(1, [['todos']])
  return { world, stream, todos, answer: read(world) }
}

test('what comes while the first read is out is put into what it brings, in one publish', async () => {
  const { world, stream } = await opened()
  const todos = world.watch<Todo[]>(todosQuery)
  await world.settle()
  const first = read(world)
  await stream.patch(1, [put('1', 1, 'x')])
  await stream.patch(2, [put('1', 2, 'y'), put('2', 1, 'z')])
  await first.answer([todo('1', 'a'), todo('2', 'b')], at(0))
  await world.advance(60_000)
  expect(titlesShown(todos)).toEqual(['-', 'y z'])
  expect(world.sync.queryClient.getQueryState(todosQuery.queryKey)?.isInvalidated).toBe(false)
  expect(requests(world)).toBe(1)
})

test('events that come all the time end after one read of a stale list', async () => {
  const { world, stream, todos, answer } = await rereading()
  for (let n = 2; n <= 20; n++) {
    await stream.patch(n, [put('1', n, `a${n}`)])
    await world.advance(100)
  }
  await answer.answer([todo('1', 'a1'), todo('2', 'c')], at(5))
  expect(titles(todos.data)).toBe('a20 c')
  expect(world.sync.getBase(todosQuery.queryKey)).toEqual(todos.data)
  await stream.patch(21, [put('2', 21, 'd')])
  expect(titles(todos.data)).toBe('a20 d')
  await world.advance(60_000)
  expect(requests(world)).toBe(2)
})

test('what the read has already is not put into it again', async () => {
  const { world, stream, todos, answer } = await rereading()
  await stream.patch(2, [put('1', 2, 'older')])
  await stream.patch(3, [{ op: 'del', type: 'todo', id: '2', version: 3 }])
  expect(titles(todos.data)).toBe('a') // a row that is gone is gone at once
  await answer.answer([todo('1', 'newer')], at(4))
  await world.advance(60_000)
  expect(titlesShown(todos)).toEqual(['-', 'a b', 'a', 'newer'])
  expect(requests(world)).toBe(2)
})

test('an invalidation that comes between them is read again', async () => {
  const { world, stream, todos, answer } = await rereading()
  await stream.patch(2, [put('1', 2, 'x')])
  await stream.invalidate(3, [['todos']])
  await stream.patch(4, [put('1', 4, 'y')])
  await answer.answer([todo('1', 'a'), todo('2', 'b')], at(1))
  await world.advance(5_000)
  await read(world).answer([todo('1', 'y'), todo('2', 'c')], at(4))
  await world.advance(60_000)
  expect(titles(todos.data)).toBe('y c')
  expect(requests(world)).toBe(3)
})

test('a new row among them has no place, so the list is read again', async () => {
  const { world, stream, todos, answer } = await rereading()
  await stream.patch(2, [put('1', 2, 'x')])
  await stream.patch(3, [put('3', 3, 'new')])
  await answer.answer([todo('1', 'a'), todo('2', 'b')], at(1))
  await world.advance(5_000)
  expect(titles(todos.data)).toBe('x b')
  await read(world).answer([todo('3', 'new'), todo('1', 'x'), todo('2', 'b')], at(3))
  await world.advance(60_000)
  expect(titles(todos.data)).toBe('new x b')
  expect(requests(world)).toBe(3)
})

test('a read that fails takes them with it: the next one has to be past them', async () => {
  const { world, stream, todos, answer } = await rereading()
  await stream.patch(2, [put('1', 2, 'x')])
  await answer.answer(undefined, { status: 500 })
  await world.advance(5_000)
  await read(world).answer([todo('1', 'a'), todo('2', 'b')], at(1))
  await world.advance(5_000)
  await read(world).answer([todo('1', 'x'), todo('2', 'b')], at(2))
  await world.advance(60_000)
  expect(titles(todos.data)).toBe('x b')
  expect(requests(world)).toBe(4)
})

test('a read without a position, or of another log, cannot take them', async () => {
  for (const answered of [at(undefined), { headers: { 'Sync-Cursor': 'f:9' } }]) {
    const { world, stream, todos, answer } = await rereading()
    await stream.patch(2, [put('1', 2, 'x')])
    await answer.answer([todo('1', 'a'), todo('2', 'b')], answered)
    await world.advance(5_000)
    await read(world).answer([todo('1', 'x'), todo('2', 'b')], at(2))
    await world.advance(60_000)
    expect(titles(todos.data)).toBe('x b')
  }
})

test('nor can a read that was made of several answers, of which some may have them', async () => {
  const pairQuery = queryOptions({
    queryKey: ['pair'],
    queryFn: ({ fetch }) => Promise.all(['/one', '/two'].map((url) => fetch(url).then((r): Promise<Todo> => r.json()))),
    rows: [todoRow, (todos) => todos, { where: () => true }],
  })
  const { world, stream } = await opened()
  const pair = world.watch<Todo[]>(pairQuery)
  await world.settle()
  const [one, two] = [world.net.take('GET', '/one'), world.net.take('GET', '/two')]
  await stream.patch(3, [put('2', 3, 'older')])
  await one.answer(todo('1', 'a'), at(1))
  await two.answer(todo('2', 'newer'), at(5))
  await world.advance(5_000)
  expect(titles(pair.data)).toBe('a newer')
  await world.net.take('GET', '/one').answer(todo('1', 'b'), at(5))
  await world.net.take('GET', '/two').answer(todo('2', 'newer'), at(5))
  expect(titles(pair.data)).toBe('b newer')
})

test('nor can a read that has waited for a write: it is from before the one that is out', async () => {
  const push = writing('push')
  const world = createWorld({ mutations: [push], stream: syncStream({ url: '/sync', pollInterval: false }) })
  world.sync.start()
  const stream = await greet(world)
  world.sync.mutate(push, { token: 'm', to: ['q1'] })
  const q1 = watchDoc(world, 'q1')
  await world.settle()
  await takeRead(world, 'q1').answer(doc('q1', 0), at(0)) // waits for the write
  void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
  await world.settle()
  const hanging = takeRead(world, 'q1')
  await stream.patch(1, [{ op: 'put', type: 'doc', id: 'q1', version: 1, value: doc('q1', 1, 'other') }], {
    mutations: [],
  })
  await takeWrite(world).answer(undefined, { status: 422 })
  await hanging.drop()
  await world.advance(5_000)
  await takeRead(world, 'q1').answer(doc('q1', 1, 'other'), at(1))
  await world.settle()
  expect(q1.now).toBe('other')
})

test('a detail that was not there is read again when a row of its kind is made, and not when one is changed', async () => {
  const detailQuery = queryOptions({
    queryKey: ['detail', '7'],
    queryFn: ({ fetch }) => fetch('/todos/7').then((r): Promise<{ row: Todo | null }> => r.json()),
    rows: [todoRow, ({ row }) => row],
  })
  const { world, stream } = await opened()
  const detail = world.watch<{ row: Todo | null }>(detailQuery)
  await world.settle()
  await world.net.take('GET', '/todos/7').answer({ row: null }, at(0))
  await stream.patch(1, [{ op: 'merge', type: 'todo', id: '1', base: 1, version: 2, value: { title: 'b' } }])
  await world.advance(1_000)
  expect(requests(world)).toBe(1)
  await stream.patch(2, [put('7', 1, 'made')])
  await world.advance(1_000)
  await world.net.take('GET', '/todos/7').answer({ row: todo('7', 'made') }, at(2))
  await stream.patch(3, [put('7', 2, 'changed'), put('8', 1, 'another')])
  expect(detail.data).toMatchObject({ row: { title: 'changed' } })
  expect(requests(world)).toBe(2)
})
