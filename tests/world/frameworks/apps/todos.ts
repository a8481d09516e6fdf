import { defineMutation, entity, queryOptions } from 'tidemark'

export interface Todo {
  id: string
  title: string
}

const todoRow = entity<Todo>('todo')

/** A browser asks the page's own origin; a server has none. */
const origin = typeof window === 'undefined' ? process.env.SITE_ORIGIN : ''

export const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch(`${origin}/api/todos`).then((answer): Promise<Todo[]> => answer.json()),
  rows: [todoRow, (todos) => todos, { where: () => true }],
  staleTime: 60_000, // what the server has just read is not read again
})

export const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: (todo: Todo, { fetch }) =>
    fetch(`${origin}/api/todos`, { method: 'POST', body: JSON.stringify(todo) }).then(
      (answer): Promise<Todo> => answer.json(),
    ),
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
  apply: (base, saved) => base.upsert(todoRow, saved),
})
