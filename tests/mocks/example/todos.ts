import { defineMutation, entity, queryOptions } from 'tidemark'

export interface Todo {
  id: string
  title: string
}

const todoRow = entity<Todo>('todo')

export const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/api/todos').then((response): Promise<Todo[]> => response.json()),
  topics: ['todos'],
  rows: [todoRow, (todos) => todos, { where: () => true }],
})

export const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: (todo: Todo, { fetch }) =>
    fetch('/api/todos', { method: 'POST', body: JSON.stringify(todo) }).then(
      (response): Promise<Todo> => response.json(),
    ),
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
  apply: (base, saved) => base.upsert(todoRow, saved),
})
