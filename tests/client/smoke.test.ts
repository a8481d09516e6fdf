import { createQueryStore, createSyncClient, defineMutation, entity, QueryObserver, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'

interface Todo {
  id: string
  title: string
  done?: boolean
}
const todoRow = entity<Todo>('todo')
const tick = (ms = 0) => new Promise((r) => setTimeout(r, ms))

test('the view changes before mutate returns and follows the server', async () => {
  let rows: Todo[] = [{ id: 'a', title: 'A' }]
  const fetch = async (input: string, init?: RequestInit): Promise<Response> => {
    await tick(5)
    if (init?.method === 'POST') {
      const todo = JSON.parse(String(init.body)) as Todo
      rows = [...rows, todo]
      return Response.json(todo)
    }
    return Response.json(rows)
  }
  const todosQuery = queryOptions({
    queryKey: ['todos'],
    queryFn: ({ fetch }) => fetch('/todos').then((r): Promise<Todo[]> => r.json()),
    rows: [todoRow, (todos) => todos],
  })
  const add = defineMutation({
    mutationKey: ['todos', 'add'],
    mutationFn: (todo: Todo, { fetch }) =>
      fetch('/todos', { body: JSON.stringify(todo) }).then((r): Promise<Todo> => r.json()),
    optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
    apply: (base, saved) => base.upsert(todoRow, saved),
  })
  const sync = createSyncClient({
    mutations: [add],
    platform: { fetch },
    onReport: (e) => {
      throw e
    },
  })
  const stop = sync.start()
  const store = createQueryStore(sync, todosQuery)
  const seen: unknown[] = []
  const off = store.subscribe((s) => seen.push(s.data?.length))
  await tick(20)
  expect(store.getState().data).toEqual([{ id: 'a', title: 'A' }])
  const handle = sync.mutate(add, { id: 'b', title: 'B' })
  expect(store.getState().data).toHaveLength(2)
  expect(sync.getBase(['todos'])).toHaveLength(1)
  await handle.durable
  expect(await handle.confirmed).toEqual({ id: 'b', title: 'B' })
  await handle.reflected
  expect(sync.getBase(['todos'])).toHaveLength(2)
  expect(sync.outbox.getState().entries).toEqual([])
  expect(seen).toEqual([undefined, 1, 2])
  void QueryObserver
  off()
  stop()
})
