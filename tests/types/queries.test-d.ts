// What a definition promises: its key knows its data, TanStack's own functions take it, and its presence or absence of
// initial data and `skipToken` decides what they return.
import type { InfiniteData } from 'tidemark'
import {
  createQueryStore,
  createSyncClient,
  defineMutation,
  entity,
  infiniteQueryOptions,
  QueryClient,
  QueryObserver,
  queryOptions,
} from 'tidemark'
import { describe, expectTypeOf, test } from 'vitest'
import type { Todo } from './definitions.ts'
import { pagesQuery, seededQuery, titlesQuery, todoRow, todosQuery } from './definitions.ts'

describe('rows', () => {
  interface Board {
    columns: Array<{ id: string; cards: Todo[] }>
    people: Array<{ id: number; name: string }>
  }
  const personRow = entity<Board['people'][number]>('person')

  test('a rule is told its rows by the entity, and what holds them by the data', () => {
    queryOptions({
      queryKey: ['board'],
      queryFn: (): Board => ({ columns: [], people: [] }),
      rows: [
        todoRow,
        (board) => board.columns.map(({ cards }) => cards),
        {
          where: (row, column) => {
            expectTypeOf(row).toEqualTypeOf<Todo>()
            expectTypeOf(column).toEqualTypeOf<Board['columns'][number]>()
            return true
          },
          orderBy: (a, b) => {
            expectTypeOf([a, b]).toEqualTypeOf<Todo[]>()
            return 0
          },
        },
      ],
    })
    infiniteQueryOptions({
      queryKey: ['pages'],
      queryFn: () => [] as Todo[],
      initialPageParam: 0,
      getNextPageParam: () => null,
      rows: [todoRow, (todos) => todos, { where: ({ title }) => title !== '' }],
    })
  })

  test('several kinds of rows have rules of their own', () => {
    queryOptions({
      queryKey: ['board'],
      queryFn: (): Board => ({ columns: [], people: [] }),
      rows: [
        [todoRow, ({ columns }) => columns.map(({ cards }) => cards), { where: ({ title }, { id }) => title !== id }],
        [personRow, ({ people }) => people, { orderBy: (a, b) => a.id - b.id }],
      ],
    })
  })

  test('a rule asks for fields that rows have', () => {
    queryOptions({
      queryKey: ['todos'],
      queryFn: () => [] as Todo[],
      // @ts-expect-error todos have no rank
      rows: [todoRow, (todos) => todos, { orderBy: (a, b) => a.rank - b.rank }],
    })
  })
})

describe('queryOptions', () => {
  test('types the key by the data', () => {
    const client = new QueryClient()
    expectTypeOf(client.getQueryData(todosQuery.queryKey)).toEqualTypeOf<Todo[] | undefined>()
    expectTypeOf(client.getQueryData(pagesQuery.queryKey)).toEqualTypeOf<InfiniteData<Todo[], number> | undefined>()
    client.setQueryData(todosQuery.queryKey, (todos) => todos?.slice())
    // @ts-expect-error todos are no number
    client.setQueryData(todosQuery.queryKey, 5)
  })

  test('is taken by the functions of query-core', () => {
    const client = new QueryClient()
    expectTypeOf(client.fetchQuery(todosQuery)).resolves.toEqualTypeOf<Todo[]>()
    expectTypeOf(client.ensureQueryData(todosQuery)).resolves.toEqualTypeOf<Todo[]>()
    expectTypeOf(client.fetchInfiniteQuery(pagesQuery)).resolves.toEqualTypeOf<InfiniteData<Todo[], number>>()
    client.prefetchQuery(todosQuery)
    client.invalidateQueries(todosQuery)
    new QueryObserver(client, todosQuery)
  })

  test('gives the query function a fetch, the key and the page', () => {
    queryOptions({
      queryKey: ['todo', 5],
      queryFn: ({ fetch, queryKey, signal }) => {
        expectTypeOf(queryKey).toEqualTypeOf<readonly ['todo', 5]>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        expectTypeOf(fetch).parameter(0).toExtend<RequestInfo | URL>()
        return 1
      },
    })
    infiniteQueryOptions({
      queryKey: ['pages'],
      queryFn: ({ pageParam }) => {
        expectTypeOf(pageParam).toEqualTypeOf<string>()
        return [1]
      },
      initialPageParam: 'first',
      getNextPageParam: (last) => {
        expectTypeOf(last).toEqualTypeOf<number[]>()
        return null
      },
    })
  })

  test('types where rows are by the data', () => {
    queryOptions({
      queryKey: ['todos'],
      queryFn: async (): Promise<{ todos: Todo[] }> => ({ todos: [] }),
      rows: [todoRow, (data) => data.todos, { where: () => true }],
    })
    queryOptions({
      queryKey: ['todos'],
      queryFn: async (): Promise<Todo[]> => [],
      // @ts-expect-error the data is a list
      rows: [todoRow, (data) => data.todos, { where: () => true }],
    })
  })

  test('refuses options that do not exist', () => {
    // @ts-expect-error staleTimes
    queryOptions({ queryKey: ['todos'], queryFn: async () => 5, staleTimes: 5 })
    // @ts-expect-error a key is needed
    queryOptions({ queryFn: async () => 5 })
  })
})

test('a query store has the data of its query, selected or not', () => {
  const sync = createSyncClient()
  expectTypeOf(createQueryStore(sync, todosQuery).getState().data).toEqualTypeOf<Todo[] | undefined>()
  expectTypeOf(createQueryStore(sync, titlesQuery).getState().data).toEqualTypeOf<string[] | undefined>()
  expectTypeOf(createQueryStore(sync, seededQuery).getState().data).toEqualTypeOf<Todo[] | undefined>()
  expectTypeOf(createQueryStore(sync, pagesQuery).getState().data).toEqualTypeOf<
    InfiniteData<Todo[], number> | undefined
  >()
})

test('views and drafts are typed by the key', () => {
  expectTypeOf(createSyncClient().getView(todosQuery.queryKey)).toEqualTypeOf<Todo[] | undefined>()
  defineMutation({
    mutationKey: ['clear'],
    mutationFn: async (_: void) => {},
    optimistic: (view) => {
      view.update(todosQuery.queryKey, (draft) => {
        expectTypeOf(draft).toEqualTypeOf<Todo[]>()
      })
      view.row(todoRow, 'a').update((draft) => {
        expectTypeOf(draft).toEqualTypeOf<Todo>()
      })
      view.set(todosQuery.queryKey, [])
      // @ts-expect-error todos are no text
      view.set(todosQuery.queryKey, 'none')
      // @ts-expect-error a todo has a title
      view.insert(todosQuery.queryKey, todoRow, { id: 'a' })
    },
  })
})
