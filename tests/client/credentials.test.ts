// One expired token is one refresh, whoever notices it, and whenever.
import { createSyncClient, queryOptions } from 'tidemark'
import type { MockRequest } from 'tidemark/mocks'
import { createMockServer } from 'tidemark/mocks'
import { afterEach, expect, test } from 'vitest'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

function start() {
  const server = createMockServer({ tables: { todos: { rows: [{ id: '1' }] }, lists: { rows: [] } } })
  const counts = { refreshes: 0 }
  const sync = createSyncClient({
    headers: () => ({ authorization: `token ${counts.refreshes}` }),
    refreshAuth: () => {
      counts.refreshes++
    },
    platform: { fetch: server.fetch },
    onReport: () => {},
  })
  ends.push(sync.start(), server.close)
  const read = (table: string) =>
    sync.queryClient.fetchQuery(
      queryOptions({
        queryKey: [table],
        queryFn: ({ fetch }) => fetch(`/api/${table}`).then((r): Promise<unknown> => r.json()),
        retry: false,
      }),
    )
  return { server, read, counts }
}

const isSentWith = (token: string) => (request: MockRequest) => request.headers.get('authorization') === token

test('a request that is refused after the others refreshed is sent again with what they got', async () => {
  const { server, read, counts } = start()
  // 1. Both leave with the old token. 2. The first is refused, refreshes, succeeds. 3. The second is refused.
  server.faults.status(401, { on: isSentWith('token 0'), times: 2 })
  const late = server.faults.hold({ on: 'lists' })
  const second = read('lists')
  expect(await read('todos')).toEqual([{ id: '1' }])
  late.release()
  expect(await second).toEqual([])
  expect(counts.refreshes).toBe(1)
})

test('credentials that have changed and are refused again are refreshed', async () => {
  const { server, read, counts } = start()
  server.faults.status(401, { on: isSentWith('token 0'), times: 2 })
  server.faults.status(401, { on: isSentWith('token 1'), skip: 1 })
  const late = server.faults.hold({ on: 'lists' })
  const second = read('lists')
  await read('todos')
  late.release()
  expect(await second).toEqual([])
  expect(counts.refreshes).toBe(2)
})
