import type { StreamMessage } from 'tidemark'
import { defineMutation, entity, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'
import { createWorld } from '../kit/world'

interface Task {
  id: string
  title: string
}
const taskRow = entity<Task>('task')
const tasks = queryOptions({
  queryKey: ['tasks'],
  queryFn: ({ fetch }) => fetch('/tasks').then((response): Promise<Task[]> => response.json()),
  rows: [taskRow, (rows) => rows],
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
  const { sync, net, watch, settle } = createWorld({ mutations: [rename], stream: { url: '/stream', decode } })
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
