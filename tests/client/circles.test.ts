// Data and variables that refer to themselves, or are deeper than data is: no stack overflows, and nothing is refused that
// TanStack takes.
import { createQueryStore, defineMutation, isSyncError, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'
import { adding, loadTodos, titles, todo, todosQuery } from '../kit/todos'
import { createWorld } from '../kit/world'

interface Node {
  name: string
  parent?: Node
  children: Node[]
}

function tree(name: string): Node {
  const root: Node = { name, children: [] }
  root.children.push({ name: 'leaf', parent: root, children: [] })
  return root
}

function deep(levels: number): unknown {
  let value: unknown = 'end'
  for (let i = 0; i < levels; i++) value = { value }
  return value
}

const nodeQuery = queryOptions({ queryKey: ['tree'], queryFn: async () => tree('fetched') })

test('data that refers to itself is shown, and put in again', async () => {
  const world = createWorld()
  world.sync.start()
  const store = createQueryStore(world.sync, nodeQuery)
  const stop = store.subscribe(() => {})
  await world.settle()
  expect(store.getState().data?.children[0]?.parent?.name).toBe('fetched')
  for (const name of ['fetched', 'fetched', 'other']) {
    world.sync.queryClient.setQueryData(['tree'], tree(name))
    expect(store.getState().data?.children[0]?.parent?.name).toBe(name)
  }
  expect(world.reports).toEqual([])
  stop()
})

test('a recipe changes data that refers to itself', async () => {
  const rename = defineMutation({
    mutationKey: ['rename'],
    mutationFn: () => new Promise(() => {}),
    optimistic: (view) =>
      view.update(nodeQuery.queryKey, (draft) => {
        draft.name = 'shown'
      }),
  })
  const world = createWorld({ mutations: [rename] })
  world.sync.start()
  world.sync.queryClient.setQueryData(['tree'], tree('old'))
  world.sync.mutate(rename)
  expect(world.sync.getView(nodeQuery.queryKey)?.name).toBe('shown')
  expect(world.sync.getBase(nodeQuery.queryKey)?.name).toBe('old')
  expect(world.reports).toEqual([])
})

test('data that is very deep is shown, and put in again', () => {
  const world = createWorld()
  for (let i = 0; i < 2; i++) world.sync.queryClient.setQueryData(['deep'], deep(20_000))
  expect(world.sync.getView(['deep'])).toBe(world.sync.getBase(['deep']))
})

test.each<[string, () => unknown, RegExp]>([
  ['refer to themselves', () => tree('x'), /children\[0\]\.parent refers to itself/],
  ['are very deep', () => deep(100_000), /is more than 500 levels deep/],
])('variables that %s are a usage error, and change nothing', async (_, make, message) => {
  const add = adding()
  const world = createWorld({ mutations: [add] })
  world.sync.start()
  const list = await loadTodos(world, [todo('a', 'one')])
  const variables = { id: 'b', title: 'two', more: make() }
  let thrown: unknown
  try {
    world.sync.mutate(add, variables)
  } catch (error) {
    thrown = error
  }
  expect(isSyncError(thrown, 'usage')).toBe(true)
  expect((thrown as Error).message).toMatch(message)
  expect((thrown as Error).message.length).toBeLessThan(400)
  expect(titles(list.data)).toBe('one')
  expect(world.sync.getBase(todosQuery.queryKey)).toHaveLength(1)
  expect(world.sync.outbox.getState().entries).toEqual([])
})
