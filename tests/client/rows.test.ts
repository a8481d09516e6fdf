// A store of one row shows what the views of its queries show of it, and hears of nothing else.
import fc from 'fast-check'
import type { SyncClient } from 'tidemark'
import { createRowStore, defineMutation, syncStream } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { at } from '../kit/docs'
import { greet } from '../kit/stream'
import type { Todo } from '../kit/todos'
import { adding, editing, loadTodos, removing, take, todo, todoQuery, todoRow, todosQuery } from '../kit/todos'
import { createWorld } from '../kit/world'

const [add, edit, remove] = [adding(), editing(), removing()]
const shout = defineMutation({
  mutationKey: ['shout'],
  mutationFn: () => new Promise<never>(() => {}),
  optimistic: (view) =>
    view.update(todosQuery.queryKey, (rows) => {
      for (const row of rows) row.title = row.title.toUpperCase()
    }),
})
const ALL = { mutations: [add, edit, remove, shout] }

/** The titles of a row, at first and whenever its subscribers hear of it. */
function heard(sync: SyncClient, id: string): Array<string | undefined> {
  const store = createRowStore(sync, todoRow, id)
  const titles = [store.getState()?.title]
  store.subscribe((row, before) => {
    expect(before?.title).toBe(titles.at(-1))
    titles.push(row?.title)
  })
  return titles
}

describe('a store of a row', () => {
  test('hears in the turn of a write to the row, and of no other', async () => {
    const world = createWorld(ALL)
    const store = createRowStore(world.sync, todoRow, '1')
    expect(store.getState()).toBeUndefined()
    await loadTodos(world, [todo('1', 'a'), todo('2', 'b')])
    const [one, two] = [heard(world.sync, '1'), heard(world.sync, '2')]
    const handle = world.sync.mutate(edit, { id: '1', title: 'mine' })
    expect([one, two]).toEqual([['a', 'mine'], ['b']])
    expect(store.getState()).toBe(world.sync.getView(todosQuery.queryKey)?.[0])
    handle.cancel()
    expect([one, two]).toEqual([['a', 'mine', 'a'], ['b']])
    expect(store.getInitialState()).toBeUndefined()
    expect(createRowStore(world.sync, todoRow, '1').getInitialState()).toEqual(todo('1', 'a'))
  })

  test('shows a row that a write makes or takes, also where no query has it', async () => {
    const world = createWorld(ALL)
    const made = heard(world.sync, '3')
    world.sync.start()
    await world.settle()
    const handle = world.sync.mutate(add, todo('3', 'new'))
    await loadTodos(world, [todo('1', 'a')])
    const one = heard(world.sync, '1')
    world.sync.mutate(remove, '1')
    expect([made, one]).toEqual([
      [undefined, 'new'],
      ['a', undefined],
    ])
    await take(world, '/add').answer({}, { status: 422 })
    await handle.confirmed.catch(() => {})
    expect(made).toEqual([undefined, 'new', undefined])
  })

  test('hears of pushes, reads, data that is set, and of its last query that leaves the cache', async () => {
    const world = createWorld({ ...ALL, stream: syncStream({ url: '/sync', pollInterval: false }) })
    world.sync.start()
    const stream = await greet(world)
    const list = await loadTodos(world, [todo('1', 'a'), todo('2', 'b')], at(0))
    const [one, two] = [heard(world.sync, '1'), heard(world.sync, '2')]
    await stream.patch(1, [{ op: 'put', type: 'todo', id: '1', version: 1, value: todo('1', 'pushed') }])
    expect([one, two]).toEqual([['a', 'pushed'], ['b']])
    void world.sync.queryClient.refetchQueries({ queryKey: todosQuery.queryKey })
    await world.settle()
    await world.net.take('GET', '/todos').answer([todo('1', 'pushed'), todo('2', 'read')], at(2))
    world.sync.queryClient.setQueryData(todosQuery.queryKey, [todo('1', 'set'), todo('2', 'read')])
    list.stop()
    world.sync.queryClient.removeQueries({ queryKey: todosQuery.queryKey })
    expect([one, two]).toEqual([
      ['a', 'pushed', 'set', undefined],
      ['b', 'read', undefined],
    ])
  })

  test('shows the newest copy, by its version, with the writes that this copy lacks', async () => {
    const world = createWorld(ALL)
    await loadTodos(world, [todo('1', 'old', { version: 1 })])
    const one = heard(world.sync, '1')
    world.watch(todoQuery('1'))
    await world.settle()
    await world.net.take('GET', '/todos/1').answer(todo('1', 'new', { version: 2 }))
    expect(one).toEqual(['old', 'new'])
    world.sync.mutate(edit, { id: '1', done: true })
    expect(createRowStore(world.sync, todoRow, '1').getState()).toEqual({
      ...todo('1', 'new', { version: 2 }),
      done: true,
    })
  })

  test('of copies whose versions say nothing it shows the one that came later', async () => {
    const world = createWorld(ALL)
    await loadTodos(world, [todo('1', 'old')])
    const one = heard(world.sync, '1')
    world.watch({ ...todosQuery, queryKey: ['todos', 'again'] })
    await world.settle()
    await world.net.take('GET', '/todos').answer([todo('1', 'new')])
    expect(one).toEqual(['old', 'new'])
  })

  test('folds no list for it: a write to a row of 100 000 that nobody watches runs its recipe once', async () => {
    let runs = 0
    const counted = defineMutation({
      mutationKey: ['counted'],
      mutationFn: () => new Promise<never>(() => {}),
      optimistic: (view) =>
        view.row(todoRow, '7').update((row) => {
          row.title += ++runs
        }),
    })
    const world = createWorld({ mutations: [counted], platform: { development: false } })
    const rows = Array.from({ length: 100_000 }, (_, n) => todo(String(n), 'x'))
    world.sync.queryClient.setQueryDefaults(todosQuery.queryKey, todosQuery as never)
    world.sync.queryClient.setQueryData(todosQuery.queryKey, rows)
    const one = heard(world.sync, '7')
    world.sync.mutate(counted)
    expect([one, runs]).toEqual([['x', 'x1'], 1])
    expect(world.sync.getView(todosQuery.queryKey)?.[7]).toBe(createRowStore(world.sync, todoRow, '7').getState())
    expect(runs).toBe(1)
  })

  test.each([
    ['no client', () => createRowStore({ queryClient: {} }, todoRow, '1'), 'needs a sync client'],
    ['the name of a kind', (sync: SyncClient) => createRowStore(sync, 'todo' as never, '1'), 'needs an entity'],
    [
      'no id',
      (sync: SyncClient) => createRowStore(sync, todoRow, undefined as never),
      'needs the id of a row of "todo"',
    ],
  ])('says so when it is given %s', (_, make, words) => {
    expect(() => make(createWorld().sync)).toThrow(words)
  })
})

type Step = ['edit' | 'add' | 'remove' | 'cancel' | 'refuse' | 'confirm' | 'push' | 'read' | 'set' | 'shout', number]
const steps = fc.array(
  fc.tuple(
    fc.constantFrom('edit', 'add', 'remove', 'cancel', 'refuse', 'confirm', 'push', 'read', 'set', 'shout'),
    fc.nat(4),
  ) as fc.Arbitrary<Step>,
  { maxLength: 25 },
)

test('is at every moment the row of the view, whatever happens to the list (the slow way)', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (script, isWatched) => {
      const world = createWorld({ ...ALL, stream: syncStream({ url: '/sync', pollInterval: false }) })
      world.sync.start()
      const stream = await greet(world)
      let rows = [todo('0', 'a'), todo('1', 'b')]
      const list = await loadTodos(world, rows, at(0))
      if (!isWatched) list.stop()
      const ids = ['0', '1', '2', '3', '4']
      const told = ids.map((id) => heard(world.sync, id))
      const handles: Array<{ cancel(): boolean }> = []
      let position = 0
      for (const [what, n] of script) {
        const [id, title] = [String(n), `${what} ${position}`]
        if (what === 'edit') handles.push(world.sync.mutate(edit, { id, title }))
        if (what === 'add') handles.push(world.sync.mutate(add, todo(id, title)))
        if (what === 'remove') handles.push(world.sync.mutate(remove, id))
        if (what === 'shout') handles.push(world.sync.mutate(shout))
        if (what === 'cancel') handles[n]?.cancel()
        await world.settle()
        const sent = world.net.waiting.find(({ method }) => method === 'POST')
        const read = world.net.waiting.find(({ method }) => method === 'GET')
        if (what === 'refuse') await sent?.answer({}, { status: 422 })
        if (what === 'confirm') await sent?.answer(undefined, at(++position))
        if (what === 'read') await read?.answer(rows, at(position))
        if (what === 'set') world.sync.queryClient.setQueryData(todosQuery.queryKey, rows.slice(n % 2))
        if (what === 'push') {
          rows = rows.map((row) => (row.id === id ? { ...row, title } : row))
          await stream.patch(++position, [{ op: 'put', type: 'todo', id, version: position, value: todo(id, title) }])
        }
        const view: readonly Todo[] = world.sync.getView(todosQuery.queryKey) ?? []
        for (const [i, each] of ids.entries()) {
          const row = view.find((one) => one.id === each)
          expect(createRowStore(world.sync, todoRow, each).getState(), `${what} ${n}: ${each}`).toEqual(row)
          expect(told[i]?.at(-1), `${what} ${n}: told of ${each}`).toBe(row?.title)
        }
      }
    }),
    { numRuns: 300 },
  )
})
