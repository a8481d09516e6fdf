// Cases in which servers said now this and now that of what their answers contain. `mixed.test.ts` among the properties finds
// their like; here stands what each was.
import { QueryClient, queryOptions, syncStream } from 'tidemark'
import { describe, expect, test } from 'vitest'
import type { Doc, DocWatch } from '../kit/docs'
import { at, doc, docQuery, loadDoc, reads, takeRead, takeWrite, watchDoc, writing } from '../kit/docs'
import type { ScriptedStream } from '../kit/stream'
import { greet } from '../kit/stream'
import type { Todo } from '../kit/todos'
import {
  adding,
  editing,
  loadTodos,
  removing,
  take,
  titles,
  titlesShown,
  todo,
  todoRow,
  todosQuery,
} from '../kit/todos'
import type { Watch, World } from '../kit/world'
import { createWorld } from '../kit/world'

const push = writing('push')
const STREAM = { stream: syncStream({ url: '/sync', pollInterval: false as const }) }
const PLAIN = at(undefined)
const base = ({ sync }: World, id = 'q1') => sync.getBase(docQuery(id).queryKey)?.tokens.join(' ')
const put = (version: number, ...tokens: string[]) => ({
  op: 'put' as const,
  type: 'doc',
  id: 'q1',
  version,
  value: doc('q1', version, ...tokens),
})
const putTodo = (id: string, version: number, title: string, more: Partial<Todo> = {}) => ({
  op: 'put' as const,
  type: 'todo',
  id,
  version,
  value: todo(id, title, more),
})

interface Scene {
  world: World
  stream: ScriptedStream
  q1: DocWatch
}

/** A document that was read, and a stream that has told nothing yet. */
async function scene(first = PLAIN, mutation = push): Promise<Scene> {
  const world = createWorld({ mutations: [mutation], ...STREAM })
  world.sync.start()
  const stream = await greet(world)
  const q1 = await loadDoc(world, doc('q1', 0), first)
  await world.settle()
  return { world, stream, q1 }
}

/** The writes of the list, and a stream. */
async function list(mutations: Parameters<typeof createWorld>[0], rows: Todo[], first = PLAIN) {
  const world = createWorld({ ...STREAM, ...mutations })
  world.sync.start()
  const stream = await greet(world)
  const todos: Watch<Todo[]> = await loadTodos(world, rows, first)
  await world.settle()
  return { world, stream, todos }
}

describe('reads without positions', () => {
  test('an event that comes while a read is out is not forgotten: it is read again', async () => {
    const { world, stream, q1 } = await scene()
    await stream.invalidate(1, [['doc', 'q1']], { mutations: [] })
    const first = takeRead(world, 'q1')
    await stream.invalidate(2, [['doc', 'q1']], { mutations: [] })
    await first.answer(doc('q1', 1, 'a'))
    await world.advance(1000)
    await takeRead(world, 'q1').answer(doc('q1', 2, 'a', 'b'))
    expect(q1.now).toBe('a b')
  })

  test('nor is a resync, nor a row that has no place', async () => {
    const { world, stream, todos } = await list({}, [todo('1', 'a')])
    void world.sync.queryClient.refetchQueries({ queryKey: todosQuery.queryKey })
    await world.settle()
    const first = world.net.take('GET', '/todos')
    await stream.patch(1, [putTodo('2', 1, 'b')], { mutations: [] })
    await first.answer([todo('1', 'a')])
    await world.settle()
    const second = world.net.take('GET', '/todos')
    await stream.send('resync', { reason: 'operator' }, 2)
    await second.answer([todo('1', 'a')])
    await world.advance(1000)
    await world.net.take('GET', '/todos').answer([todo('1', 'a'), todo('2', 'b')])
    expect(titles(todos.data)).toBe('a b')
  })

  test('an answer at a position does not lock later reads out, whatever `apply` writes', async () => {
    for (const how of ['set', 'update'] as const) {
      const write = writing('push', {
        apply: (to, answer) => {
          for (const each of answer?.docs ?? [])
            if (how === 'set') to.set(docQuery(each.id).queryKey, each)
            else to.update(docQuery(each.id).queryKey, () => each)
        },
      })
      const { world, q1 } = await scene(PLAIN, write)
      world.sync.mutate(write, { token: 'm', to: ['q1'] })
      await world.settle()
      await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] }, at(1))
      await world.settle()
      void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
      await world.settle()
      await takeRead(world, 'q1').answer(doc('q1', 2, 'm', 'other'))
      expect(q1.now).toBe('m other')
      expect(world.net.waiting).toEqual([])
    }
  })

  test('after an own echo before its answer, patches of others go on', async () => {
    const edit = editing()
    const { world, stream, todos } = await list({ mutations: [edit] }, [todo('1', 'a'), todo('2', 'b')])
    world.sync.mutate(edit, { id: '1', title: 'mine' })
    await world.settle()
    const request = take(world, '/edit')
    await stream.patch(1, [putTodo('1', 2, 'mine')])
    await request.answer()
    for (let version = 2; version < 5; version++) {
      await stream.patch(version, [putTodo('2', version, `theirs${version}`)])
      for (const read of [...world.net.waiting]) await read.answer([todo('1', 'mine'), todo('2', `theirs${version}`)])
      await world.settle()
      expect(titles(todos.data)).toBe(`mine theirs${version}`)
    }
  })

  test('a whole value on the stream from before an own answer takes nothing out: it is a reason to read', async () => {
    for (const mutations of [undefined, []]) {
      const { world, stream, q1 } = await scene()
      world.sync.mutate(push, { token: 'm', to: ['q1'] })
      await world.settle()
      await takeWrite(world).answer({}, at(2))
      await stream.send('state', { key: ['doc', 'q1'], value: doc('q1', 1, 'o'), mutations }, 1)
      expect(q1.now).toBe('m')
      await world.advance(1000)
      for (const read of [...world.net.waiting]) await read.answer(doc('q1', 2, 'o', 'm'))
      expect(q1.shown).toEqual(['-', '', 'm', 'o m'])
    }
  })

  test('a late event for a row that was written since does not bring its old state back', async () => {
    const edit = editing()
    const { world, stream, todos } = await list({ mutations: [edit] }, [todo('1', 'a')])
    const handle = world.sync.mutate(edit, { id: '1', title: 'mine' })
    await world.settle()
    await take(world, '/edit').answer()
    await world.settle()
    await world.net.take('GET', '/todos').answer([todo('1', 'mine')])
    await stream.patch(1, [putTodo('1', 2, 'theirs, before')])
    expect(titles(todos.data)).toBe('mine')
    await stream.patch(2, [putTodo('1', 3, 'mine')], { mutations: [handle.id] })
    expect(titlesShown(todos)).toEqual(['-', 'a', 'mine'])
  })

  test('the application’s own data over a write that no read has brought keeps the write', async () => {
    for (const first of [PLAIN, at(0), at(0, [])]) {
      const { world, q1 } = await scene(first)
      world.sync.mutate(push, { token: 'm', to: ['q1'] })
      await world.settle()
      await takeWrite(world).answer({}, first.headers?.['sync-cursor'] === undefined ? PLAIN : at(1))
      world.sync.queryClient.setQueryData(['doc', 'q1'], (old?: Doc) => old && { ...old, mark: 1 })
      expect(q1.now).toBe('m')
      await world.settle()
      for (const read of [...world.net.waiting]) await read.drop()
      await world.advance(5_000)
      expect(q1.now).toBe('m')
      await takeRead(world, 'q1').answer(
        doc('q1', 1, 'm'),
        first.headers?.['sync-cursor'] === undefined ? PLAIN : at(1),
      )
      expect([q1.now, base(world)]).toEqual(['m', 'm'])
    }
  })
})

describe('reads that have lost their positions', () => {
  test('are asked for again once, and then taken: a hydrated position does not end all news', async () => {
    const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } })
    queryClient.setQueryData(['doc', 'q1'], doc('q1', 0))
    Object.assign(queryClient.getQueryState(['doc', 'q1']) ?? {}, { cursor: 'e:7' })
    const world = createWorld({ queryClient })
    world.sync.start()
    const q1 = watchDoc(world, 'q1')
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'a'))
    expect(q1.now).toBe('')
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'a'))
    expect(q1.now).toBe('a')
    expect(reads(world, 'q1')).toBe(2)
  })
})

describe('events with names and without', () => {
  test('a whole value behind a gap contains what it contains, whatever names the event has', async () => {
    for (const mutations of [undefined, []]) {
      const { world, stream, q1 } = await scene(at(0, []))
      world.sync.mutate(push, { token: 'm', to: ['q1'] })
      await world.settle()
      const request = takeWrite(world) // applied at 1; its event is lost
      await stream.send('state', { prev: 'e:1', key: ['doc', 'q1'], value: doc('q1', 2, 'm', 'o'), mutations }, 2)
      for (const read of [...world.net.waiting]) await read.drop()
      expect(q1.now).not.toMatch(/m.*m/)
      await request.answer({}, at(1))
      await world.advance(5_000)
      for (const read of [...world.net.waiting]) await read.answer(doc('q1', 2, 'm', 'o'), at(2, read.names))
      expect(q1.now).toBe('m o')
      expect(q1.shown.some((shown) => /m.*m/.test(shown))).toBe(false)
    }
  })

  test('a push that waited, and is given up, leaves its position: the next is not put onto what lacks it', async () => {
    const { world, stream, q1 } = await scene(at(0, []))
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    const request = takeWrite(world)
    await stream.patch(1, [put(1, 'm')])
    await request.answer({}, PLAIN)
    await stream.patch(2, [put(2, 'm', 'o')], { mutations: [] })
    expect(q1.shown.some((shown) => /m.*m/.test(shown))).toBe(false)
    await world.advance(1000)
    for (const read of [...world.net.waiting]) await read.answer(doc('q1', 2, 'm', 'o'), at(2, read.names))
    expect(q1.now).toBe('m o')
  })

  test('a push that waited is not put over rows that an answer has brought since', async () => {
    const add = adding({ scope: { id: 'b' }, apply: (to, saved) => saved && to.upsert(todoRow, saved) })
    const count = editing({
      scope: { id: 'a' },
      optimistic: (view, { id }) =>
        view.row(todoRow, id).update((row) => {
          row.count = (row.count ?? 0) + 1
        }),
    })
    const { world, stream, todos } = await list({ mutations: [add, count] }, [todo('1', 'a', { version: 1 })], at(0))
    world.sync.mutate(count, { id: '1' })
    await world.settle()
    const slow = take(world, '/edit')
    await stream.patch(1, [putTodo('1', 2, 'a', { count: 1, version: 2 })])
    world.sync.mutate(add, todo('2', 'new'))
    await world.settle()
    await take(world, '/add').answer(todo('2', 'new', { version: 1 }), at(2))
    expect(titles(todos.data)).toBe('a new')
    await slow.answer(undefined, at(1))
    expect(titles(todos.data)).toBe('a new')
    expect(titlesShown(todos)).toEqual(['-', 'a', 'a new'])
  })

  test('events that come together confirm each write at its own position', async () => {
    const world = createWorld({ mutations: [push], ...STREAM })
    world.sync.start()
    await world.settle()
    const q1 = watchDoc(world, 'q1')
    await world.settle()
    const read = takeRead(world, 'q1')
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    const stream = await greet(world)
    await stream.invalidate(1, [['doc', 'q1']], { mutations: [handle.id] })
    await stream.invalidate(2, [['doc', 'q2']], { mutations: [] })
    await read.answer(doc('q1', 1, 'm'), at(1, []))
    await world.settle()
    expect(q1.shown.at(-1)).toBe('m')
    expect(q1.shown.some((shown) => /m.*m/.test(shown))).toBe(false)
  })

  test('of others beside an own echo make stale', async () => {
    const { world, stream, q1 } = await scene(at(0, []))
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] }, at(1, []))
    const connection = stream.connection
    void connection.send('invalidate', { prev: 'e:0', keys: [['doc', 'q1']], mutations: [{ id: handle.id }] }, 'e:1')
    await connection.send('invalidate', { prev: 'e:1', keys: [['doc', 'q1']], mutations: [] }, 'e:2')
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 2, 'm', 'o'), at(2, []))
    expect(q1.now).toBe('m o')
  })

  test('an invalidation beside a patch wins, in either order', async () => {
    for (const first of ['patch', 'invalidate']) {
      const { world, stream, q1 } = await scene(at(0, []))
      const messages = [
        ['patch', { changes: [put(1, 'half')] }],
        ['invalidate', { keys: [['doc', 'q1']] }],
      ] as const
      const ordered = first === 'patch' ? messages : [...messages].reverse()
      for (const [i, [name, data]] of ordered.entries())
        await stream.connection.send(
          name,
          { prev: 'e:0', txn: 't', ...(i === 0 ? { more: true } : {}), ...data },
          i === 0 ? undefined : 'e:1',
        )
      await world.settle()
      expect(base(world)).toBe('')
      await takeRead(world, 'q1').answer(doc('q1', 1, 'whole'), at(1, []))
      expect(q1.shown).toEqual(['-', '', 'whole'])
    }
  })
})

describe('names in an answer of rows', () => {
  test('cover those rows only: a row that was deleted does not come back', async () => {
    const remove = removing()
    const edit = editing({ apply: (to, saved) => saved && to.upsert(todoRow, saved) })
    const { world, todos } = await list({ mutations: [remove, edit] }, [todo('a', 'a'), todo('b', 'b')], at(0, []))
    const removal = world.sync.mutate(remove, 'b')
    world.sync.mutate(edit, { id: 'a', title: 'new' })
    await world.settle()
    await take(world, '/remove').answer(undefined, at(1, []))
    await world.settle()
    await take(world, '/edit').answer(todo('a', 'new'), at(2, [removal.id]))
    expect(titles(todos.data)).toBe('new')
    await world.settle()
    for (const read of [...world.net.waiting]) await read.answer([todo('a', 'new')], at(2, read.names))
    expect(titlesShown(todos)).toEqual(['-', 'a b', 'a', 'new'])
  })
})

describe('a log that begins anew', () => {
  test('what waits in it for an answer of the old one is read again', async () => {
    const { world, q1 } = await scene(at(0))
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    const request = takeWrite(world)
    await world.net.stream().close()
    await world.advance(3_000)
    await greet(world, { epoch: 'f', resume: 'reset' })
    await world.advance(1_000)
    for (const read of [...world.net.waiting])
      await read.answer(doc('q1', 1, 'm'), { headers: { 'sync-cursor': 'f:0' } })
    await request.answer({}, at(1))
    await world.advance(1_000)
    for (const read of [...world.net.waiting])
      await read.answer(doc('q1', 1, 'm'), { headers: { 'sync-cursor': 'f:0' } })
    expect(q1.now).toBe('m')
    expect(q1.shown.some((shown) => /m.*m/.test(shown))).toBe(false)
  })

  test('its events are not put onto a base of the old one', async () => {
    const { world, q1 } = await scene(at(7))
    await world.net.stream().close()
    await world.advance(3_000)
    const stream = await greet(world, { epoch: 'f', resume: 'reset' })
    await world.advance(1_000)
    for (const read of [...world.net.waiting]) await read.drop()
    await stream.patch(1, [put(9, 'o')], { mutations: [] })
    expect(world.sync.queryClient.getQueryState(['doc', 'q1'])).toMatchObject({ cursor: 'e:7', isInvalidated: true })
    await world.advance(5_000)
    await takeRead(world, 'q1').answer(doc('q1', 9, 'lost', 'o'), { headers: { 'sync-cursor': 'f:1' } })
    expect(q1.shown).toEqual(['-', '', 'lost o'])
  })
})

test('a read of the old log that waits is dropped by one of the new log, also over data of the application', async () => {
  const { world, q1 } = await scene(at(0, []))
  void world.sync.queryClient.invalidateQueries({ queryKey: ['doc', 'q1'] })
  await world.settle()
  world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  const [write, read] = [takeWrite(world), takeRead(world, 'q1')]
  world.sync.queryClient.setQueryData(['doc', 'q1'], doc('q1', 1))
  await read.answer(doc('q1', 1), at(0, []))
  await world.advance(1_000)
  const headers = { 'sync-cursor': 'f:0', 'sync-reflects': write.id ?? '' }
  await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), { headers })
  expect([q1.now, world.sync.getBase(['doc', 'q1'])]).toEqual(['m', doc('q1', 1, 'm')])
})

describe('what makes a query stale', () => {
  test('outlives a read that fails: it is read again while somebody watches', async () => {
    const { world, stream, q1 } = await scene(at(0, []))
    await stream.invalidate(1, [['doc', 'q1']], { mutations: [] })
    await takeRead(world, 'q1').answer({}, { status: 500 })
    await world.advance(2_000)
    await takeRead(world, 'q1').drop()
    await world.advance(4_000)
    await takeRead(world, 'q1').answer(doc('q1', 1, 'o'), at(1, []))
    expect(q1.now).toBe('o')
    await world.advance(60_000)
    expect(world.net.waiting).toEqual([])
  })

  test.each([
    ['throws an error of its own', (status: number) => new Error(`answered ${status}`)],
    ['throws the answer', (status: number) => Object.assign(new Error('no'), { status })],
  ])('outlives a read that the server refuses, and is not asked again by itself: queryFn %s', async (_, errorOf) => {
    const query = queryOptions({
      queryKey: ['doc', 'q1'],
      queryFn: async ({ fetch }) => {
        const answer = await fetch('/doc/q1')
        if (!answer.ok) throw errorOf(answer.status)
        return (await answer.json()) as Doc
      },
    })
    const world = createWorld({ ...STREAM })
    world.sync.start()
    const stream = await greet(world)
    const q1 = world.watch<Doc>(query)
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 0), at(0))
    await stream.invalidate(1, [['doc', 'q1']], { mutations: [] })
    await takeRead(world, 'q1').answer({}, { status: 403 })
    await world.advance(30_000)
    expect(world.net.waiting).toEqual([])
    expect(world.sync.queryClient.getQueryState(['doc', 'q1'])?.isInvalidated).toBe(true)
    await stream.invalidate(2, [['doc', 'q1']], { mutations: [] })
    await takeRead(world, 'q1').answer({}, { status: 503 })
    await world.advance(5_000)
    await takeRead(world, 'q1').answer(doc('q1', 2, 'o'), at(2))
    expect(q1.data?.tokens).toEqual(['o'])
  })

  test('outlives a read that ends because nobody watches any more', async () => {
    const { world, stream, q1 } = await scene(at(0, []))
    void world.sync.queryClient.refetchQueries({ queryKey: ['doc', 'q1'] })
    await world.settle()
    await stream.invalidate(1, [['doc', 'q1']], { mutations: [] })
    q1.stop()
    await world.settle()
    const again = watchDoc(world, 'q1')
    await world.settle()
    for (const read of [...world.net.waiting]) await read.answer(doc('q1', 1, 'o'), at(1, []))
    expect(again.now).toBe('o')
  })
})

test('rows that stand in a base of which they are not known keep their layer, and are read', async () => {
  const edit = editing({
    apply: (to, saved) =>
      saved && to.update(todosQuery.queryKey, (rows) => rows.map((row) => (row.id === saved.id ? saved : row))),
  })
  const { world, stream, todos } = await list({ mutations: [edit] }, [todo('1', 'a'), todo('2', 'b')], at(0, []))
  await world.settle()
  world.sync.mutate(edit, { id: '1', title: 'mine' })
  await world.settle()
  // Somebody else has written at 1; the answer is of 2, and brings one row.
  await take(world, '/edit').answer(todo('1', 'mine'), at(2, []))
  await stream.patch(1, [putTodo('2', 1, 'theirs')], { mutations: [] })
  await world.advance(1_000)
  for (const read of [...world.net.waiting])
    await read.answer([todo('1', 'mine'), todo('2', 'theirs')], at(2, read.names))
  expect(titles(todos.data)).toBe('mine theirs')
})

describe('answers that overtake each other', () => {
  test('an earlier one writes nothing over what a later one has brought', async () => {
    const edit = editing({
      apply: (to, saved) =>
        saved &&
        to.update(todosQuery.queryKey, (rows) => rows.map((row) => (row.id === saved.id ? { ...row, ...saved } : row))),
    })
    const { world, stream, todos } = await list({ mutations: [edit] }, [todo('1', 'a')], at(0, []))
    const first = world.sync.mutate(edit, { id: '1', title: 'first' })
    const second = world.sync.mutate(edit, { id: '1', done: true })
    await world.settle()
    const from = todos.values.length
    const slow = take(world, '/edit')
    await stream.ack(1, [first.id]) // the stream is faster than the answer, so the second goes
    const quick = take(world, '/edit')
    await quick.answer(todo('1', 'first', { done: true }), at(2, [first.id]))
    await second.confirmed
    await slow.answer(todo('1', 'first', { done: false }), at(1, []))
    await first.confirmed
    expect(todos.data).toEqual([todo('1', 'first', { done: true })])
    await world.settle()
    for (const read of [...world.net.waiting])
      await read.answer([todo('1', 'first', { done: true })], at(2, read.names))
    expect(todos.values.slice(from - 1).every((rows) => rows?.[0]?.done === true)).toBe(true)
  })

  test('a row that was made and deleted does not come back when only the deletion has a position', async () => {
    const [add, remove] = [adding(), removing()]
    const world = createWorld({ mutations: [add, remove] })
    world.sync.start()
    const todos = world.watch<Todo[]>(todosQuery)
    await world.settle()
    const early = world.net.take('GET', '/todos') // asked for before both
    world.sync.mutate(add, todo('1', 'made'))
    world.sync.mutate(remove, '1')
    await world.settle()
    await take(world, '/add').answer(undefined, PLAIN)
    await world.settle()
    await early.answer([], at(2))
    expect(titles(todos.data)).toBe('')
    await take(world, '/remove').answer(undefined, at(2))
    expect(titles(todos.data)).toBe('')
    await world.settle()
    for (const read of [...world.net.waiting]) await read.answer([], at(2))
    expect(titlesShown(todos)).toEqual(['-', ''])
  })
})

test('a read without a position that began before an event is made again, though the application has set data since', async () => {
  const { world, stream, q1 } = await scene(at(0))
  void world.sync.queryClient.refetchQueries({ queryKey: docQuery('q1').queryKey })
  await world.settle()
  const before = takeRead(world, 'q1')
  await stream.patch(1, [put(1, 'theirs')], { mutations: [] })
  expect(q1.now).toBe('theirs')
  world.sync.queryClient.setQueryData(docQuery('q1').queryKey, (old) => old && { ...old })
  await before.answer(doc('q1', 0), PLAIN)
  await takeRead(world, 'q1').answer(doc('q1', 1, 'theirs'), PLAIN)
  expect(q1.now).toBe('theirs')
  expect(reads(world, 'q1')).toBe(3)
})

describe('what the application sets for answers without positions is not undone by an event that does not say whose it is', () => {
  const set = (rows: Todo[]) => ({
    invalidates: () => [],
    apply: (to: { set(key: readonly unknown[], rows: never): void }) => to.set(todosQuery.queryKey, rows as never),
  })

  test('a whole value from before', async () => {
    const [add, remove] = [adding(set([todo('1', 'a'), todo('2', 'made')])), removing(set([todo('1', 'a')]))]
    const { world, stream, todos } = await list({ mutations: [add, remove] }, [todo('1', 'a')], at(0))
    world.sync.mutate(add, todo('2', 'made'))
    world.sync.mutate(remove, '2')
    await world.settle()
    await take(world, '/add').answer(todo('2', 'made'), PLAIN)
    await world.settle()
    await take(world, '/remove').answer(todo('2', 'made'), PLAIN)
    const from = todos.values.length
    await stream.send('state', { key: todosQuery.queryKey, value: [todo('1', 'a'), todo('2', 'made')] }, 1)
    await world.advance(2_000)
    for (let n = 0; n < 2; n++) for (const read of [...world.net.waiting]) await read.answer([todo('1', 'a')], at(2))
    // Read past both, base follows the stream again.
    await stream.send('state', { key: todosQuery.queryKey, value: [todo('1', 'b')] }, 3)
    expect(todos.values.slice(from).map(titles)).toEqual(['b'])
  })

  test('a row from before', async () => {
    const edit = editing(set([todo('1', 'mine')]))
    const { world, stream, todos } = await list({ mutations: [edit] }, [todo('1', 'a')], at(0))
    world.sync.mutate(edit, { id: '1', title: 'mine' })
    await world.settle()
    await take(world, '/edit').answer(todo('1', 'mine'), PLAIN)
    const from = todos.values.length
    await stream.patch(1, [putTodo('1', 1, 'theirs')])
    await world.advance(2_000)
    for (const read of [...world.net.waiting]) await read.answer([todo('1', 'mine')], at(2))
    await stream.patch(3, [putTodo('1', 3, 'b')])
    expect(todos.values.slice(from).map(titles)).toEqual(['b'])
  })
})
