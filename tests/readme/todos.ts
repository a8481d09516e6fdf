import { defineMutation, entity, queryOptions } from 'tidemark'

interface Todo {
  id: string
  title: string
}

const todoRow = entity<Todo>('todo')

export const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/api/todos').then((answer): Promise<Todo[]> => answer.json()),
  topics: ['todos'],
  rows: [todoRow, (todos) => todos, { where: () => true }],
})

export const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: (todo: Todo, { fetch }) =>
    fetch('/api/todos', { method: 'POST', body: JSON.stringify(todo) }).then((answer): Promise<Todo> => answer.json()),
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo), // shown before the answer
  apply: (base, saved) => base.upsert(todoRow, saved), // what the answer says, in the step that ends the optimism
})
