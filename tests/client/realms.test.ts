// What another realm made, as in a frame or in Jest (whose tests run beside Node's own `Object`, `Promise` and `Error`):
// rows of `Response.json()`, copies of `structuredClone`, errors of `fetch`.
import { runInNewContext } from 'node:vm'
import { createSyncClient, defineMutation, entity, queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'

interface Todo {
  id: string
  title: string
  tags?: { name: string }[]
}

/** The same value, made in another realm. */
const foreign = <T>(value: T): T => runInNewContext(`(${JSON.stringify(value)})`) as T

const todoRow = entity<Todo>('todo')
const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: async () => [foreign<Todo>({ id: '1', title: 'Milk' })],
  rows: [todoRow, (todos) => todos, { where: () => true }],
})
const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: (todo: Todo, { fetch }) =>
    fetch('/todos', { body: JSON.stringify(todo) }).then((answer): Promise<Todo> => answer.json()),
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
})

describe('a value of another realm', () => {
  test('is taken as the variables of a mutation, however deep it is', async () => {
    const bodies: string[] = []
    const fetch = async (_: string, init?: RequestInit) => {
      bodies.push(String(init?.body))
      return Response.json({ id: '2', title: 'Bread' })
    }
    const sync = createSyncClient({ mutations: [addTodo], platform: { fetch } })
    const stop = sync.start()
    await sync.queryClient.fetchQuery(todosQuery)
    const todo = foreign<Todo>({ id: '2', title: 'Bread', tags: [{ name: 'food' }] })
    const { confirmed } = sync.mutate(addTodo, todo)
    expect(sync.getView(todosQuery.queryKey)).toEqual([{ id: '1', title: 'Milk' }, todo])
    await confirmed
    expect(bodies.map((body) => JSON.parse(body))).toEqual([todo])
    stop()
  })

  test('is not taken where it is a class instance', () => {
    const sync = createSyncClient({ mutations: [addTodo] })
    const made = runInNewContext(`new (class Todo { id = '1'; title = 'Milk' })()`) as Todo
    expect(() => sync.mutate(addTodo, made)).toThrow(/variables is a Todo, which JSON does not keep/)
    const date = runInNewContext(`({ id: '1', title: new Date(0) })`) as Todo
    expect(() => sync.mutate(addTodo, date)).toThrow(/variables\.title is a Date/)
  })
})

test('a lost connection is one whoever made the error: the write waits and is sent again', async () => {
  let lost = true
  const sendTodo = defineMutation({
    mutationKey: ['todos', 'send'],
    mutationFn: async (todo: Todo): Promise<Todo> => {
      if (lost) throw runInNewContext(`new TypeError('fetch failed')`) as Error
      return todo
    },
  })
  const sync = createSyncClient({ mutations: [sendTodo] })
  const stop = sync.start()
  const todo = { id: '1', title: 'Milk' }
  const { confirmed } = sync.mutate(sendTodo, todo)
  await expect.poll(() => sync.outbox.getState().entries.map(({ status }) => status)).toEqual(['uncertain'])
  lost = false
  await sync.flush()
  expect(await confirmed).toEqual(todo)
  stop()
})

test('a promise is one whoever made it: a policy of conflicts may answer with another realm’s', async () => {
  const answers = [409, 200]
  const bodies: unknown[] = []
  const fetch = async (_: string, init?: RequestInit) => {
    bodies.push(JSON.parse(String(init?.body)))
    const status = answers.shift() ?? 200
    return Response.json(status === 409 ? { current: { id: '1', title: 'Theirs', version: 2 } } : { id: '1' }, {
      status,
      headers: { 'content-type': status === 409 ? 'application/problem+json' : 'application/json' },
    })
  }
  const sendTodo = defineMutation({
    mutationKey: ['todos', 'send'],
    mutationFn: (todo: Todo, { fetch: send }) =>
      send('/todos', { body: JSON.stringify(todo) }).then((answer): Promise<Todo> => answer.json()),
    conflict: ({ variables }) =>
      runInNewContext('Promise.resolve(value)', { value: { variables: { ...variables, title: 'Both' } } }),
  })
  const sync = createSyncClient({ mutations: [sendTodo], platform: { fetch } })
  const stop = sync.start()
  expect(await sync.mutate(sendTodo, { id: '1', title: 'Mine' }).confirmed).toEqual({ id: '1' })
  expect(bodies).toEqual([
    { id: '1', title: 'Mine' },
    { id: '1', title: 'Both' },
  ])
  stop()
})
