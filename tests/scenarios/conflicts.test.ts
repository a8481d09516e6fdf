// 409 and 412: the id's outcome is 'not applied'; what comes next is the mutation's policy.
import type { ConflictContext, DefinedMutation, MutationDefinition } from 'tidemark'
import { defineMutation, memoryStorage } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { at } from '../kit/docs'
import type { Sent } from '../kit/network'
import type { Todo } from '../kit/todos'
import { loadTodos, take, titles, titlesShown, todo, todoRow } from '../kit/todos'
import type { Watch, World } from '../kit/world'
import { createWorld } from '../kit/world'

type Change = Partial<Todo> & { id: string }
type Edit = DefinedMutation<Change, Todo>

const editing = (more: Partial<MutationDefinition<Change, Todo>> = {}): Edit =>
  defineMutation<Change, Todo>({
    mutationKey: ['edit'],
    mutationFn: async (change, { fetch, baseVersion }) => {
      const headers = baseVersion === undefined ? {} : { 'if-match': `"${baseVersion}"` }
      return (await fetch('/edit', { body: JSON.stringify(change), headers })).json() as Promise<Todo>
    },
    optimistic: (view, change) => view.row(todoRow, change.id).update((row) => void Object.assign(row, change)),
    apply: (base, saved) => base.upsert(todoRow, saved),
    ...more,
  })

const mine = { id: '1', title: 'mine' }
const theirs = todo('1', 'theirs', { done: true, version: 2 })
const match = (request: Sent) => request.headers.get('if-match')

async function edited(
  mutation: Edit,
): Promise<{ world: World; list: Watch<Todo[]>; first: Sent; id: string; confirmed: Promise<Todo> }> {
  const world = createWorld({ mutations: [mutation] })
  world.sync.start()
  const list = await loadTodos(world, [todo('1', 'old', { done: false, version: 1 }), todo('2', 'other')], at(1))
  const { id, confirmed } = world.sync.mutate(mutation, mine)
  confirmed.catch(() => {})
  await world.settle()
  return { world, list, first: take(world, '/edit'), id, confirmed }
}

const conflicts = (request: Sent, current: Todo = theirs, cursor = 'e:2') =>
  request.answer(
    { type: '/problems/conflict', current: { version: current.version, value: current }, cursor },
    { status: request.method === 'POST' ? 409 : 500 },
  )
const confirms = (request: Sent, saved: Todo, position: number) => request.answer(saved, at(position))

describe.each([409, 412])('a %i', (status) => {
  test('with rebase, the default, sends the same change on the new version as a new entry at the same place', async () => {
    const { world, list, first, id, confirmed } = await edited(editing())
    expect(match(first)).toBe('"1"')
    const { pos } = world.sync.outbox.getState().entries[0] ?? {}
    await first.answer(
      { type: '/problems/precondition', current: { version: 2, value: theirs }, cursor: 'e:2' },
      { status },
    )
    await world.settle()
    const second = take(world, '/edit')
    expect(second.id).not.toBe(id)
    expect([match(second), second.headers.get('sync-sequence'), second.body]).toEqual(['"2"', '2', mine])
    expect(world.sync.outbox.getState().entries).toMatchObject([{ id: second.id, replaces: id, pos, rounds: 1 }])
    expect(list.data?.[0]).toEqual({ ...theirs, title: 'mine' })
    await confirms(second, { ...theirs, title: 'mine', version: 3 }, 3)
    expect(await confirmed).toMatchObject({ version: 3 })
    expect(titlesShown(list)).toEqual(['-', 'old other', 'mine other'])
    expect(world.sync.outbox.getState().entries).toEqual([])
  })
})

test('rebase with a function computes the variables from what the server has', async () => {
  const append = editing({
    optimistic: (view, change) =>
      view.row(todoRow, change.id).update((row) => {
        row.title = change.title ?? ''
      }),
    rebase: (current, change) => ({ ...change, title: `${(current as Todo).title} and ${change.title}` }),
  })
  const { world, list, first } = await edited(append)
  await conflicts(first)
  await world.settle()
  const second = take(world, '/edit')
  expect(second.body).toEqual({ id: '1', title: 'theirs and mine' })
  expect(titles(list.data)).toBe('theirs and mine other')
  await confirms(second, todo('1', 'theirs and mine', { version: 3 }), 3)
  expect(titlesShown(list)).toEqual(['-', 'old other', 'mine other', 'theirs and mine other'])
})

test('server-wins rejects, and shows what the server has in the same publish', async () => {
  const { world, list, first, confirmed } = await edited(editing({ conflict: 'server-wins' }))
  await conflicts(first)
  await expect(confirmed).rejects.toMatchObject({ code: 'conflict', status: 409 })
  expect(titlesShown(list)).toEqual(['-', 'old other', 'mine other', 'theirs other'])
  await world.advance(60_000)
  expect(world.net.log.filter(({ method }) => method === 'POST')).toHaveLength(1)
})

test('client-wins sends again without the precondition', async () => {
  const { world, list, first } = await edited(editing({ conflict: 'client-wins' }))
  await conflicts(first)
  await world.settle()
  const second = take(world, '/edit')
  expect([match(second), second.body]).toEqual([null, mine])
  await confirms(second, todo('1', 'mine', { version: 3 }), 3)
  expect(titlesShown(list)).toEqual(['-', 'old other', 'mine other'])
})

test('merge keeps the fields that the user changed and takes theirs for the rest', async () => {
  const mutation = editing({ conflict: 'merge' })
  const world = createWorld({ mutations: [mutation] })
  world.sync.start()
  const list = await loadTodos(world, [todo('1', 'old', { done: false, count: 1, version: 1 })], at(1))
  world.sync.mutate(mutation, { id: '1', title: 'mine', done: false, count: 1 })
  await world.settle()
  await conflicts(take(world, '/edit'), todo('1', 'theirs', { done: true, count: 1, version: 2 }))
  await world.settle()
  const second = take(world, '/edit')
  expect(second.body).toEqual({ id: '1', title: 'mine', done: true, count: 1 })
  expect(list.data).toEqual([todo('1', 'mine', { done: true, count: 1, version: 2 })])
})

test('a function is given both sides, and answers with variables, a merged value or a refusal', async () => {
  const seen: Array<ConflictContext<Change>> = []
  const decide = editing({
    conflict: async (context) => {
      seen.push(context)
      if (seen.length === 1) return { variables: { id: '1', title: 'second' } }
      if (seen.length === 2) return { value: { id: '1', title: 'third' } }
      return { reject: true }
    },
  })
  const { world, list, first, confirmed } = await edited(decide)
  await conflicts(first)
  await world.settle()
  const second = take(world, '/edit')
  expect(second.body).toEqual({ id: '1', title: 'second' })
  await conflicts(second, { ...theirs, version: 3 }, 'e:3')
  await world.settle()
  const third = take(world, '/edit')
  expect(third.body).toEqual({ id: '1', title: 'third' })
  await conflicts(third, { ...theirs, version: 4 }, 'e:4')
  await expect(confirmed).rejects.toMatchObject({ code: 'conflict' })
  expect(seen).toMatchObject([
    { base: { title: 'old' }, mine, variables: mine, theirs: { title: 'theirs', version: 2 } },
    { base: { title: 'theirs', version: 2 }, variables: { title: 'second' }, theirs: { version: 3 } },
    { base: { version: 3 }, variables: { title: 'third' }, theirs: { version: 4 } },
  ])
  expect(titles(list.data)).toBe('theirs other')
})

test('a policy that throws rejects', async () => {
  const { first, confirmed } = await edited(
    editing({
      conflict: () => {
        throw new Error('oops')
      },
    }),
  )
  await conflicts(first)
  await expect(confirmed).rejects.toMatchObject({ code: 'conflict', cause: { message: 'oops' } })
})

test('after three rounds it is rejected', async () => {
  const { world, list, first, confirmed } = await edited(editing())
  await conflicts(first)
  for (let round = 1; round <= 3; round++) {
    await world.settle()
    await conflicts(take(world, '/edit'), { ...theirs, version: 2 + round }, `e:${2 + round}`)
  }
  await expect(confirmed).rejects.toMatchObject({ code: 'conflict' })
  await world.advance(60_000)
  expect(world.net.log.filter(({ method }) => method === 'POST')).toHaveLength(4)
  expect(titles(list.data)).toBe('theirs other')
})

describe('manual', () => {
  const manual = editing({ conflict: 'manual' })

  test('parks the scope with both versions until resolve', async () => {
    const { world, list, first, id, confirmed } = await edited(manual)
    world.sync.mutate(manual, { id: '2', title: 'later' })
    await conflicts(first)
    await world.advance(600_000)
    expect(world.sync.outbox.getState().entries).toMatchObject([
      { id, status: 'conflicted', conflict: { base: { title: 'old' }, mine, theirs, version: 2 } },
      { status: 'queued' },
    ])
    expect(titles(list.data)).toBe('mine later')
    expect(world.net.waiting).toEqual([])
    expect(world.sync.resolve(id, { variables: { id: '1', title: 'both' } })).toBe(true)
    await world.settle()
    const second = take(world, '/edit')
    expect([match(second), second.body]).toEqual(['"2"', { id: '1', title: 'both' }])
    await confirms(second, todo('1', 'both', { version: 3 }), 3)
    await confirmed
    await world.settle()
    expect(take(world, '/edit').body).toEqual({ id: '2', title: 'later' })
    expect(world.sync.resolve(id, { reject: true })).toBe(false)
  })

  test('can be given up', async () => {
    const { world, list, first, id, confirmed } = await edited(manual)
    await conflicts(first)
    expect(world.sync.resolve(id, { reject: true })).toBe(true)
    await expect(confirmed).rejects.toMatchObject({ code: 'conflict' })
    expect(titlesShown(list)).toEqual(['-', 'old other', 'mine other', 'theirs other'])
    expect(world.sync.outbox.getState().failed).toMatchObject([{ id }])
  })

  test('is still there after a reload', async () => {
    const storage = memoryStorage()
    const before = createWorld({ mutations: [manual], storage })
    before.sync.start()
    await loadTodos(before, [todo('1', 'old', { version: 1 })], at(1))
    const { id } = before.sync.mutate(manual, mine)
    await before.settle()
    await conflicts(take(before, '/edit'))
    await before.settle()
    before.sync.stop()
    const world = createWorld({ mutations: [manual], storage, seed: 2 })
    world.sync.start()
    const list = await loadTodos(world, [theirs], at(2))
    expect(world.sync.outbox.getState().entries).toMatchObject([{ id, status: 'conflicted', conflict: { theirs } }])
    expect(titles(list.data)).toBe('mine')
    world.sync.resolve(id, { value: { id: '1', title: 'both' } })
    await world.settle()
    await confirms(take(world, '/edit'), todo('1', 'both', { version: 3 }), 3)
    expect(titles(list.data)).toBe('both')
  })
})

test('a base that waited for the refused id is published with the replacement on top', async () => {
  const push = editing({
    optimistic: (view, change) =>
      view.row(todoRow, change.id).update((row) => {
        row.count = (row.count ?? 0) + 1
      }),
  })
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const list = await loadTodos(world, [todo('1', 'a', { count: 0, version: 1 })], at(1))
  world.sync.mutate(push, { id: '1' })
  await world.settle()
  void world.sync.queryClient.refetchQueries({ queryKey: ['todos'] })
  await world.settle()
  await world.net.take('GET').answer([todo('1', 'a', { count: 10, version: 2 })], at(2))
  expect(list.data?.[0]?.count).toBe(1)
  await take(world, '/edit').answer({ type: '/problems/conflict' }, { status: 409 })
  await world.settle()
  expect(list.data?.[0]?.count).toBe(11)
  expect(list.values.map((rows) => rows?.[0]?.count)).toEqual([undefined, 0, 1, 11])
})

test('what builds on a replaced entry waits for the replacement', async () => {
  const add = defineMutation<Todo, unknown>({
    mutationKey: ['add'],
    mutationFn: async (row, { fetch }) => (await fetch('/add', { body: JSON.stringify(row) })).json(),
    optimistic: (view, row) => view.insert(['todos'], todoRow, row),
    scope: { id: 'add' },
  })
  const edit = editing({ scope: { id: 'edit' } })
  const world = createWorld({ mutations: [add, edit] })
  world.sync.start()
  await loadTodos(world, [], at(0))
  world.sync.mutate(add, todo('n', 'new'))
  world.sync.mutate(edit, { id: 'n', title: 'newer' })
  await world.settle()
  await take(world, '/add').answer({ type: '/problems/conflict' }, { status: 409 })
  await world.settle()
  expect(world.net.log.filter(({ url }) => url === '/edit')).toEqual([])
  await take(world, '/add').answer({}, at(1))
  await world.settle()
  expect(take(world, '/edit').body).toEqual({ id: 'n', title: 'newer' })
})

test('a second change of a row is not in conflict with the first', async () => {
  const edit = editing({ conflict: 'server-wins' })
  const world = createWorld({ mutations: [edit] })
  world.sync.start()
  const list = await loadTodos(world, [todo('1', 'old', { version: 1 })], at(1))
  world.sync.mutate(edit, { id: '1', title: 'a' })
  world.sync.mutate(edit, { id: '1', title: 'b' })
  await world.settle()
  await confirms(take(world, '/edit'), todo('1', 'a', { version: 2 }), 2)
  await world.settle()
  const second = take(world, '/edit')
  expect(match(second)).toBe('"2"')
  await confirms(second, todo('1', 'b', { version: 3 }), 3)
  expect(titlesShown(list)).toEqual(['-', 'old', 'a', 'b'])
})

describe('a 409 that nobody can read', () => {
  test('of a first attempt is asked again under its key too: a browser may have sent the request twice', async () => {
    const { world, first, id, confirmed } = await edited(editing())
    await first.answer(undefined, { status: 409 })
    await world.advance(61_000)
    const again = take(world, '/edit')
    expect(again.id).toBe(id)
    await confirms(again, todo('1', 'mine'), 2)
    expect(await confirmed).toMatchObject({ title: 'mine' })
  })

  test('of a write that was sent before is asked again under its key: it may be in progress, or applied', async () => {
    const { world, first, id, confirmed } = await edited(editing())
    await first.drop()
    for (let asked = 0; asked < 2; asked++) {
      await world.advance(61_000)
      const again = take(world, '/edit')
      expect(again.id).toBe(id)
      await again.answer(undefined, { status: 409 })
    }
    await world.advance(61_000)
    const last = take(world, '/edit')
    expect(last.id).toBe(id)
    await confirms(last, todo('1', 'mine'), 2)
    expect(await confirmed).toMatchObject({ title: 'mine' })
  })

  test('is a conflict in the end', async () => {
    const { world, first, id } = await edited(editing())
    await first.drop()
    for (let asked = 0; asked < 4; asked++) {
      await world.advance(61_000)
      const again = take(world, '/edit')
      expect(again.id).toBe(id)
      await again.answer(undefined, { status: 409 })
    }
    await world.settle()
    expect(take(world, '/edit').id).not.toBe(id)
  })
})
