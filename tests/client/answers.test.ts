import { defineMutation, entity, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'
import { createWorld } from '../kit/world'

interface Row {
  id: string
  count: number
}
const counterRow = entity<Row>('row')
const rows = queryOptions({
  queryKey: ['rows'],
  queryFn: ({ fetch }) => fetch('/rows').then((response): Promise<Row[]> => response.json()),
  rows: [counterRow, (list) => list, { where: () => true }],
})
const bump = defineMutation({
  mutationKey: ['bump'],
  mutationFn: ({ id }: { id: string }, { fetch }) =>
    fetch(`/bump/${id}`).then((response): Promise<Row | null> => response.json()),
  optimistic: (view, { id }) => view.row(counterRow, id).update((draft) => void draft.count++),
  apply: (base, saved) => {
    if (saved !== null) base.upsert(counterRow, saved)
  },
  scope: ({ id }) => ({ id }),
})

test('without cursors, a row from an answer says nothing of the other rows', async () => {
  const { sync, net, watch, settle } = createWorld({ mutations: [bump] })
  sync.start()
  const list = watch<Row[]>(rows)
  await settle()
  await net.take('GET').answer([
    { id: 'a', count: 0 },
    { id: 'b', count: 0 },
  ])
  sync.mutate(bump, { id: 'a' })
  await settle()
  await net.take('POST', '/bump/a').answer(null) // accepted, without the row: base lacks it until the next read
  sync.mutate(bump, { id: 'b' })
  await settle()
  await net.take('POST', '/bump/b').answer({ id: 'b', count: 1 })
  expect(list.data?.map(({ count }) => count)).toEqual([1, 1])
  expect(list.values.slice(1).map((shown) => shown?.map(({ count }) => count).join())).toEqual(['0,0', '1,0', '1,1'])
})

test('a change of one row of 10 000 looks at that row, whatever brings it: rows that stand where they stood are not found again', async () => {
  let looks = 0
  const kind = entity<{ id: string; n: number }>('counted', {
    id: ({ id }) => {
      looks++
      return id
    },
  })
  const rows = queryOptions({
    queryKey: ['counted'],
    queryFn: () => new Promise<{ id: string; n: number }[]>(() => {}),
    rows: [kind, (all) => all, { where: () => true }],
  })
  const change = defineMutation({
    mutationKey: ['change'],
    mutationFn: (row: { id: string; n: number }) => Promise.resolve(row),
    optimistic: (view, { id, n }) =>
      view.row(kind, id).update((row) => {
        row.n = n
      }),
    apply: (base, row) => base.upsert(kind, row),
  })
  const { sync, watch, settle } = createWorld({ mutations: [change], platform: { development: false } })
  sync.start()
  const list = watch<{ n: number }[]>(rows)
  sync.queryClient.setQueryData(
    ['counted'],
    Array.from({ length: 10_000 }, (_, n) => ({ id: `r${n}`, n: 0 })),
  )
  sync.mutate(change, { id: 'r0', n: 1 })
  await settle()
  looks = 0
  for (let n = 1; n <= 5; n++) {
    await sync.mutate(change, { id: `r${n}`, n }).confirmed
    await settle()
    sync.mutate(change, { id: `r${n}`, n: -n }).cancel()
  }
  expect(list.data?.slice(0, 7).map(({ n }) => n)).toEqual([1, 1, 2, 3, 4, 5, 0])
  expect(looks).toBeLessThan(500)
})
