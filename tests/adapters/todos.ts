// A list of todos and its mutations, as the tests of the adapters use them.
import { defineMutation, entity, queryOptions } from 'tidemark'
import type { World } from '../kit/world.ts'
import { createWorld } from '../kit/world.ts'

export interface Todo {
  id: string
  title: string
}

export const todoRow = entity<Todo>('todo')

export const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/todos').then((r): Promise<Todo[]> => r.json()),
  rows: [todoRow, (todos) => todos, { where: () => true }],
})

export const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: (todo: Todo, { fetch }) =>
    fetch('/todos', { body: JSON.stringify(todo) }).then((r): Promise<Todo> => r.json()),
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
  apply: (base, saved) => base.upsert(todosQuery.queryKey, todoRow, saved),
  scope: (todo) => ({ id: todo.id }),
})

export const renameTodo = defineMutation({
  mutationKey: ['todos', 'rename'],
  mutationFn: (todo: Todo, { fetch }) =>
    fetch(`/todos/${todo.id}`, { method: 'PUT', body: JSON.stringify(todo) }).then((r): Promise<Todo> => r.json()),
  optimistic: (view, { id, title }) =>
    view.row(todoRow, id).update((todo) => {
      todo.title = title
    }),
  apply: (base, saved) => base.upsert(todoRow, saved),
})

export const todoWorld = (options: Parameters<typeof createWorld>[0] = {}): World =>
  createWorld({ mutations: [addTodo, renameTodo], ...options })

export const titles = (todos: readonly Todo[] | undefined): string =>
  todos === undefined ? '-' : todos.map(({ title }) => title).join(',')
