import { createQueryStore, createSyncClient, queryOptions, syncStream } from 'tidemark'
import { createSyncHandler, memoryStore } from 'tidemark/server'
import { expect, test, vi } from 'vitest'
import { PATIENCE } from '../kit/patience.ts'

const openStream = (handler: (request: Request) => Promise<Response>, search = '') =>
  handler(new Request(`http://x/sync/stream${search}`, { headers: { accept: 'text/event-stream' } }))

test('a client that names no topics hears every write', async () => {
  const handler = createSyncHandler({
    store: memoryStore(),
    queries: { todos: (tx) => tx.rows('todo') },
    topics: () => ['todos'],
  })
  const sync = createSyncClient({
    stream: syncStream({ url: '/sync/stream' }),
    platform: { fetch: (url, init) => handler(new Request(new URL(url, 'http://x'), init)) },
  })
  const stop = sync.start()
  const store = createQueryStore(
    sync,
    queryOptions({
      queryKey: ['todos'],
      topics: ['todos'],
      queryFn: ({ fetch }) => fetch('/sync/queries/todos').then((response): Promise<unknown[]> => response.json()),
    }),
  )
  await vi.waitFor(() => expect(sync.status.getState().stream).toBe('open'), PATIENCE)
  store.subscribe(() => {})
  await vi.waitFor(() => expect(store.getState().data).toEqual([]), PATIENCE)
  await handler.write((tx) => tx.put('todo', '1', { id: '1' }))
  await vi.waitFor(() => expect(store.getState().data).toHaveLength(1), PATIENCE)
  stop()
  await sync.close()
  await handler.close()
})

test('a stream without topics is refused where not everything may be heard, and says what to do', async () => {
  const handler = createSyncHandler({
    store: memoryStore(),
    authorize: (_, topics) => topics.filter((topic) => topic === 'mine'),
  })
  const refused = await openStream(handler)
  expect(refused.status).toBe(403)
  expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('name topics') })
  const allowed = await openStream(handler, '?topics=mine,other')
  expect(allowed.status).toBe(200)
  await allowed.body?.cancel()
  await handler.close()
})
