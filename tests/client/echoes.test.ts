import type { StreamMessage } from 'tidemark'
import { defineMutation, entity, queryOptions, syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import { greet } from '../kit/stream'
import { createWorld } from '../kit/world'

interface Task {
  id: string
  title: string
}
const taskRow = entity<Task>('task')
const tasks = queryOptions({
  queryKey: ['tasks'],
  queryFn: ({ fetch }) => fetch('/tasks').then((response): Promise<Task[]> => response.json()),
  rows: [taskRow, (rows) => rows, { where: () => true }],
})
const rename = defineMutation({
  mutationKey: ['rename'],
  mutationFn: (task: Task, { fetch }) =>
    fetch('/rename', { body: JSON.stringify(task) }).then((response): Promise<Task> => response.json()),
  optimistic: (view, task) => view.upsert(taskRow, task),
  apply: (base, saved) => base.upsert(taskRow, saved),
})
const decode = ({ event, data }: { event: string; data: string }): StreamMessage[] => [
  { ...(JSON.parse(data) as object), event } as StreamMessage,
]

test('an own echo without a position reads nothing, also when the query was read again since', async () => {
  const { sync, net, watch, settle } = createWorld({
    mutations: [rename],
    stream: syncStream({ url: '/stream', decode }),
  })
  sync.start()
  await settle()
  const list = watch<Task[]>(tasks)
  await settle()
  await net.take('GET').answer([{ id: 'a', title: 'old' }])
  const handle = sync.mutate(rename, { id: 'a', title: 'new' })
  await settle()
  await net.take('POST').answer({ id: 'a', title: 'new' })
  void sync.queryClient.refetchQueries({ queryKey: ['tasks'] })
  await settle()
  await net.take('GET').answer([{ id: 'a', title: 'new' }])
  expect(net.waiting).toEqual([])
  await net.stream().send('invalidate', { keys: [['tasks']], mutations: [{ id: handle.id }] })
  expect(net.waiting).toEqual([])
  expect(list.data).toEqual([{ id: 'a', title: 'new' }])
  await net.stream().send('invalidate', { keys: [['tasks']], mutations: [{ id: 'of somebody else' }] })
  expect(net.waiting.map(({ url }) => url)).toEqual(['/tasks'])
})

test('an echo before the answer: the entry is reflected, and pending until the answer is there', async () => {
  const world = createWorld({ mutations: [rename], stream: syncStream({ url: '/stream' }) })
  const { sync, net, watch, settle } = world
  sync.start()
  const stream = await greet(world)
  const list = watch<Task[]>(tasks)
  await settle()
  await net.take('GET').answer([{ id: 'a', title: 'old' }], { headers: { 'sync-cursor': 'e:0' } })
  const handle = sync.mutate(rename, { id: 'a', title: 'new' })
  await settle()
  const value = { id: 'a', title: 'new' }
  await stream.patch(1, [{ op: 'put', type: 'task', id: 'a', version: 1, value }], { mutations: [handle.id] })
  expect(sync.getBase(tasks.queryKey)).toEqual([value])
  expect(sync.outbox.getState().entries).toMatchObject([{ status: 'confirmed', isReflected: true, isSending: true }])
  expect(sync.pending().getState()).toHaveLength(1)
  expect(sync.progress(handle.id)?.getState().status).toBe('pending')
  await net.take('POST').answer(value, { headers: { 'sync-cursor': 'e:1' } })
  await settle()
  expect(await handle.confirmed).toEqual(value)
  expect(sync.outbox.getState().entries).toEqual([])
  expect(sync.pending().getState()).toEqual([])
  expect(list.data).toEqual([value])
})
