// @vitest-environment jsdom
// Mistakes are usage errors that say what to do; what is no mistake (a closed client, state of another page) breaks nothing.
import { createSyncClient, defineMutation, hydrate, isSyncError, QueryClient } from 'tidemark'
import { expect, test, vi } from 'vitest'
import { inBoth } from './both.ts'
import type { Component, Hooks, Mounted, MutationResult } from './driver.ts'
import type { Todo } from './todos.ts'
import { addTodo, titles, todosQuery, todoWorld } from './todos.ts'

const a: Todo = { id: 'a', title: 'A' }

/** The one error of a page: a usage error. */
function usageOf(page: Mounted): string {
  expect(page.errors).toHaveLength(1)
  expect(isSyncError(page.errors[0], 'usage')).toBe(true)
  return (page.errors[0] as Error).message
}

const calling =
  (use: (hooks: Hooks) => unknown): Component =>
  (hooks) => {
    use(hooks)
    return () => ''
  }

inBoth('bad input', ({ show, act, name }) => {
  test.each<[string, (hooks: Hooks) => unknown]>([
    ['useSyncClient', ({ useSyncClient }) => useSyncClient()],
    ['useQueryClient', ({ useQueryClient }) => useQueryClient()],
    ['useMutation', ({ useMutation }) => useMutation(addTodo)],
    ['useSyncStatus', ({ useSyncStatus }) => useSyncStatus(({ network }) => network)],
    ['useOutbox', ({ useOutbox }) => useOutbox(({ failed }) => failed)],
    ['usePending', ({ usePending }) => usePending(() => ({}))],
    ['useQuery', ({ useQuery }) => useQuery(() => todosQuery)],
    ['useInfiniteQuery', ({ useInfiniteQuery }) => useInfiniteQuery(() => ({ ...todosQuery }))],
    ['useQueries', ({ useQueries }) => useQueries(() => ({ queries: [todosQuery] }))],
    ['useMutation with inline options', ({ useMutation }) => useMutation({ mutationFn: async () => 1 })],
    ['useIsFetching', ({ useIsFetching }) => useIsFetching()],
    ['useIsMutating', ({ useIsMutating }) => useIsMutating()],
    ['useMutationState', ({ useMutationState }) => useMutationState()],
  ])('%s without a provider says which one to use', async (_, use) => {
    const page = show({ nothing: true }, calling(use))
    await act()
    expect(usageOf(page)).toMatch(name === 'React' ? /<SyncProvider/ : /app\.use\(syncPlugin/)
  })

  test("hooks of ours under TanStack's own provider say which provider to take", async () => {
    const page = show(
      { tanStack: new QueryClient() },
      calling(({ useSyncClient }) => useSyncClient()),
    )
    await act()
    expect(usageOf(page)).toMatch(/from tidemark\/(react|vue)/)
  })

  test('a query without a key is a usage error', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useQuery }) => {
      const result = useQuery(() => ({ queryFn: async () => 1 }))
      return () => `${result().data}`
    })
    await act()
    expect(usageOf(page)).toMatch(/queryKey/)
  })

  test('a mutation that is not registered is a usage error of mutate, and the page lives on', async () => {
    const world = todoWorld()
    let result!: () => MutationResult
    const page = show({ sync: world.sync }, ({ useMutation }) => {
      result = useMutation(defineMutation({ mutationKey: ['todos', 'ad'], mutationFn: async () => 1 }))
      return () => result().status
    })
    await act()
    expect(() => result().mutate()).toThrow(/did you mean "todos\/add"/)
    expect(page.read()).toBe('idle')
    expect(page.errors).toEqual([])
  })

  test('variables that cannot be kept are a usage error of mutate', async () => {
    const world = todoWorld()
    let result!: () => MutationResult
    show({ sync: world.sync }, ({ useMutation }) => {
      result = useMutation(addTodo)
      return () => result().status
    })
    await act()
    expect(() => result().mutate({ id: 'a', title: () => 'A' })).toThrow(/title is a function/)
    expect(result().status).toBe('idle')
  })

  test('variables that refer to themselves are a usage error of mutate', async () => {
    const world = todoWorld()
    let result!: () => MutationResult
    show({ sync: world.sync }, ({ useMutation }) => {
      result = useMutation(addTodo)
      return () => result().status
    })
    await act()
    const todo: Record<string, unknown> = { id: 'a', title: 'A' }
    todo['parent'] = { child: todo }
    expect(() => result().mutate(todo)).toThrow(/variables\.parent\.child refers to itself/)
  })

  test('variables that are too deep are a usage error of mutate', async () => {
    const world = todoWorld()
    let result!: () => MutationResult
    show({ sync: world.sync }, ({ useMutation }) => {
      result = useMutation(addTodo)
      return () => result().status
    })
    await act()
    let deep: unknown = 'A'
    for (let i = 0; i < 100_000; i++) deep = { deep }
    expect(() => result().mutate({ id: 'a', title: deep })).toThrow(/is more than 500 levels deep/)
  })

  test('a serializer that keeps circles is given them', async () => {
    const kept: unknown[] = []
    const serializer = {
      serialize: (value: unknown) => `${kept.push(structuredClone(value)) - 1}`,
      deserialize: (text: string) => structuredClone(kept[Number(text)]),
    }
    const world = todoWorld({ serializer })
    let result!: () => MutationResult
    const page = show({ sync: world.sync }, ({ useMutation }) => {
      result = useMutation(addTodo)
      return () => result().status
    })
    await act()
    const todo: Record<string, unknown> = { id: 'a', title: 'A' }
    todo['self'] = todo
    await act(() => result().mutate(todo))
    expect(page.errors).toEqual([])
    const [entry] = world.sync.outbox.getState().failed // what sends it makes JSON of it
    const variables = entry?.variables as { self: unknown }
    expect(variables.self).toBe(variables)
  })

  test('a copy of a mutation with onMutate is told of once', async () => {
    const world = todoWorld()
    const copy = { ...addTodo, onMutate: () => {} }
    for (let i = 0; i < 2; i++)
      show(
        { sync: world.sync },
        calling(({ useMutation }) => useMutation(copy)),
      )
    await act()
    expect(world.warnings).toEqual([expect.stringMatching(/"onMutate", which is never called/)])
  })

  test('a provider that is closed says nothing in production', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const sync = createSyncClient({ platform: { development: false } })
    await sync.close()
    show({ sync }, () => () => 'here')
    await act()
    expect(warn).not.toHaveBeenCalled()
  })

  test('a write on a client that was closed fails, and what was shown stays', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const world = todoWorld()
    let result!: () => MutationResult
    const page = show({ sync: world.sync }, ({ useMutation, useSyncStatus, useOutbox, usePending }) => {
      result = useMutation(addTodo)
      useSyncStatus((status) => status)
      useOutbox((outbox) => outbox)
      usePending(() => ({}))
      return () => result().status
    })
    await act()
    await act(() => world.sync.close())
    await act(() => result().mutate(a))
    expect(page.read()).toBe('error')
    expect(isSyncError(result().error, 'stopped')).toBe(true)
    await expect(result().mutateAsync(a)).rejects.toMatchObject({ code: 'stopped' })
    expect(page.errors).toEqual([])
    expect(warn).not.toHaveBeenCalled()
  })

  test('a provider of a client that was closed renders, and says so', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const world = todoWorld()
    await world.sync.close()
    const page = show({ sync: world.sync }, () => () => 'here')
    await act()
    expect(page.read()).toBe('here')
    expect(page.errors).toEqual([])
    expect(warn.mock.calls.join()).toMatch(/closed/)
  })

  test('a second sync client for one QueryClient is a usage error', async () => {
    const queryClient = new QueryClient()
    show({ queryClient }, () => () => '')
    await act()
    expect(() => createSyncClient({ queryClient })).toThrow(/belongs to a sync client already/)
  })

  test('a result of a component that has gone can still be asked', async () => {
    const world = todoWorld()
    const stop = world.sync.start()
    let result!: () => MutationResult
    const page = show({ sync: world.sync }, ({ useMutation }) => {
      result = useMutation(addTodo)
      return () => ''
    })
    await act()
    page.unmount()
    const saved = result().mutateAsync(a)
    await act()
    await world.net.take('POST').answer(a)
    await expect(saved).resolves.toEqual(a)
    stop()
  })
})

test.each<[string, unknown, string]>([
  ['text', 'no state', ''],
  ['a list', [], ''],
  ['queries that are no list', { queries: {} }, ''],
  ['an empty query', { queries: [{}] }, ''],
  ['no query at all', { queries: [null, 5] }, ''],
  ['a query without a state', { queries: [{ queryHash: '["todos"]', queryKey: ['todos'] }] }, ''],
  [
    'one of two queries',
    {
      queries: [
        { queryHash: 5, queryKey: ['todos'], state: {} },
        { queryHash: '["todos"]', queryKey: ['todos'], state: { data: [a], status: 'success', dataUpdatedAt: 1 } },
      ],
    },
    'A',
  ],
  ['a mutation without a state', { mutations: [{}] }, ''],
])('malformed state (%s) is left out and reported when it is hydrated', (_, state, shown) => {
  const world = todoWorld()
  hydrate(world.sync.queryClient, state)
  expect(titles(world.sync.getView(todosQuery.queryKey) ?? [])).toBe(shown)
  expect(world.reports.map(({ code }) => code)).toEqual(['usage'])
  expect(world.reports[0]?.message).toMatch(/malformed/)
})

test('a malformed cursor counts as none', () => {
  const world = todoWorld()
  const state = { data: [a], status: 'success', dataUpdatedAt: 1, cursor: { at: 5 } }
  hydrate(world.sync.queryClient, { queries: [{ queryHash: '["todos"]', queryKey: ['todos'], state }] })
  expect(world.sync.getBase(todosQuery.queryKey)).toEqual([a])
})

test('no state is nothing to hydrate', () => {
  const world = todoWorld()
  hydrate(world.sync.queryClient, undefined)
  hydrate(world.sync.queryClient, null)
  hydrate(new QueryClient(), { queries: 5 })
  expect(world.reports).toEqual([])
})
