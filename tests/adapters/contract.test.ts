// @vitest-environment jsdom
// What both adapters promise of views, status and pending writes, written once. How a component is written for either
// framework is in driver.ts.
import { createQueryStore, memoryStorage } from 'tidemark'
import { expect, onTestFinished, test } from 'vitest'
import { inBoth } from './both.ts'
import type { Component } from './driver.ts'
import type { Todo } from './todos.ts'
import { addTodo, renameTodo, titles, todoRow, todosQuery, todoWorld } from './todos.ts'

const list: Component = ({ useQuery }) => {
  const result = useQuery<Todo[]>(() => todosQuery)
  return () => titles(result().data)
}

const a: Todo = { id: 'a', title: 'A' }
const b: Todo = { id: 'b', title: 'B' }

inBoth('views', ({ show, act }) => {
  test('a write is on the screen in the turn of mutate, without a timer', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, list)
    await act()
    await act(() => world.net.take('GET').answer([a]))
    expect(page.read()).toBe('A')
    world.sync.mutate(addTodo, b)
    for (let i = 0; i < 3; i++) await Promise.resolve()
    expect(page.read()).toBe('A,B')
  })

  test('a write that is refused leaves the screen', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, list)
    await act()
    await act(() => world.net.take('GET').answer([a]))
    await act(() => world.sync.mutate(addTodo, b))
    expect(page.read()).toBe('A,B')
    await act(() => world.net.take('POST').answer({ title: 'No' }, { status: 422 }))
    expect(page.read()).toBe('A')
  })

  test('a write that is accepted stays, and no render in between shows the old list', async () => {
    const world = todoWorld()
    const shown: string[] = []
    show({ sync: world.sync }, (hooks) => {
      const read = list(hooks)
      return () => {
        shown.push(read())
        return ''
      }
    })
    await act()
    await act(() => world.net.take('GET').answer([a]))
    await act(() => world.sync.mutate(addTodo, b))
    await act(() => world.net.take('POST').answer({ ...b, title: 'B!' }))
    expect(shown.filter((each, i) => each !== shown[i - 1])).toEqual(['-', 'A', 'A,B', 'A,B!'])
  })

  test('components side by side show one write in one step', async () => {
    const world = todoWorld()
    const seen: string[] = []
    const count: Component = ({ useQuery }) => {
      const result = useQuery<number>(() => ({ ...todosQuery, select: (todos: Todo[]) => todos.length }))
      return () => `${result().data}`
    }
    const page = show({ sync: world.sync }, list, count)
    await act()
    await act(() => world.net.take('GET').answer([a]))
    new MutationObserver(() => seen.push(page.read())).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    })
    await act(() => world.sync.mutate(addTodo, b))
    expect(seen).toEqual(['A,B2'])
  })

  test('what an earlier page left in the outbox is on the screen when the list is', async () => {
    const storage = memoryStorage()
    const before = todoWorld({ storage })
    before.sync.start()
    await before.net.network.set('offline')
    await before.sync.mutate(addTodo, b).durable
    const world = todoWorld({ storage })
    const page = show({ sync: world.sync }, list)
    await act()
    await act(() => world.net.take('GET').answer([a]))
    expect(page.read()).toBe('A,B')
  })

  test('a client is started while it is mounted, and stopped after its last provider', async () => {
    const world = todoWorld()
    const nothing: Component = () => () => ''
    const first = show({ sync: world.sync }, nothing)
    const second = show({ sync: world.sync }, nothing)
    await act()
    first.unmount()
    await act(() => world.sync.mutate(addTodo, a))
    expect(world.net.waiting).toHaveLength(1)
    await act(() => world.net.take('POST').answer(a))
    second.unmount()
    await act(() => world.sync.mutate(addTodo, b))
    expect(world.net.waiting).toHaveLength(0)
  })
})

inBoth('a row', ({ show, act }) => {
  const watched = async () => {
    const world = todoWorld()
    onTestFinished(createQueryStore(world.sync, todosQuery).subscribe(() => {}))
    await act()
    await act(() => world.net.take('GET').answer([a, b]))
    return world
  }

  test('renders when it changes, and never for the rest of its list', async () => {
    const world = await watched()
    const page = show({ sync: world.sync }, ({ useRow }) => {
      const row = useRow(todoRow, () => 'a')
      const length = useRow(
        todoRow,
        () => 'a',
        (todo) => todo?.title.length,
      )
      return () => `${row()?.title} ${length()}`
    })
    await act()
    expect(page.read()).toBe('A 1')
    const { renders } = page
    await act(() => world.sync.mutate(renameTodo, { id: 'b', title: 'Bread' }))
    expect([page.read(), page.renders]).toEqual(['A 1', renders])
    await act(() => world.sync.mutate(renameTodo, { id: 'a', title: 'Apple' }))
    expect([page.read(), page.renders]).toEqual(['Apple 5', renders + 1])
    await act(() => world.net.take('PUT', '/todos/b').answer({ title: 'No' }, { status: 422 }))
    expect(page.renders).toBe(renders + 1)
  })

  test('follows another id', async () => {
    const world = await watched()
    const page = show({ sync: world.sync }, ({ useRow, useSyncStatus }) => {
      const network = useSyncStatus((status) => status.network)
      const row = useRow(todoRow, () => (network() === 'online' ? 'a' : 'b'))
      return () => String(row()?.title)
    })
    await act()
    expect(page.read()).toBe('A')
    await act(() => world.net.network.set('offline'))
    expect(page.read()).toBe('B')
    await act(() => world.sync.mutate(renameTodo, { id: 'b', title: 'Bread' }))
    expect(page.read()).toBe('Bread')
  })
})

inBoth('status', ({ show, act }) => {
  test('selectors show network and outbox', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useSyncStatus, useOutbox }) => {
      const network = useSyncStatus(({ network }) => network)
      const keys = useOutbox(({ entries }) => entries.map(({ mutationKey }) => mutationKey.join('/')))
      return () => `${network()} ${keys()}`
    })
    await act(() => world.net.network.set('offline'))
    await act(() => world.sync.mutate(addTodo, a))
    expect(page.read()).toBe('offline todos/add')
  })

  test('a selector that makes an equal object is no reason to render', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useSyncStatus }) => {
      const value = useSyncStatus(({ network }) => ({ network, list: [network] }))
      return () => value().list.join()
    })
    await act()
    const { renders } = page
    await act(() => world.sync.mutate(addTodo, a))
    expect(page.renders).toBe(renders)
    await act(() => world.net.network.set('offline'))
    expect(page.read()).toBe('offline')
    expect(page.renders).toBe(renders + 1)
  })

  test('failed entries are in the outbox, with the rows that they were about', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useOutbox }) => {
      const failed = useOutbox(({ failed }) => failed)
      return () =>
        failed()
          .map(({ rows, failure }) => `${rows[0]?.type} ${rows[0]?.id}: ${failure?.message}`)
          .join()
    })
    await act(() => world.sync.mutate(addTodo, a))
    await act(() => world.net.take('POST').answer({ title: 'Too long' }, { status: 422 }))
    expect(page.read()).toBe('todo a: Too long')
  })
})

const pendingRow =
  (id: string): Component =>
  ({ usePending }) => {
    const pending = usePending(
      () => ({ entity: todoRow, id }),
      (writes) => writes.length,
    )
    return () => `${id}${pending()}`
  }

inBoth('pending', ({ show, act }) => {
  test('a row is told of its own writes only', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, pendingRow('a'), pendingRow('b'))
    await act()
    expect(page.read()).toBe('a0b0')
    const { renders } = page
    await act(() => world.sync.mutate(renameTodo, { id: 'b', title: 'B!' }))
    expect(page.read()).toBe('a0b1')
    expect(page.renders).toBe(renders + 1)
  })

  test('a row is no longer pending when the server has accepted its write and the screen shows it', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, list, pendingRow('b'))
    await act()
    await act(() => world.net.take('GET').answer([a]))
    await act(() => world.sync.mutate(addTodo, b))
    expect(page.read()).toBe('A,Bb1')
    await act(() => world.net.take('POST').answer(b))
    expect(page.read()).toBe('A,Bb0')
  })

  test('writes are found by mutation, by kind of row and by query', async () => {
    const world = todoWorld()
    const filters = [
      {},
      { mutationKey: ['todos'] },
      { mutationKey: ['todos'], exact: true },
      { mutationKey: ['todos', 'add'], exact: true },
      { entity: todoRow },
      { entity: { type: 'list' } },
      { queryKey: ['todos'] },
      { queryKey: ['lists'] },
      { queryKey: [], exact: true },
      { entity: todoRow, id: 'a', mutationKey: ['todos', 'add'] },
    ]
    const page = show({ sync: world.sync }, list, ({ usePending }) => {
      const all = filters.map((filter) =>
        usePending(
          () => filter,
          (writes) => writes.length,
        ),
      )
      return () => ` ${all.map((read) => read()).join('')}`
    })
    await act()
    await act(() => world.net.take('GET').answer([a]))
    await act(() => {
      world.sync.mutate(renameTodo, { id: 'a', title: 'A!' })
      world.sync.mutate(addTodo, b)
    })
    expect(page.read()).toBe('A!,B 2201202000')
  })

  test('a filter may change', async () => {
    const world = todoWorld()
    let again!: () => void
    const page = show({ sync: world.sync }, ({ usePending, useQuery }) => {
      const shown = useQuery<number>(() => ({
        queryKey: ['id'],
        queryFn: () => 0,
        initialData: 0,
        staleTime: Infinity,
      }))
      again = () => world.sync.queryClient.setQueryData(['id'], (n: number) => n + 1)
      const pending = usePending(
        () => ({ entity: todoRow, id: shown().data === 0 ? 'a' : 'b' }),
        (writes) => writes.length,
      )
      return () => `${shown().data}:${pending()}`
    })
    await act(() => world.sync.mutate(renameTodo, { id: 'b', title: 'B!' }))
    expect(page.read()).toBe('0:0')
    await act(() => again())
    expect(page.read()).toBe('1:1')
  })
})

inBoth('clients', ({ show, act, createQueryClient }) => {
  test("useQueryClient returns the application's client, and useSyncClient the one around it", async () => {
    const world = todoWorld()
    const seen: unknown[] = []
    show({ sync: world.sync }, ({ useQueryClient, useSyncClient }) => {
      seen.push(useQueryClient(), useSyncClient())
      return () => ''
    })
    await act()
    expect(seen[0]).toBe(world.sync.queryClient)
    expect(seen[1]).toBe(world.sync)
  })

  test('a plain QueryClient gets one pull-only sync client, however many providers it has', async () => {
    const queryClient = createQueryClient()
    const seen: unknown[] = []
    const part: Component = ({ useQuery, useQueryClient, useSyncClient, useSyncStatus }) => {
      seen.push(useSyncClient())
      expect(useQueryClient()).toBe(queryClient)
      const result = useQuery<string>(() => ({ queryKey: ['word'], queryFn: async () => 'word' }))
      const stream = useSyncStatus((status) => status.stream)
      return () => `${result().data} ${stream()} `
    }
    const first = show({ queryClient }, part)
    const second = show({ queryClient }, part)
    await act()
    expect(first.read() + second.read()).toBe('word off word off ')
    expect(new Set(seen).size).toBe(1)
  })

  test('the provider of a QueryClient that has a sync client is that client’s provider', async () => {
    const world = todoWorld()
    const page = show({ queryClient: world.sync.queryClient }, list)
    await act()
    await act(() => world.net.take('GET').answer([a]))
    await act(() => world.sync.mutate(addTodo, b))
    expect(page.read()).toBe('A,B')
  })
})
