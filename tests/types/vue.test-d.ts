// TanStack's Vue composables take the definitions of `tidemark`, whichever copy of query-core they come from.
import type { InfiniteData, OutboxEntry, SyncError } from 'tidemark'
import { createSyncClient } from 'tidemark'
import { queryOptions as reactQueryOptions } from 'tidemark/react'
import {
  QueryClient,
  syncPlugin,
  useInfiniteQuery,
  useMutation,
  useOutbox,
  usePending,
  usePrefetchInfiniteQuery,
  usePrefetchQuery,
  useQueries,
  useQuery,
  useQueryClient,
  useRow,
  useSyncStatus,
  VueQueryPlugin,
} from 'tidemark/vue'
import { describe, expectTypeOf, test } from 'vitest'
import { createApp, ref } from 'vue'
import type { Todo } from './definitions.ts'
import {
  addTodo,
  clearTodos,
  maybeSeededQuery,
  pagesQuery,
  seededQuery,
  skippableQuery,
  titlesQuery,
  todoRow,
  todosQuery,
} from './definitions.ts'

const flag = ref(true)

describe('queries', () => {
  test('have data or undefined', () => {
    expectTypeOf(useQuery(todosQuery).data.value).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(useQuery(maybeSeededQuery).data.value).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(useQuery(skippableQuery(true)).data.value).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(useInfiniteQuery(pagesQuery).data.value).toEqualTypeOf<InfiniteData<Todo[], number> | undefined>()
  })

  test('have data for certain with initial data', () => {
    expectTypeOf(useQuery(seededQuery).data.value).toEqualTypeOf<Todo[]>()
  })

  test('have what select returns, of the definition or of the composable', () => {
    expectTypeOf(useQuery(titlesQuery).data.value).toEqualTypeOf<string[] | undefined>()
    expectTypeOf(useQuery({ ...todosQuery, select: (todos) => todos.length }).data.value).toEqualTypeOf<
      number | undefined
    >()
  })

  test('take getters and refs', () => {
    expectTypeOf(useQuery(() => todosQuery).data.value).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(useQuery(() => ({ ...todosQuery, enabled: flag.value })).data.value).toEqualTypeOf<
      Todo[] | undefined
    >()
    expectTypeOf(useQuery({ ...todosQuery, enabled: flag }).data.value).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(useQuery({ ...todosQuery, enabled: () => flag.value }).data.value).toEqualTypeOf<Todo[] | undefined>()
  })

  test('written inline are as TanStack types them', () => {
    expectTypeOf(useQuery({ queryKey: ['n', flag], queryFn: async () => 5 }).data.value).toEqualTypeOf<
      number | undefined
    >()
    expectTypeOf(
      useQuery({ queryKey: ['n'], queryFn: async () => 5, initialData: 4 }).data.value,
    ).toEqualTypeOf<number>()
    const [one] = useQueries({ queries: [{ queryKey: ['n'], queryFn: async () => 5 }] }).value
    expectTypeOf(one.data).toEqualTypeOf<number | undefined>()
  })

  test('come in lists', () => {
    const [todos, titles] = useQueries({ queries: [todosQuery, titlesQuery] }).value
    expectTypeOf(todos.data).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(titles.data).toEqualTypeOf<string[] | undefined>()
    const combine = useQueries({ queries: () => [todosQuery], combine: ([first]) => first?.data?.length })
    expectTypeOf(combine.value).toEqualTypeOf<number | undefined>()
  })

  test('can be prefetched', () => {
    expectTypeOf(usePrefetchQuery(todosQuery)).toEqualTypeOf<void>()
    expectTypeOf(usePrefetchInfiniteQuery(pagesQuery)).toEqualTypeOf<void>()
  })

  test("defined with react-query's queryOptions are taken", () => {
    const query = reactQueryOptions({ queryKey: ['n'], queryFn: async () => 5 })
    expectTypeOf(useQuery(query).data.value).toEqualTypeOf<number | undefined>()
  })

  test('refuse options that do not exist', () => {
    // @ts-expect-error selec
    useQuery({ ...todosQuery, selec: 1 })
  })
})

test("the application's client knows the keys of definitions, and refs", () => {
  const client = useQueryClient()
  expectTypeOf(client.getQueryData(todosQuery.queryKey)).toEqualTypeOf<Todo[] | undefined>()
  expectTypeOf(client.fetchQuery(todosQuery)).resolves.toEqualTypeOf<Todo[]>()
  client.setQueryData(todosQuery.queryKey, (todos) => todos?.slice())
  client.invalidateQueries({ queryKey: ['todos', flag] })
})

test('a sync client can be made for a QueryClient of Vue', () => {
  const sync = createSyncClient({ queryClient: new QueryClient() })
  createApp({})
    .use(syncPlugin, { client: sync })
    .use(VueQueryPlugin)
    .use(VueQueryPlugin, { queryClient: new QueryClient() })
})

describe('useMutation', () => {
  test('has the variables, the data and the errors of a defined mutation', () => {
    const add = useMutation(addTodo)
    add.mutate({ id: 'a', title: 'A' }, { onSuccess: (saved) => expectTypeOf(saved).toEqualTypeOf<Todo>() })
    expectTypeOf(add.data.value).toEqualTypeOf<Todo | undefined>()
    expectTypeOf(add.error.value).toEqualTypeOf<SyncError | null>()
    // @ts-expect-error an id is text
    add.mutate({ id: 1, title: 'A' })
    useMutation(clearTodos).mutate()
  })

  test('takes a copy, a ref and a getter', () => {
    useMutation({ ...addTodo, onSuccess: (saved) => expectTypeOf(saved).toEqualTypeOf<Todo>() })
    expectTypeOf(useMutation(() => addTodo).data.value).toEqualTypeOf<Todo | undefined>()
  })

  test('takes inline options as TanStack does', () => {
    const inline = useMutation({ mutationFn: async (n: number) => String(n) })
    expectTypeOf(inline.data.value).toEqualTypeOf<string | undefined>()
    inline.mutate(5)
  })
})

test('status composables have what the selector returns', () => {
  expectTypeOf(useSyncStatus(({ network }) => network).value).toEqualTypeOf<'online' | 'offline'>()
  expectTypeOf(useOutbox(({ failed }) => failed.length).value).toEqualTypeOf<number>()
  expectTypeOf(usePending().value).toEqualTypeOf<readonly OutboxEntry[]>()
  expectTypeOf(useRow(todoRow, () => 'a').value).toEqualTypeOf<Todo | undefined>()
  expectTypeOf(useRow(todoRow, 'a', (todo) => todo?.title).value).toEqualTypeOf<string | undefined>()
  expectTypeOf(
    usePending(
      () => ({ entity: todoRow, id: 'a' }),
      (writes) => writes.length > 0,
    ).value,
  ).toEqualTypeOf<boolean>()
})
