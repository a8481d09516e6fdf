// What optimistic functions record, and where it shows.
import type { InfiniteData, MutationDefinition, View } from 'tidemark'
import { defineMutation, infiniteQueryOptions, queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { at } from '../kit/docs'
import type { Todo } from '../kit/todos'
import {
  adding,
  editing,
  loadTodos,
  post,
  removing,
  take,
  titles,
  titlesShown,
  todo,
  todoQuery,
  todoRow,
  todosQuery,
} from '../kit/todos'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

type Writer = (view: View) => void

/** A mutation whose recipes are those of the call. */
function free(more: Partial<MutationDefinition<number, unknown>> = {}) {
  let writers: Writer[] = []
  const mutation = defineMutation<number, unknown>({
    mutationKey: ['free'],
    mutationFn: (n, context) => post('/free', n, context),
    optimistic: (view, n) => writers[n]?.(view),
    scope: (n) => ({ id: String(n) }),
    ...more,
  })
  return {
    mutation,
    run(world: World, writer: Writer) {
      writers = [...writers, writer]
      return world.sync.mutate(mutation, writers.length - 1)
    },
  }
}

const rows = [todo('1', 'a'), todo('2', 'b'), todo('3', 'c')]

async function started(more: Parameters<typeof free>[0] = {}) {
  const { mutation, run } = free(more)
  const world = createWorld({ mutations: [mutation] })
  world.sync.start()
  const list = await loadTodos(world, rows, at(0))
  return { world, list, run: (writer: Writer) => run(world, writer) }
}

describe('by key and filter', () => {
  test('update changes the data of one query, or returns it anew', async () => {
    const { list, run } = await started()
    run((view) => view.update(todosQuery.queryKey, (draft) => void draft.reverse()))
    run((view) => view.update(todosQuery.queryKey, (draft) => draft.filter(({ id }) => id !== '2')))
    expect(titlesShown(list)).toEqual(['-', 'a b c', 'c b a', 'c a'])
  })

  test('a filter reaches every query that matches, also those mounted later', async () => {
    const { world, list, run } = await started()
    run((view) =>
      view.update<Todo[] | Todo>({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('todo') }, (draft) => {
        for (const row of Array.isArray(draft) ? draft : [draft]) row.title = row.title.toUpperCase()
      }),
    )
    expect(titles(list.data)).toBe('A B C')
    const detail = world.watch<Todo>(todoQuery('1'))
    await world.settle()
    await world.net.take('GET', '/todos/1').answer(todo('1', 'a'), at(0))
    expect(detail.values.map((row) => row?.title)).toEqual([undefined, 'A'])
  })

  test('update is skipped on a query that was never fetched, and a developer is told', async () => {
    const { world, run } = await started()
    run((view) => view.update(['nothing'], () => 'something'))
    expect(world.sync.getView(['nothing'])).toBeUndefined()
    expect(world.warnings.join()).toContain('touches no query that is cached')
    expect(world.reports).toEqual([])
  })

  test('set makes the view of a query that was never fetched, until a read brings its base', async () => {
    const { world, run } = await started()
    const { queryKey } = todoQuery('9')
    const handle = run((view) => view.set(queryKey, todo('9', 'new')))
    const detail = world.watch<Todo>(todoQuery('9'))
    expect(detail.data).toEqual(todo('9', 'new'))
    expect(world.sync.getBase(queryKey)).toBeUndefined()
    await world.settle()
    const read = world.net.take('GET', '/todos/9')
    await take(world, '/free').answer({}, at(1))
    await handle.confirmed
    expect(detail.data).toEqual(todo('9', 'new'))
    await read.answer(todo('9', 'new', { version: 1 }), at(1))
    expect(detail.values.map((row) => row?.version)).toEqual([undefined, 1])
    expect(world.sync.outbox.getState().entries).toEqual([])
  })

  test('set on a query that has data replaces it', async () => {
    const { list, run } = await started()
    run((view) => view.set(todosQuery.queryKey, [todo('7', 'x')]))
    expect(titlesShown(list)).toEqual(['-', 'a b c', 'x'])
  })
})

describe('by row', () => {
  test('a row changes wherever it is cached, and what does not hold it keeps its reference', async () => {
    const { world, list, run } = await started()
    const [one, two] = ['1', '2'].map((id) => world.watch<Todo>(todoQuery(id)))
    await world.settle()
    for (const row of rows.slice(0, 2)) await world.net.take('GET', `/todos/${row.id}`).answer(row, at(0))
    const before = [list.data?.[0], two?.data]
    run((view) =>
      view.row(todoRow, '2').update((row) => {
        row.title = 'B'
      }),
    )
    expect([titles(list.data), one?.data?.title, two?.data?.title]).toEqual(['a B c', 'a', 'B'])
    expect(list.data?.[0]).toBe(before[0])
    expect(one?.values).toHaveLength(2)
  })

  test.each<[string, Parameters<View['insert']>[3] | undefined, string]>([
    ['at the end by default', undefined, 'a b c n'],
    ["at 'start'", 'start', 'n a b c'],
    ["at 'end'", 'end', 'a b c n'],
    ['at a position', 1, 'a n b c'],
    ['at a position beyond the end', 99, 'a b c n'],
    ['before a row', { before: '2' }, 'a n b c'],
    ['after a row', { after: '2' }, 'a b n c'],
    ['before a row that is not there', { before: 'none' }, 'a b c n'],
  ])('insert puts a row %s', async (_, position, expected) => {
    const { list, run } = await started()
    run((view) => view.insert(todosQuery.queryKey, todoRow, todo('n', 'n'), position))
    expect(titles(list.data)).toBe(expected)
  })

  test('insert does nothing where the row is already', async () => {
    const { list, run } = await started()
    const before = list.data
    run((view) => view.insert(todosQuery.queryKey, todoRow, todo('2', 'other')))
    expect(list.data).toBe(before)
  })

  test('upsert replaces a row everywhere, and puts it into every declared list that takes it', async () => {
    const { list, run } = await started()
    run((view) => view.upsert(todoRow, todo('2', 'B')))
    run((view) => view.upsert(todosQuery.queryKey, todoRow, todo('n', 'new'), 'start'))
    expect(titles(list.data)).toBe('new a B c')
    run((view) => view.upsert(todoRow, todo('e', 'everywhere')))
    expect(titles(list.data)).toBe('new a B c everywhere')
  })

  test('remove takes a row out of every list, and its detail has no data until the base says so', async () => {
    const { world, list, run } = await started()
    const detail = world.watch<Todo>(todoQuery('2'))
    await world.settle()
    await world.net.take('GET', '/todos/2').answer(todo('2', 'b'), at(0))
    const handle = run((view) => view.remove(todoRow, '2'))
    expect([titles(list.data), detail.data]).toEqual(['a c', undefined])
    expect(world.sync.getBase(todoQuery('2').queryKey)).toEqual(todo('2', 'b'))
    await world.settle()
    await take(world, '/free').answer({ title: 'No.' }, { status: 403 })
    await expect(handle.confirmed).rejects.toThrow()
    expect([titles(list.data), detail.data?.title]).toEqual(['a b c', 'b'])
  })
})

describe('where rows are', () => {
  interface Page {
    items: Todo[]
    next: number | null
  }
  const pagesQuery = infiniteQueryOptions({
    queryKey: ['pages'],
    queryFn: ({ fetch, pageParam }) => fetch(`/pages/${pageParam}`).then((r): Promise<Page> => r.json()),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    rows: [todoRow, (page) => page.items],
  })
  const pagesOf = (data: InfiniteData<Page> | undefined) => data?.pages.map(({ items }) => titles(items)).join(' | ')

  test('in the pages of an infinite query rows are found, inserted and removed', async () => {
    const { world, run } = await started()
    const pages = world.watch<InfiniteData<Page>>(pagesQuery)
    await world.settle()
    await world.net.take('GET', '/pages/0').answer({ items: rows.slice(0, 2), next: 1 }, at(0))
    const more = world.sync.queryClient.fetchInfiniteQuery({ ...pagesQuery, pages: 2, staleTime: 0 } as never)
    await world.settle()
    await world.net.take('GET', '/pages/0').answer({ items: rows.slice(0, 2), next: 1 }, at(0))
    await world.settle()
    await world.net.take('GET', '/pages/1').answer({ items: rows.slice(2), next: null }, at(0))
    await more
    expect(pagesOf(pages.data)).toBe('a b | c')
    run((view) =>
      view.row(todoRow, '3').update((row) => {
        row.title = 'C'
      }),
    )
    run((view) => view.insert(pagesQuery.queryKey, todoRow, todo('0', 'z'), 'start'))
    run((view) => view.insert(pagesQuery.queryKey, todoRow, todo('4', 'd')))
    run((view) => view.insert(pagesQuery.queryKey, todoRow, todo('5', 'e'), { after: '1' }))
    run((view) => view.remove(todoRow, '2'))
    expect(pagesOf(pages.data)).toBe('z a e | C d')
    expect((pages.data as InfiniteData<Page>).pages[1]?.next).toBeNull()
  })

  test('in wrapped lists, and in several kinds of rows at once', async () => {
    interface Wrapped {
      total: number
      result: { items: Todo[]; pinned: Todo }
    }
    const wrapped = queryOptions({
      queryKey: ['wrapped'],
      queryFn: ({ fetch }) => fetch('/wrapped').then((r): Promise<Wrapped> => r.json()),
      rows: [
        [todoRow, (data) => data.result.items],
        [todoRow, (data) => data.result.pinned],
      ],
    })
    const { world, run } = await started()
    const watched = world.watch<Wrapped>(wrapped)
    await world.settle()
    await world.net.take('GET', '/wrapped').answer({ total: 2, result: { items: rows, pinned: todo('2', 'b') } }, at(0))
    run((view) =>
      view.row(todoRow, '2').update((row) => {
        row.title = 'B'
      }),
    )
    expect(titles(watched.data?.result.items)).toBe('a B c')
    expect(watched.data).toMatchObject({ total: 2, result: { pinned: { title: 'B' } } })
    run((view) => view.insert(wrapped.queryKey, todoRow, todo('4', 'd')))
    expect(titles(watched.data?.result.items)).toBe('a B c d')
  })

  test('a query that is mounted later shows what is pending at once', async () => {
    const { world, run } = await started()
    run((view) =>
      view.row(todoRow, '1').update((row) => {
        row.title = 'A'
      }),
    )
    const detail = world.watch<Todo>(todoQuery('1'))
    await world.settle()
    await world.net.take('GET', '/todos/1').answer(todo('1', 'a'), at(0))
    expect(detail.values.map((row) => row?.title)).toEqual([undefined, 'A'])
  })
})

describe('recipes that are wrong', () => {
  test('one that throws is skipped for its query, reported once, and drops nothing', async () => {
    const { world, list, run } = await started()
    const detail = world.watch<Todo>(todoQuery('1'))
    await world.settle()
    await world.net.take('GET', '/todos/1').answer(todo('1', 'a'), at(0))
    const handle = run((view) => {
      view.update(todosQuery.queryKey, () => {
        throw new Error('oops')
      })
      view.update(todoQuery('1').queryKey, (draft) => {
        draft.title = 'A'
      })
    })
    run((view) =>
      view.row(todoRow, '2').update((row) => {
        row.title = 'B'
      }),
    )
    run((view) =>
      view.row(todoRow, '3').update((row) => {
        row.title = 'C'
      }),
    )
    expect([titles(list.data), detail.data?.title]).toEqual(['a B C', 'A'])
    expect(world.reports).toMatchObject([{ code: 'recipe', queryKey: ['todos'], cause: { message: 'oops' } }])
    await world.settle()
    await take(world, '/free').answer({}, at(1))
    await handle.confirmed
    expect(world.reports).toHaveLength(1)
  })

  test('an optimistic function that throws, or is asynchronous, is reported; the mutation is sent all the same', async () => {
    const { world, list, run } = await started()
    run(() => {
      throw new Error('oops')
    })
    run((async () => {}) as unknown as Writer)
    await world.settle()
    expect(world.reports).toMatchObject([{ code: 'recipe' }, { code: 'recipe' }])
    expect(titlesShown(list)).toEqual(['-', 'a b c'])
    expect(world.net.log.filter(({ url }) => url === '/free')).toHaveLength(2)
  })

  test('base is never changed by a recipe', async () => {
    const { world, run } = await started()
    const base = world.sync.getBase(todosQuery.queryKey)
    const copy = structuredClone(base)
    run((view) => view.update(todosQuery.queryKey, (draft) => void draft.splice(0, 2)))
    run((view) =>
      view.row(todoRow, '3').update((row) => {
        row.title = 'C'
      }),
    )
    run((view) => view.remove(todoRow, '3'))
    expect(world.sync.getBase(todosQuery.queryKey)).toBe(base)
    expect(base).toEqual(copy)
  })

  test('variables are copied: nothing the caller does later changes the entry', async () => {
    const add = adding()
    const world = createWorld({ mutations: [add] })
    world.sync.start()
    const list = await loadTodos(world, [], at(0))
    const row = todo('n', 'new')
    world.sync.mutate(add, row)
    row.title = 'changed'
    expect(titles(list.data)).toBe('new')
    await world.settle()
    expect(take(world, '/add').body).toEqual(todo('n', 'new'))
  })

  test.each([
    ['a function', () => {}],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['NaN', Number.NaN],
    ['a bigint', 1n],
    [
      'a circle',
      (() => {
        const circle: Record<string, unknown> = {}
        circle['self'] = circle
        return circle
      })(),
    ],
  ])('variables with %s are a usage error that names the place', async (_, value) => {
    const add = adding()
    const world = createWorld({ mutations: [add] })
    world.sync.start()
    const bad = { ...todo('n', 'new'), extra: { deep: value } }
    expect(() => world.sync.mutate(add, bad)).toThrow(/variables\.extra\.deep/)
    expect(world.sync.outbox.getState().entries).toEqual([])
  })

  test('a serializer of the application keeps what JSON does not, and refuses what it cannot take', async () => {
    const add = adding()
    const serializer = {
      serialize: (value: unknown) =>
        JSON.stringify(value, function (this: Record<string, unknown>, key, part) {
          if (typeof part === 'function') throw new Error('no functions')
          return this[key] instanceof Date ? { $date: (this[key] as Date).getTime() } : part
        }),
      deserialize: (text: string): unknown =>
        JSON.parse(text, (_, part) => (part?.$date === undefined ? part : new Date(part.$date))),
    }
    const world = createWorld({ mutations: [add], serializer })
    world.sync.start()
    const list = await loadTodos(world, [], at(0))
    world.sync.mutate(add, { ...todo('n', 'new'), due: new Date(0) } as Todo)
    expect(list.data).toEqual([{ ...todo('n', 'new'), due: new Date(0) }])
    expect(() => world.sync.mutate(add, { ...todo('x', 'x'), due: () => {} } as unknown as Todo)).toThrow(
      /cannot be stored/,
    )
  })

  test('a mutation that is not registered is a usage error with a hint', async () => {
    const world = createWorld({ mutations: [adding()] })
    const other = adding({ mutationKey: ['todos', 'ad'] })
    expect(() => world.sync.mutate(other, todo('n', 'new'))).toThrow(/did you mean "todos\/add"/)
  })

  test('on a read-only client every mutation is a usage error', async () => {
    const add = adding()
    const world = createWorld({ mutations: [add], readOnly: true })
    world.sync.start()
    expect(() => world.sync.mutate(add, todo('n', 'new'))).toThrow(/read-only/)
  })
})

test('a new row, its edit and its removal are folded in order and settle in order', async () => {
  const [add, edit, remove] = [adding(), editing(), removing()]
  const world = createWorld({ mutations: [add, edit, remove] })
  world.sync.start()
  const list = await loadTodos(world, [], at(0))
  world.sync.mutate(add, todo('n', 'new'))
  world.sync.mutate(edit, { id: 'n', title: 'newer' })
  world.sync.mutate(remove, 'n')
  expect(titlesShown(list)).toEqual(['-', '', 'new', 'newer', ''])
  const after = list.values.length
  for (const [i, url] of ['/add', '/edit', '/remove'].entries()) {
    await world.settle()
    await take(world, url).answer({}, at(i + 1))
  }
  await world.settle()
  for (const read of world.net.waiting) await read.answer([], at(3))
  expect(titlesShown({ ...list, values: list.values.slice(after - 1) })).toEqual([''])
  expect(world.sync.outbox.getState().entries).toEqual([])
})
