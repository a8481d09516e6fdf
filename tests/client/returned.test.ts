// What functions of the application return counts: the answer of a fetch of its own, a promise where none is meant.
import type { View } from 'tidemark'
import { defineMutation } from 'tidemark'
import { expect, test } from 'vitest'
import { adding, loadTodos, take, titles, todo, todoRow, todosQuery } from '../kit/todos'
import { createWorld } from '../kit/world'

const answering = (response: () => Response) =>
  defineMutation<string, unknown>({ mutationKey: ['m'], mutationFn: async () => response() })

async function outcomeOf(response: () => Response) {
  const mutation = answering(response)
  const world = createWorld({ mutations: [mutation] })
  world.sync.start()
  const handle = world.sync.mutate(mutation, 'x')
  await world.settle()
  return { world, handle }
}

test('mutationFn that resolves with a 422 of its own fetch is refused', async () => {
  const { handle } = await outcomeOf(() => new Response('no', { status: 422 }))
  await expect(handle.confirmed).rejects.toMatchObject({ code: 'rejected', status: 422 })
})

test('mutationFn that resolves with a 500 of its own fetch is tried again', async () => {
  const answers = [500, 503, 200]
  const { handle, world } = await outcomeOf(() => new Response('{}', { status: answers.shift() ?? 200 }))
  expect(world.sync.outbox.getState().entries).toMatchObject([{ status: 'uncertain', failure: { status: 500 } }])
  await world.advance(10_000)
  await expect(handle.confirmed).resolves.toMatchObject({ status: 200 })
})

test('mutationFn that resolves with an opaque answer is confirmed: nothing is known of its status', async () => {
  const opaque = {
    type: 'opaque',
    ok: false,
    status: 0,
    headers: new Headers(),
    json: () => Promise.reject(),
    body: null,
  }
  const { handle } = await outcomeOf(() => opaque as unknown as Response)
  await expect(handle.confirmed).resolves.toBe(opaque)
})

/** As a query builder is: it does its work when it is awaited, which nobody may do here. */
const thenable = {
  // biome-ignore lint/suspicious/noThenProperty: that is what it is
  then() {
    throw new Error('awaited')
  },
}

test.each<[string, (view: View) => unknown]>([
  [
    'a promise',
    async (view) => {
      view.insert(todosQuery.queryKey, todoRow, todo('a', 'before'))
      await undefined
      view.insert(todosQuery.queryKey, todoRow, todo('b', 'after'))
    },
  ],
  [
    'a thenable',
    (view) => {
      view.insert(todosQuery.queryKey, todoRow, todo('a', 'before'))
      return thenable
    },
  ],
])('optimistic that returns %s shows what it recorded at once, is reported and is sent', async (_, optimistic) => {
  const add = adding({ optimistic: optimistic as never })
  const world = createWorld({ mutations: [add] })
  world.sync.start()
  const list = await loadTodos(world, [])
  world.sync.mutate(add, todo('a', 'before'))
  await world.settle()
  expect(titles(list.data)).toBe('before')
  expect(world.reports.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    expect.stringMatching(
      /^recipe: "optimistic" of mutation \["todos","add"\] returned a promise: what it records after/,
    ),
  ])
  expect(take(world, '/add').body).toEqual(todo('a', 'before'))
})

test('apply that returns a promise is reported, and what it recorded at once counts', async () => {
  const add = adding({
    apply: (async (base: View, saved: object) => base.upsert(todosQuery.queryKey, todoRow, saved as never)) as never,
  })
  const world = createWorld({ mutations: [add] })
  world.sync.start()
  const list = await loadTodos(world, [todo('a', 'old')])
  world.sync.mutate(add, todo('a', 'mine'))
  await world.settle()
  await take(world, '/add').answer(todo('a', 'theirs'))
  expect(titles(list.data)).toBe('theirs')
  expect(world.reports.map(({ message }) => message)).toEqual([expect.stringMatching(/^"apply" of mutation/)])
})

test('a recipe that returns a promise is skipped and reported with the reason', async () => {
  const add = adding({ optimistic: ((view: View) => view.update(['todos'], (async () => []) as never)) as never })
  const world = createWorld({ mutations: [add] })
  world.sync.start()
  const list = await loadTodos(world, [todo('a', 'one')])
  world.sync.mutate(add, todo('b', 'two'))
  expect(titles(list.data)).toBe('one')
  expect(world.reports).toMatchObject([
    { code: 'recipe', cause: { message: expect.stringMatching(/returned a promise/) } },
  ])
})
