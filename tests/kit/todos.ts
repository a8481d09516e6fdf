// Rows in a list and in details: what most applications are made of. The server is the test.
import type { DefinedMutation, MutationContext, MutationDefinition } from 'tidemark'
import { defineMutation, entity, queryOptions } from 'tidemark'
import type { Answer, Sent } from './network'
import type { Watch, World } from './world'

export interface Todo {
  id: string
  title: string
  done?: boolean
  count?: number
  version?: number
}

export const todoRow = entity<Todo>('todo')

export const todo = (id: string, title: string, more: Partial<Todo> = {}): Todo => ({ id, title, ...more })

export const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/todos').then((r): Promise<Todo[]> => r.json()),
  rows: [todoRow, (todos) => todos, { where: () => true }],
})

export const todoQuery = (id: string) =>
  queryOptions({
    queryKey: ['todo', id],
    queryFn: ({ fetch }) => fetch(`/todos/${id}`).then((r): Promise<Todo> => r.json()),
    rows: [todoRow, (one) => one],
  })

/** Sends the variables to `url`; resolves with what the server answers, `undefined` for an empty body. */
export async function post<T>(url: string, body: unknown, { fetch }: Pick<MutationContext, 'fetch'>): Promise<T> {
  const text = await (await fetch(url, { body: JSON.stringify(body) })).text()
  return (text === '' ? undefined : JSON.parse(text)) as T
}

type More<TVariables> = Partial<MutationDefinition<TVariables, Todo | undefined>>
type TodoMutation<TVariables> = DefinedMutation<TVariables, Todo | undefined>

export const adding = (more: More<Todo> = {}): TodoMutation<Todo> =>
  defineMutation<Todo, Todo | undefined>({
    mutationKey: ['todos', 'add'],
    mutationFn: (row, context) => post('/add', row, context),
    optimistic: (view, row) => view.insert(todosQuery.queryKey, todoRow, row),
    ...more,
  })

export const editing = (
  more: More<Partial<Todo> & { id: string }> = {},
): TodoMutation<Partial<Todo> & { id: string }> =>
  defineMutation<Partial<Todo> & { id: string }, Todo | undefined>({
    mutationKey: ['todos', 'edit'],
    mutationFn: (change, context) => post('/edit', change, context),
    optimistic: (view, change) => view.row(todoRow, change.id).update((row) => void Object.assign(row, change)),
    ...more,
  })

export const removing = (more: More<string> = {}): TodoMutation<string> =>
  defineMutation<string, Todo | undefined>({
    mutationKey: ['todos', 'remove'],
    mutationFn: (id, context) => post('/remove', id, context),
    optimistic: (view, id) => view.remove(todoRow, id),
    ...more,
  })

/** Watches the list and answers its first read. */
export async function loadTodos(world: World, rows: Todo[], answer?: Answer): Promise<Watch<Todo[]>> {
  const watched = world.watch<Todo[]>(todosQuery)
  await world.settle()
  await world.net.take('GET', '/todos').answer(rows, answer)
  return watched
}

export const titles = (rows: readonly Todo[] | undefined): string => rows?.map(({ title }) => title).join(' ') ?? '-'

/** The titles of every publish, neighbours that are equal once. */
export const titlesShown = ({ values }: Watch<Todo[]>): string[] =>
  values.map(titles).filter((each, i, all) => i === 0 || each !== all[i - 1])

export const take = ({ net }: World, url: string): Sent => net.take('POST', url)
