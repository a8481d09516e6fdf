// @vitest-environment jsdom
// The outbox in query-core's MutationCache, where TanStack's hooks, devtools and global callbacks look.
import type { SyncClientOptions } from 'tidemark'
import {
  createSyncClient,
  dehydrate,
  hydrate,
  MutationCache,
  memoryStorage,
  mirrorMutations,
  QueryClient,
} from 'tidemark'
import { expect, test, vi } from 'vitest'
import { inBoth } from './both.ts'
import type { Todo } from './todos.ts'
import { addTodo, renameTodo, todoWorld } from './todos.ts'

const a: Todo = { id: 'a', title: 'A' }
const b: Todo = { id: 'b', title: 'B' }

inBoth("TanStack's hooks of the mutation cache", ({ show, act }) => {
  test('useIsMutating counts entries until they are accepted or refused', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useIsMutating }) => {
      const all = useIsMutating()
      const adds = useIsMutating({ mutationKey: addTodo.mutationKey })
      return () => `${all()}${adds()}`
    })
    await act()
    await act(() => {
      world.sync.mutate(addTodo, a)
      world.sync.mutate(renameTodo, b)
    })
    expect(page.read()).toBe('21')
    await act(() => world.net.take('POST').answer(a))
    expect(page.read()).toBe('10')
    await act(() => world.net.take('PUT').answer({}, { status: 422 }))
    expect(page.read()).toBe('00')
  })

  test('useIsMutating follows mutate in its turn', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useIsMutating }) => {
      const all = useIsMutating()
      return () => `${all()}`
    })
    await act()
    world.sync.mutate(addTodo, a)
    for (let i = 0; i < 3; i++) await Promise.resolve()
    expect(page.read()).toBe('1')
  })

  test('useMutationState shows variables, pauses and results', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useMutationState }) => {
      const states = useMutationState({
        filters: { mutationKey: ['todos'] },
        select: ({ state }: { state: { status: string; isPaused: boolean; variables: Todo; data?: Todo } }) =>
          `${state.variables.title} ${state.status} ${state.isPaused} ${state.data?.title}`,
      })
      return () => states().join('; ')
    })
    await act(() => world.net.network.set('offline'))
    await act(() => world.sync.mutate(addTodo, a))
    expect(page.read()).toBe('A pending true undefined')
    await act(() => world.net.network.set('online'))
    expect(page.read()).toBe('A pending false undefined')
    await act(() => world.net.take('POST').answer({ ...a, title: 'A!' }))
    expect(page.read()).toBe('A success false A!')
  })
})

const cacheOf = (callbacks: ConstructorParameters<typeof MutationCache>[0]) =>
  new QueryClient({ mutationCache: new MutationCache(callbacks) })

/** As inside a provider, which installs the mirror. */
function mirroredWorld(options: SyncClientOptions = {}) {
  const world = todoWorld(options)
  mirrorMutations(world.sync)
  return world
}

test('the global callbacks hear of every entry, with its mutation', async () => {
  const calls: unknown[][] = []
  const note =
    (name: string) =>
    (...args: unknown[]) =>
      void calls.push([name, ...args.slice(0, -2), (args.at(-2) as { meta: object }).meta])
  const queryClient = cacheOf({
    onMutate: note('mutate'),
    onSuccess: note('success'),
    onError: note('error'),
    onSettled: note('settled'),
  })
  const world = mirroredWorld({ queryClient })
  world.sync.start()
  const first = world.sync.mutate(addTodo, a)
  const second = world.sync.mutate(addTodo, b)
  await world.settle()
  await world.net.take('POST').answer(a)
  await world.net.take('POST').answer({ title: 'No' }, { status: 422 })
  const error = await second.confirmed.catch((reason: unknown) => reason)
  await world.settle()
  const [one, two] = [first.id, second.id].map((outboxEntry) => ({ outboxEntry }))
  expect(calls).toEqual([
    ['mutate', a, one],
    ['mutate', b, two],
    ['success', a, a, undefined, one],
    ['settled', a, null, a, undefined, one],
    ['error', error, b, undefined, two],
    ['settled', undefined, error, b, undefined, two],
  ])
})

test('a global callback that throws is reported, and stops nothing', async () => {
  const queryClient = cacheOf({
    onSuccess: () => {
      throw new Error('mine')
    },
    onSettled: () => Promise.reject(new Error('later')),
  })
  const world = mirroredWorld({ queryClient })
  world.sync.start()
  const handle = world.sync.mutate(addTodo, a)
  await world.settle()
  await world.net.take('POST').answer(a)
  await expect(handle.confirmed).resolves.toEqual(a)
  await world.settle()
  expect(world.reports.map(({ code, cause }) => [code, (cause as Error).message])).toEqual([
    ['usage', 'mine'],
    ['usage', 'later'],
  ])
  expect(queryClient.getMutationCache().getAll()[0]?.state.status).toBe('success')
})

test('what was taken back leaves no trace, and is no error', async () => {
  const onError = vi.fn()
  const world = mirroredWorld({ queryClient: cacheOf({ onError }) })
  const handle = world.sync.mutate(addTodo, a)
  expect(world.sync.queryClient.isMutating()).toBe(1)
  expect(handle.cancel()).toBe(true)
  await world.settle()
  expect(world.sync.queryClient.getMutationCache().getAll()).toEqual([])
  expect(onError).not.toHaveBeenCalled()
})

test('closing the client is no error of what was pending', async () => {
  const onError = vi.fn()
  const world = mirroredWorld({ queryClient: cacheOf({ onError }) })
  world.sync.mutate(addTodo, a)
  await world.sync.close()
  await world.settle()
  expect(onError).not.toHaveBeenCalled()
})

test('entries of an earlier page are there, and are not announced as new', async () => {
  const storage = memoryStorage()
  const before = mirroredWorld({ storage })
  await before.sync.mutate(addTodo, a).durable
  const onMutate = vi.fn()
  const world = mirroredWorld({ storage, queryClient: cacheOf({ onMutate }) })
  world.sync.start()
  await world.sync.ready
  expect(world.sync.queryClient.isMutating()).toBe(1)
  expect(onMutate).not.toHaveBeenCalled()
})

test('query-core resumes nothing that is the queue’s: each write leaves once', async () => {
  const world = mirroredWorld()
  world.sync.start()
  await world.net.network.set('offline')
  world.sync.mutate(addTodo, a)
  await world.settle()
  await world.sync.queryClient.resumePausedMutations()
  await world.settle()
  expect(world.net.log).toHaveLength(0)
  await world.net.network.set('online')
  await world.sync.queryClient.resumePausedMutations()
  await world.settle()
  expect(world.net.log).toHaveLength(1)
})

test('a paused entry that a persister kept is dropped when it is hydrated: the outbox has it', async () => {
  const world = mirroredWorld()
  await world.net.network.set('offline')
  world.sync.mutate(addTodo, a)
  const kept = JSON.parse(JSON.stringify(dehydrate(world.sync.queryClient))) as object
  expect(kept).toMatchObject({ mutations: [{ state: { isPaused: true } }] })
  for (const when of ['before', 'after']) {
    const next = createSyncClient({ mutations: [addTodo] })
    if (when === 'after') mirrorMutations(next)
    hydrate(next.queryClient, kept)
    if (when === 'before') mirrorMutations(next)
    expect(next.queryClient.getMutationCache().getAll()).toEqual([])
  }
})

test('without a provider nothing is mirrored before mirrorMutations, which shows what is pending, once', async () => {
  const onMutate = vi.fn()
  const { sync } = todoWorld({ queryClient: cacheOf({ onMutate }) })
  sync.mutate(addTodo, a)
  expect(sync.queryClient.isMutating()).toBe(0)
  mirrorMutations(sync)
  mirrorMutations(sync)
  expect(sync.queryClient.isMutating()).toBe(1)
  expect(onMutate).not.toHaveBeenCalled()
  sync.mutate(addTodo, b)
  expect(sync.queryClient.isMutating()).toBe(2)
  expect(onMutate).toHaveBeenCalledOnce()
  await sync.close({ outbox: 'discard' })
  expect(sync.queryClient.isMutating()).toBe(0)
})

test('mirrorMutations refuses what is not a sync client', () => {
  const what = 'mirrorMutations needs a sync client: what createSyncClient() returned.'
  expect(() => mirrorMutations(new QueryClient() as never)).toThrow(what)
  expect(() => mirrorMutations(undefined as never)).toThrow(what)
})

test('an application’s own mutations are left alone', async () => {
  const { queryClient } = mirroredWorld().sync
  const mutation = queryClient.getMutationCache().build(queryClient, { mutationFn: async (n: number) => n + 1 })
  await expect(mutation.execute(1)).resolves.toBe(2)
})
