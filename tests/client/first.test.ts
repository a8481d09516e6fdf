import { defineMutation, entity, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'
import { createWorld } from '../kit/world'

const listQuery = queryOptions({
  queryKey: ['list'],
  queryFn: ({ fetch }) => fetch('/list').then((r): Promise<string[]> => r.json()),
})
const push = defineMutation({
  mutationKey: ['push'],
  mutationFn: (token: string, { fetch }) =>
    fetch('/push', { body: JSON.stringify(token) }).then((r): Promise<string> => r.json()),
  optimistic: (view, token) => view.update(listQuery.queryKey, (list) => void list.push(token)),
})
void entity

test('keeps an appended token exactly once when the read races the write', async () => {
  const { sync, net, watch, settle } = createWorld({ mutations: [push] })
  sync.start()
  const list = watch<string[]>(listQuery)
  await settle()
  await net.take('GET').answer([], { headers: { 'sync-cursor': 'e:0' } })
  expect(list.data).toEqual([])
  const handle = sync.mutate(push, 'm1')
  expect(list.data).toEqual(['m1'])
  await settle()
  await net.take('POST').answer('m1', { headers: { 'sync-cursor': 'e:1' } })
  await settle()
  expect(list.data).toEqual(['m1'])
  await net.take('GET').answer(['m1'], { headers: { 'sync-cursor': 'e:1' } })
  expect(list.values).toEqual([undefined, [], ['m1']])
  await handle.reflected
  expect(sync.outbox.getState().entries).toEqual([])
})
