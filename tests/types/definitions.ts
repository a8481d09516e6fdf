// Definitions that the type tests share: written once, used with every function and hook.
import { defineMutation, entity, infiniteQueryOptions, queryOptions, skipToken } from 'tidemark'

export interface Todo {
  id: string
  title: string
}

export const todoRow = entity<Todo>('todo')

export const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/todos').then((r): Promise<Todo[]> => r.json()),
  rows: [todoRow, (todos) => todos, { where: () => true }],
  topics: ['todos'],
})

export const titlesQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: async (): Promise<Todo[]> => [],
  select: (todos) => todos.map(({ title }) => title),
})

export const seededQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: async (): Promise<Todo[]> => [],
  initialData: [] as Todo[],
})

export const maybeSeededQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: async (): Promise<Todo[]> => [],
  initialData: (): Todo[] | undefined => undefined,
})

export const skippableQuery = (wanted: boolean) =>
  queryOptions({ queryKey: ['todos'], queryFn: wanted ? async (): Promise<Todo[]> => [] : skipToken })

export const pagesQuery = infiniteQueryOptions({
  queryKey: ['pages'],
  queryFn: async ({ pageParam }): Promise<Todo[]> => (pageParam > 3 ? [] : [{ id: 'a', title: 'A' }]),
  initialPageParam: 0,
  getNextPageParam: (_last, _all, page) => page + 1,
  rows: [todoRow, (page) => page, { where: () => true }],
})

export const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: async (todo: Todo): Promise<Todo> => todo,
})

export const clearTodos = defineMutation({
  mutationKey: ['todos', 'clear'],
  mutationFn: async (): Promise<number> => 0,
})
