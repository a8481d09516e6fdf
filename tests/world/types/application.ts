// What an application writes, for compilers: TypeScript 7 reads it here on the sources, tests/world/typescript.test.ts has
// 5.9, 6 and 7 read it on the packed package.
import type {
  Clock,
  FetchLike,
  HeadersSource,
  Network,
  NetworkEvent,
  PlatformSeams,
  Random,
  SyncClientOptions,
  SyncError,
} from 'tidemark'
import { createSyncClient, defineMutation, entity, queryOptions } from 'tidemark'
import { createMockServer } from 'tidemark/mocks'
import * as react from 'tidemark/react'
import { createSyncHandler } from 'tidemark/server'
import * as vue from 'tidemark/vue'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_?: T): void => {}

interface Todo {
  id: string
  title: string
}

const todoRow = entity<Todo>('todo')
const todosQuery = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/todos').then((answer): Promise<Todo[]> => answer.json()),
  rows: [todoRow, (todos) => todos, { where: () => true }],
})
const addTodo = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: async (todo: Todo, { fetch }): Promise<Todo> => (await fetch('/todos', { body: todo.title })).json(),
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
})
const clearTodos = defineMutation({ mutationKey: ['todos', 'clear'], mutationFn: async (): Promise<number> => 0 })

/** Everything that the client's options are made of has a name that can be imported. */
export function makeOptions(clock: Clock, random: Random, network: Network): SyncClientOptions {
  const fetch: FetchLike = (input, init) => globalThis.fetch(input, init)
  const headers: HeadersSource = () => ({ authorization: 'Bearer x' })
  const platform: Partial<PlatformSeams> = { clock, random, network, fetch }
  const stop = network.subscribe((event: NetworkEvent) => event === 'online')
  stop()
  return { headers, platform, mutations: [addTodo, clearTodos] }
}

export function core(): void {
  const sync = createSyncClient({ mutations: [addTodo, clearTodos] })
  is<Equal<ReturnType<typeof sync.getView<typeof todosQuery.queryKey>>, Todo[] | undefined>>()
  sync.mutate(addTodo, { id: '1', title: 'Milk' }).confirmed.then((todo) => is<Equal<typeof todo, Todo>>())
  sync.mutate(clearTodos)
  // @ts-expect-error a todo has an id
  sync.mutate(addTodo, { title: 'Milk' })
}

/** A function above `mutationFn` may use its variables where that one needs no inference itself. */
export const renameTodo = defineMutation({
  mutationKey: ['todos', 'rename'],
  optimistic: (view, todo) => view.upsert(todoRow, todo),
  mutationFn: async (todo: Todo) => todo,
})
is<Equal<Parameters<typeof renameTodo.mutationFn>[0], Todo>>()

/** Where it does, TypeScript cannot look ahead: that is an error, not variables of the wrong type. */
export const refused = defineMutation({
  mutationKey: ['todos', 'refused'],
  // @ts-expect-error NoVariablesOrMutationFnBelow is not a todo
  optimistic: (view, todo) => view.insert(todosQuery.queryKey, todoRow, todo),
  // @ts-expect-error NoVariablesOrMutationFnBelow is not a todo
  mutationFn: async (todo: Todo, { fetch }): Promise<Todo> => (await fetch('/todos', { body: todo.title })).json(),
})

export function useReact(): void {
  is<Equal<ReturnType<typeof readTodos>, Todo[] | undefined>>()
  const add = react.useMutation(addTodo)
  is<Equal<typeof add.error, SyncError | null>>()
  is<Equal<typeof add.variables, Todo | undefined>>()
  react.useMutation({ ...addTodo, onSuccess: (saved, todo) => is<Equal<[typeof saved, typeof todo], [Todo, Todo]>>() })
  react.useMutation(clearTodos).mutate()
  const counted = react.useMutation(
    react.mutationOptions({
      mutationKey: ['count'],
      mutationFn: (by: string) => Promise.resolve(by.length),
      onMutate: () => ({ before: 1 }),
      onSuccess: (count) => is<Equal<typeof count, number>>(),
    }),
  )
  is<Equal<typeof counted.data, number | undefined>>()
  is<Equal<typeof counted.error, Error | null>>()
  is<Equal<typeof counted.variables, string | undefined>>()
  is<Equal<typeof counted.context, { before: number } | undefined>>()
  const inline = react.useMutation({ mutationFn: async (n: number) => String(n) })
  is<Equal<typeof inline.error, Error | null>>()
}

const readTodos = () => react.useQuery(todosQuery).data

export function useVue(): void {
  const todos = vue.useQuery(todosQuery)
  is<Equal<typeof todos.data.value, Todo[] | undefined>>()
  const add = vue.useMutation(addTodo)
  is<Equal<typeof add.error.value, SyncError | null>>()
  const late = vue.useMutation(() => addTodo)
  is<Equal<typeof late.error.value, SyncError | null>>()
  const counted = vue.useMutation(
    vue.mutationOptions({ mutationKey: ['count'], mutationFn: (by: string) => Promise.resolve(by.length) }),
  )
  is<Equal<typeof counted.data.value, number | undefined>>()
  const { value: skipped } = vue.useQueries({
    queries: [
      vue.queryOptions({
        queryKey: ['count'],
        queryFn: Math.random() > 0.5 ? vue.skipToken : () => Promise.resolve(5),
      }),
    ],
  })
  is<Equal<(typeof skipped)[0], vue.QueryObserverResult<number, Error>>>()
  const { value: ours } = vue.useQueries({ queries: [todosQuery] })
  is<Equal<(typeof ours)[0]['data'], Todo[] | undefined>>()
}

export const servers = [createMockServer, createSyncHandler]
