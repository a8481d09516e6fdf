import { defineMutation, entity, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'
import { createWorld } from '../kit/world'

interface Counter {
  id: string
  count: number
}
const counterRow = entity<Counter>('counter')
const counters = queryOptions({
  queryKey: ['counters'],
  queryFn: ({ fetch }) => fetch('/counters').then((response): Promise<Counter[]> => response.json()),
  rows: [counterRow, (rows) => rows, { where: () => true }],
})
const send =
  (url: string) =>
  (_: unknown, { fetch }: { fetch: (url: string) => Promise<Response> }) =>
    fetch(url).then((response): Promise<unknown> => response.json())
const bump = defineMutation({
  mutationKey: ['bump'],
  mutationFn: send('/bump'),
  optimistic: (view, _: { by: string }) => view.row(counterRow, 'a').update((draft) => void draft.count++),
  scope: ({ by }) => ({ id: by }),
})
let calls = 0
const guess = defineMutation({
  mutationKey: ['guess'],
  mutationFn: send('/guess'),
  optimistic: (view) =>
    view.row(counterRow, 'a').update((draft) => {
      draft.count = calls++
    }),
})

async function start() {
  const world = createWorld({ mutations: [bump, guess] })
  world.sync.start()
  const watch = world.watch<Counter[]>(counters)
  await world.settle()
  await world.net.take('GET').answer([{ id: 'a', count: 0 }])
  return { ...world, watch }
}

test('warns of a recipe that gives two results on the same data', async () => {
  const { sync, warnings } = await start()
  sync.mutate(guess, undefined)
  expect(warnings).toEqual([expect.stringContaining('two results on the same data')])
})

test('warns once of two scopes that change one row', async () => {
  const { sync, warnings } = await start()
  sync.mutate(bump, { by: 'one' })
  sync.mutate(bump, { by: 'two' })
  sync.mutate(bump, { by: 'two' })
  expect(warnings).toEqual([expect.stringMatching(/counter a.*scope "two" while scope "one"/)])
})

test('warns once of a recipe that makes a query without names wait', async () => {
  const { sync, warnings, net, settle } = await start()
  sync.mutate(bump, { by: 'one' })
  await settle()
  void sync.queryClient.refetchQueries({ queryKey: ['counters'] })
  await settle()
  await net.take('GET').answer([{ id: 'a', count: 1 }])
  expect(warnings).toEqual([expect.stringContaining('gets no news')])
  expect(sync.getView(['counters'])).toEqual([{ id: 'a', count: 1 }])
  expect(sync.status.getState().waiting).toEqual([['counters']])
})
