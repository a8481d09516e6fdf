// A deleted row stays away from reads that are older than its deletion, and from no others.
import { createQueryStore, createSyncClient, entity, queryOptions, syncStream } from 'tidemark'
import { createMockServer } from 'tidemark/mocks'
import { afterEach, expect, test, vi } from 'vitest'
import { PATIENCE } from '../kit/patience.ts'

interface Todo {
  id: string
}
const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** `plain`: reads come without cursors, as from a server that only tells what is stale. */
async function start({ plain = false } = {}) {
  const server = createMockServer({ tables: { todos: { rows: [{ id: 'a' }, { id: 'b' }], entity: 'todo' } } })
  const todoRow = entity<Todo>('todo')
  const todosQuery = queryOptions({
    queryKey: ['todos'],
    queryFn: ({ fetch }) => fetch('/api/todos').then((r): Promise<Todo[]> => r.json()),
    rows: [todoRow, (todos) => todos, { where: () => true }],
    retry: false,
  })
  const sync = createSyncClient({
    stream: syncStream({ url: '/api/sync' }),
    platform: {
      async fetch(input, init) {
        const answer = await server.fetch(input, init)
        if (plain && String(input) === '/api/todos') return Response.json(await answer.json())
        return answer
      },
    },
    onReport: () => {},
  })
  const store = createQueryStore(sync, todosQuery)
  ends.push(
    sync.start(),
    store.subscribe(() => {}),
    server.close,
  )
  const shows = (ids: string[]) =>
    vi.waitFor(() => expect(store.getState().data?.map(({ id }) => id)).toEqual(ids), PATIENCE)
  await shows(['a', 'b'])
  await vi.waitFor(() => expect(sync.status.getState().stream).toBe('open'), PATIENCE)
  return { server, sync, shows }
}

test('a row that is back after a restore of the server is shown', async () => {
  const { server, sync, shows } = await start()
  await server.database.todos.delete('b')
  await shows(['a'])
  // 1. The stream is away. 2. The server is restored, the row among the rest. 3. The stream is back, and resyncs.
  const offline = server.faults.offline()
  server.faults.changeEpoch()
  await server.database.todos.put({ id: 'b' })
  offline.stop()
  sync.reconnect()
  await shows(['a', 'b'])
})

test('without cursors, a read that was asked for after the deletion is believed', async () => {
  const { server, shows } = await start({ plain: true })
  await server.database.todos.delete('b')
  await shows(['a'])
  await server.database.todos.seed([{ id: 'a' }, { id: 'b' }])
  await server.push({ keys: [['todos']] })
  await shows(['a', 'b'])
})

test('without cursors, a read that was asked for before the deletion is not', async () => {
  const { server, sync, shows } = await start({ plain: true })
  const held = server.faults.hold({ on: 'todos' })
  const old = sync.queryClient.refetchQueries({ queryKey: ['todos'] })
  await vi.waitFor(() => expect(held.waiting).toBe(1), PATIENCE)
  await server.database.todos.delete('b')
  await shows(['a'])
  held.release()
  await old
  await shows(['a'])
})
