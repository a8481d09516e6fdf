// With a clock and a seed the mock server and the client have nothing left to chance.
import { createSyncClient, defineMutation, queryOptions, seededRandom, syncStream } from 'tidemark'
import { createMockServer } from 'tidemark/mocks'
import { expect, test } from 'vitest'
import { MILK, open, testClock, turns } from './support'

async function run(seed: number) {
  const clock = testClock(1_000_000)
  const server = open(createMockServer({ tables: { todos: { rows: [MILK] } }, clock, seed }))
  const rename = defineMutation({
    mutationKey: ['rename'],
    mutationFn: (title: string, { fetch }) =>
      fetch('/api/todos/milk', { method: 'PATCH', body: JSON.stringify({ title }) }).then(
        (r): Promise<unknown> => r.json(),
      ),
  })
  const todos = queryOptions({
    queryKey: ['todos'],
    queryFn: ({ fetch }) => fetch('/api/todos').then((r): Promise<unknown> => r.json()),
    retry: false,
  })
  const sync = createSyncClient({
    mutations: [rename],
    stream: syncStream({ url: '/api/sync' }),
    platform: { fetch: server.fetch, clock, random: seededRandom(seed) },
    onReport: () => {},
  })
  const stop = sync.start()
  server.faults.latency([10, 3_000], { on: () => true })
  server.faults.loseAnswer({ times: 3, skip: 1 })
  server.faults.loseRequest({ times: 2, skip: 2 })
  server.faults.cut({ skip: 1 })
  void sync.queryClient.fetchQuery(todos).catch(() => {})
  for (const title of ['a', 'b', 'c']) sync.mutate(rename, title)
  for (let step = 0; step < 60; step++) {
    await clock.advance(500)
    await turns(1)
  }
  stop()
  const rows = await server.database.todos.all()
  return { rows, log: server.log.map(({ at, method, path, outcome, faults }) => [at, method, path, outcome, faults]) }
}

test('a run is the same again from its seed, and another from another', async () => {
  const first = await run(3)
  expect(first.rows).toEqual([{ id: 'milk', title: 'c' }])
  expect(first.log.length).toBeGreaterThan(6)
  expect(await run(3)).toEqual(first)
  expect((await run(4)).log).not.toEqual(first.log)
})
