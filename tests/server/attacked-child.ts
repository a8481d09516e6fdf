// A sync server in a process with a small heap, to be attacked. It serves HTTP/1.1 and HTTP/2, and says what it reports.
import { createServer } from 'node:http'
import { createServer as createServer2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createSyncHandler, sqliteStore, toNodeListener } from 'tidemark/server'

interface Row {
  id: string
  [field: string]: unknown
}
const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

const handler = createSyncHandler({
  store: sqliteStore(process.env['DATABASE'] ?? ''),
  limits: { rate: false, bodyTime: 500, time: 1_000, principalStreams: 5_000, sessionStreams: 5_000 },
  authenticate: (request) => ({ id: request.headers.get('Authorization') ?? 'nobody' }),
  onError: (error, where) => console.log(`report ${where}: ${String(error).slice(0, 200)}`),
  mutations: {
    put: (tx, row: Row) => tx.put('row', row.id, row),
    merge: (tx, row: Row) => tx.merge('row', row.id, row),
    // Each of these forgets an `await`, in another way.
    forgets: (tx, row: Row) => {
      void tx.put('row', row.id, row)
    },
    forgetsHelper: (tx, row: Row) => {
      const helper = async () => {
        await tx.put('row', `${row.id}-1`, row)
        await wait(20)
        await tx.put('row', `${row.id}-2`, row)
      }
      void helper()
    },
    forgetsExpect: async (tx, row: Row) => {
      void tx.expect('row', row.id, 99)
      await tx.put('row', row.id, row)
    },
    later: (tx, row: Row) => {
      setTimeout(() => {
        tx.invalidate({ topics: ['row'] })
        void tx.put('row', row.id, row)
      }, 20)
      return 'ok'
    },
    never: () => new Promise(() => {}),
    throws: () => {
      throw new Error('mine')
    },
    many: async (tx, { id, count }: { id: string; count: number }) => {
      for (let at = 0; at < count; at++) await tx.put('row', `${id}-${at}`, { id: `${id}-${at}` })
    },
  },
  queries: {
    row: (tx, { id }: { id: string }) => tx.row('row', id),
    hangs: () => new Promise(() => {}),
    throws: () => {
      throw new Error('mine')
    },
    circle: () => {
      const data: Record<string, unknown> = {}
      data['self'] = data
      return data
    },
  },
})

const listener = toNodeListener(handler)
const one = createServer(listener)
const two = createServer2(listener as never)
setInterval(() => console.log(`heap ${Math.round(process.memoryUsage().rss / 1_048_576)}`), 200)
one.listen(0, '127.0.0.1', () =>
  two.listen(0, '127.0.0.1', () =>
    console.log(`ports ${(one.address() as AddressInfo).port} ${(two.address() as AddressInfo).port}`),
  ),
)
