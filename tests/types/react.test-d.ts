// TanStack's React hooks take the definitions of `tidemark`, and narrow as they do for TanStack's own.
import type { InfiniteData, OutboxEntry, SyncClient, SyncError, SyncStatus } from 'tidemark'
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useOutbox,
  usePending,
  usePrefetchInfiniteQuery,
  usePrefetchQuery,
  useQueries,
  useQuery,
  useRow,
  useSuspenseInfiniteQuery,
  useSuspenseQueries,
  useSuspenseQuery,
  useSyncClient,
  useSyncStatus,
} from 'tidemark/react'
import { describe, expectTypeOf, test } from 'vitest'
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

describe('queries', () => {
  test('have data or undefined', () => {
    expectTypeOf(useQuery(todosQuery).data).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(useQuery(maybeSeededQuery).data).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(useQuery(skippableQuery(true)).data).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(useQuery({ ...todosQuery, placeholderData: keepPreviousData }).data).toEqualTypeOf<
      Todo[] | undefined
    >()
    expectTypeOf(useInfiniteQuery(pagesQuery).data).toEqualTypeOf<InfiniteData<Todo[], number> | undefined>()
  })

  test('have data for certain with initial data and with suspense', () => {
    expectTypeOf(useQuery(seededQuery).data).toEqualTypeOf<Todo[]>()
    expectTypeOf(useSuspenseQuery(todosQuery).data).toEqualTypeOf<Todo[]>()
    expectTypeOf(useSuspenseQuery(seededQuery).data).toEqualTypeOf<Todo[]>()
    expectTypeOf(useSuspenseInfiniteQuery(pagesQuery).data).toEqualTypeOf<InfiniteData<Todo[], number>>()
  })

  test('have what select returns, of the definition or of the hook', () => {
    expectTypeOf(useQuery(titlesQuery).data).toEqualTypeOf<string[] | undefined>()
    expectTypeOf(useSuspenseQuery(titlesQuery).data).toEqualTypeOf<string[]>()
    expectTypeOf(useQuery({ ...todosQuery, select: (todos) => todos.length }).data).toEqualTypeOf<number | undefined>()
  })

  test('narrow by status', () => {
    const result = useQuery(todosQuery)
    if (result.isSuccess) expectTypeOf(result.data).toEqualTypeOf<Todo[]>()
    if (result.isPending) expectTypeOf(result.data).toEqualTypeOf<undefined>()
    if (result.isError) expectTypeOf(result.error).toEqualTypeOf<Error>()
  })

  test('come in lists', () => {
    const [todos, titles] = useQueries({ queries: [todosQuery, titlesQuery] })
    expectTypeOf(todos.data).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(titles.data).toEqualTypeOf<string[] | undefined>()
    const [surely] = useSuspenseQueries({ queries: [todosQuery] })
    expectTypeOf(surely.data).toEqualTypeOf<Todo[]>()
  })

  test('can be prefetched', () => {
    expectTypeOf(usePrefetchQuery(todosQuery)).toEqualTypeOf<void>()
    expectTypeOf(usePrefetchInfiniteQuery(pagesQuery)).toEqualTypeOf<void>()
  })

  test('that may be skipped cannot suspend', () => {
    // @ts-expect-error a component that suspends on nothing never wakes
    useSuspenseQuery(skippableQuery(true))
  })

  test('have no fields beside those of TanStack', () => {
    // @ts-expect-error what is pending is asked with usePending
    void useQuery(todosQuery).isOptimistic
  })
})

describe('useMutation', () => {
  test('has the variables, the data and the errors of a defined mutation', () => {
    const add = useMutation(addTodo)
    add.mutate(
      { id: 'a', title: 'A' },
      {
        onSuccess: (saved, todo) => {
          expectTypeOf(saved).toEqualTypeOf<Todo>()
          expectTypeOf(todo).toEqualTypeOf<Todo>()
        },
      },
    )
    expectTypeOf(add.data).toEqualTypeOf<Todo | undefined>()
    expectTypeOf(add.error).toEqualTypeOf<SyncError | null>()
    expectTypeOf(add.mutateAsync({ id: 'a', title: 'A' })).resolves.toEqualTypeOf<Todo>()
    // @ts-expect-error an id is text
    add.mutate({ id: 1, title: 'A' })
  })

  test('is called without variables where there are none', () => {
    useMutation(clearTodos).mutate()
    // @ts-expect-error there is a variable
    useMutation(addTodo).mutate()
  })

  test('takes a copy with callbacks of its own', () => {
    useMutation({ ...addTodo, throwOnError: true, onSuccess: (saved) => expectTypeOf(saved).toEqualTypeOf<Todo>() })
  })

  test('takes inline options as TanStack does', () => {
    const inline = useMutation({ mutationFn: async (n: number) => String(n), onMutate: () => ({ before: 1 }) })
    expectTypeOf(inline.data).toEqualTypeOf<string | undefined>()
    expectTypeOf(inline.context).toEqualTypeOf<{ before: number } | undefined>()
    inline.mutate(5)
  })
})

test('status hooks have what the selector returns', () => {
  expectTypeOf(useSyncStatus()).toEqualTypeOf<SyncStatus>()
  expectTypeOf(useSyncStatus(({ network }) => network)).toEqualTypeOf<'online' | 'offline'>()
  expectTypeOf(useOutbox(({ failed }) => failed.length)).toEqualTypeOf<number>()
  expectTypeOf(usePending()).toEqualTypeOf<readonly OutboxEntry[]>()
  expectTypeOf(usePending({ entity: todoRow, id: 'a' }, (writes) => writes.length > 0)).toEqualTypeOf<boolean>()
  expectTypeOf(useRow(todoRow, 'a')).toEqualTypeOf<Todo | undefined>()
  expectTypeOf(useRow(todoRow, 'a', (todo) => todo?.title)).toEqualTypeOf<string | undefined>()
  expectTypeOf(useSyncClient()).toEqualTypeOf<SyncClient>()
  // @ts-expect-error no such filter
  usePending({ row: 'a' })
})
