import { createSyncClient, defineMutation, entity, memoryStorage, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'

interface Todo {
  id: string
  title: string
}
const todoRow = entity<Todo>('todo')
const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: (): Todo[] => [],
  rows: [todoRow, (todos) => todos, { where: () => true }],
})
const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: (_: Todo) => new Promise<Todo>(() => {}),
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
})

test.each(['status', 'outbox', 'pending'] as const)(
  'reading the %s tells nobody in that moment, for it may be React that reads while it renders',
  async (name) => {
    const sync = createSyncClient({ mutations: [addTodo], storage: memoryStorage() })
    const store = name === 'pending' ? sync.pending({ entity: todoRow, id: 'a' }) : sync[name]
    const calls: unknown[] = []
    const stop = store.subscribe((state: unknown) => calls.push(state))
    const before = store.getState()
    sync.mutate(addTodo, { id: 'a', title: 'A' })
    const told = [...calls] // with the view, in the turn of the write
    const after = store.getState()
    expect(after).not.toBe(before)
    expect(told).toEqual([after])
    await Promise.resolve()
    expect(calls).toEqual(told)
    stop()
  },
)
