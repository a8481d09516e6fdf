// Keys that the application hashes in a way of its own: they may hold what JSON does not take.
import { defineMutation, entity, QueryClient, QueryObserver, queryOptions, syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import { greet } from '../kit/stream.ts'
import { createWorld } from '../kit/world.ts'

interface Task {
  id: bigint
  title: string
}
const taskRow = entity<Task>('task', { id: (task) => String(task.id) })
const hash = (key: readonly unknown[]) =>
  `own ${JSON.stringify(key, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))}`
const tasks = (list: bigint) =>
  queryOptions({
    queryKey: ['tasks', list],
    queryFn: async (): Promise<Task[]> => [{ id: list, title: 'read' }],
    rows: [taskRow, (rows) => rows, { where: () => true }],
  })
const add = defineMutation({
  mutationKey: ['add'],
  mutationFn: async (title: string) => title,
  optimistic: (view, title) => {
    view.insert(tasks(1n).queryKey, taskRow, { id: 9n, title })
    view.update(tasks(2n).queryKey, (rows) => void rows.push({ id: 8n, title }))
  },
})
const queryClient = () =>
  new QueryClient({
    defaultOptions: { queries: { queryKeyHashFn: hash, retry: false, staleTime: Number.POSITIVE_INFINITY } },
  })

test('a key with a BigInt can be watched, set, invalidated, matched and cleared', async () => {
  const { sync, settle } = createWorld({ queryClient: queryClient() })
  const observer = new QueryObserver(sync.viewClient, tasks(1n))
  const stop = observer.subscribe(() => {})
  await settle()
  expect(observer.getCurrentResult().data).toEqual([{ id: 1n, title: 'read' }])
  sync.queryClient.setQueryData(tasks(2n).queryKey, [])
  await sync.queryClient.invalidateQueries({ queryKey: ['tasks', 1n] })
  expect(sync.pending({ queryKey: ['tasks', 1n], exact: true }).getState()).toEqual([])
  stop()
  sync.queryClient.clear()
  expect(sync.queryClient.getQueryCache().getAll()).toEqual([])
})

test('recipes and pushes find a query by the hash that its client makes', async () => {
  const { sync, settle, ...world } = createWorld({
    queryClient: queryClient(),
    mutations: [add],
    stream: syncStream({ url: '/stream' }),
  })
  sync.start()
  const stream = await greet({ sync, settle, ...world })
  for (const list of [1n, 2n]) await sync.queryClient.fetchQuery(tasks(list))
  sync.queryClient.setQueryData(['state'], { count: 0 })
  sync.pause()
  sync.mutate(add, 'shown')
  expect(sync.getView(tasks(1n).queryKey)?.map(({ title }) => title)).toEqual(['read', 'shown'])
  expect(sync.getView(tasks(2n).queryKey)?.map(({ title }) => title)).toEqual(['read', 'shown'])
  expect(sync.pending({ queryKey: tasks(2n).queryKey, exact: true }).getState()).toHaveLength(1)
  await stream.send('state', { key: ['state'], value: { count: 5 }, version: 1 }, 1)
  expect(sync.getBase(['state'])).toEqual({ count: 5 })
})

test('a key that refers to itself stops nothing that is not of it', async () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  const { sync } = createWorld({
    queryClient: new QueryClient({ defaultOptions: { queries: { queryKeyHashFn: (key) => `n${key.length}` } } }),
  })
  sync.queryClient.setQueryData(['a', cyclic], 1)
  sync.queryClient.setQueryData(['a'], 2)
  expect(sync.getView(['a', cyclic])).toBe(1)
  sync.queryClient.clear()
  expect(sync.queryClient.getQueryCache().getAll()).toEqual([])
})
