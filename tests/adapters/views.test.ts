// @vitest-environment jsdom
// Every hook of TanStack shows views: what the server said, with the pending writes on it, and after a refusal without.
import { defineMutation, entity, infiniteQueryOptions, keepPreviousData, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'
import { inBoth } from './both.ts'
import type { Component } from './driver.ts'
import type { Todo } from './todos.ts'
import { addTodo, renameTodo, titles, todoRow, todosQuery, todoWorld } from './todos.ts'

const a: Todo = { id: 'a', title: 'A' }
const b: Todo = { id: 'b', title: 'B' }

const pagesQuery = infiniteQueryOptions({
  queryKey: ['pages'],
  queryFn: ({ fetch, pageParam }) => fetch(`/pages/${pageParam}`).then((r): Promise<Todo[]> => r.json()),
  initialPageParam: 0,
  getNextPageParam: (_last, all) => (all.length < 2 ? all.length : undefined),
  rows: [todoRow, (page) => page, { where: () => true }],
})

const pageQuery = (n: number) =>
  queryOptions({
    queryKey: ['page', n],
    queryFn: ({ fetch }) => fetch(`/page/${n}`).then((r): Promise<Todo[]> => r.json()),
    rows: [todoRow, (todos) => todos, { where: () => true }],
    placeholderData: keepPreviousData,
  })

const noteQuery = queryOptions({ queryKey: ['note'], queryFn: async (): Promise<string> => 'said', enabled: false })
const writeNote = defineMutation({
  mutationKey: ['note', 'write'],
  mutationFn: (text: string, { fetch }) => fetch('/note', { body: JSON.stringify(text) }).then((r) => r.text()),
  optimistic: (view, text) => view.set(noteQuery.queryKey, text),
})

inBoth('views', ({ show, act }) => {
  const refuse = (world: ReturnType<typeof todoWorld>, method: string) =>
    act(() => world.net.take(method).answer({ title: 'No' }, { status: 422 }))

  test('of infinite queries have the write on its page, and its rollback', async () => {
    const world = todoWorld()
    let more!: () => unknown
    const page = show({ sync: world.sync }, ({ useInfiniteQuery }) => {
      const result = useInfiniteQuery(() => pagesQuery)
      more = () => result().fetchNextPage()
      return () => (result().data as { pages: Todo[][] } | undefined)?.pages.map(titles).join(' | ') ?? '-'
    })
    await act()
    await act(() => world.net.take('GET', '/pages/0').answer([a]))
    await act(() => void more())
    await act(() => world.net.take('GET', '/pages/1').answer([b]))
    await act(() => world.sync.mutate(renameTodo, { id: 'b', title: 'B!' }))
    expect(page.read()).toBe('A | B!')
    await refuse(world, 'PUT')
    expect(page.read()).toBe('A | B')
  })

  test('of several queries are combined', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useQueries }) => {
      const all = useQueries(() => ({
        queries: [0, 1].map(pageQuery),
        combine: (results) => results.map(({ data }) => titles(data as Todo[])).join(' | '),
      }))
      return () => String(all())
    })
    await act()
    await act(() => world.net.take('GET', '/page/0').answer([a]))
    await act(() => world.net.take('GET', '/page/1').answer([a, b]))
    await act(() => world.sync.mutate(renameTodo, { id: 'a', title: 'A!' }))
    expect(page.read()).toBe('A! | A!,B')
    await refuse(world, 'PUT')
    expect(page.read()).toBe('A | A,B')
  })

  test('are what select is given, and a rollback is selected too', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useQuery }) => {
      const result = useQuery<string>(() => ({ ...todosQuery, select: (todos: Todo[]) => titles(todos).toLowerCase() }))
      return () => `${result().data}`
    })
    await act()
    await act(() => world.net.take('GET').answer([a]))
    await act(() => world.sync.mutate(addTodo, b))
    expect(page.read()).toBe('a,b')
    await refuse(world, 'POST')
    expect(page.read()).toBe('a')
  })

  test('stay on the screen as the previous page', async () => {
    const world = todoWorld()
    let turn!: () => void
    const page = show({ sync: world.sync }, ({ useQuery }) => {
      const at = useQuery<number>(() => ({ queryKey: ['at'], queryFn: () => 0, initialData: 0, staleTime: Infinity }))
      turn = () => void world.sync.queryClient.setQueryData(['at'], 1)
      const result = useQuery<Todo[]>(() => pageQuery(at().data ?? 0))
      return () => `${titles(result().data)} ${result().isPlaceholderData}`
    })
    await act()
    await act(() => world.net.take('GET', '/page/0').answer([a]))
    await act(() => world.sync.mutate(renameTodo, { id: 'a', title: 'A!' }))
    await act(() => turn())
    expect(page.read()).toBe('A! true')
    await act(() => world.net.take('GET', '/page/1').answer([a, b]))
    expect(page.read()).toBe('A!,B false')
  })

  test('are there for a query that was never fetched, while a write sets it', async () => {
    const world = todoWorld({ mutations: [writeNote] })
    const page = show({ sync: world.sync }, ({ useQuery }) => {
      const result = useQuery<string>(() => noteQuery)
      return () => `${result().status} ${result().data}`
    })
    await act()
    expect(page.read()).toBe('pending undefined')
    await act(() => world.sync.mutate(writeNote, 'mine'))
    expect(page.read()).toBe('success mine')
    await refuse(world, 'POST')
    expect(page.read()).toBe('pending undefined')
  })

  test('render only those whose data the write changes, and who read it', async () => {
    const world = todoWorld()
    const status: Component = ({ useQuery }) => {
      const result = useQuery(() => todosQuery)
      return () => result().status
    }
    const first: Component = ({ useQuery }) => {
      const result = useQuery<Todo>(() => ({ ...todosQuery, select: (todos: Todo[]) => todos[0] }))
      return () => ` ${result().data?.title}`
    }
    const page = show({ sync: world.sync }, status, first)
    await act()
    await act(() => world.net.take('GET').answer([a, b]))
    expect(page.read()).toBe('success A')
    const { renders } = page
    await act(() => world.sync.mutate(renameTodo, { id: 'b', title: 'B!' }))
    expect(page.renders).toBe(renders)
    await act(() => world.sync.mutate(renameTodo, { id: 'a', title: 'A!' }))
    expect(page.read()).toBe('success A!')
    expect(page.renders).toBe(renders + 1)
  })

  test('of a definition that is made anew at each render, entity and all, settle', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useQuery }) => {
      const result = useQuery<Todo[]>(() => ({ ...todosQuery, rows: [entity<Todo>('todo'), (todos: Todo[]) => todos] }))
      return () => titles(result().data)
    })
    await act()
    await act(() => world.net.take('GET').answer([a]))
    const { renders } = page
    await act(() => world.sync.mutate(addTodo, b))
    expect(page.read()).toBe('A,B')
    expect(page.renders).toBe(renders + 1)
    expect(page.errors).toEqual([])
  })

  test('of one row keep the references of all others', async () => {
    const world = todoWorld()
    const seen: Todo[][] = []
    show({ sync: world.sync }, ({ useQuery }) => {
      const result = useQuery<Todo[]>(() => ({
        ...todosQuery,
        select: (todos: Todo[]) => {
          seen.push(todos)
          return todos
        },
      }))
      return () => titles(result().data)
    })
    await act()
    await act(() => world.net.take('GET').answer([a, b]))
    await act(() => world.sync.mutate(renameTodo, { id: 'b', title: 'B!' }))
    const [before, after] = [seen.at(0), seen.at(-1)]
    expect(after?.[0]).toBe(before?.[0])
    expect(after?.[1]).not.toBe(before?.[1])
  })
})
