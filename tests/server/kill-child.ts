// A sync server in a process of its own, to be killed. `KILL_AT_COMMIT=n`: it kills itself after its nth commit, before
// anybody is told of it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSyncHandler, processBus, sqliteStore, toNodeListener } from 'tidemark/server'

const bus = processBus()
let commits = Number(process.env['KILL_AT_COMMIT'] ?? 0)

const handler = createSyncHandler({
  store: sqliteStore(process.env['DATABASE'] ?? ''),
  bus: {
    ...bus,
    publish(message) {
      if (--commits === 0) process.kill(process.pid, 'SIGKILL')
      bus.publish(message)
    },
  },
  mutations: {
    add: async (tx, { id }: { id: string }) => {
      const count = (await tx.row<number>('count', 'all')) ?? 0
      await tx.put('count', 'all', count + 1)
      await tx.put('row', id, { id, place: count + 1 })
      return count + 1
    },
  },
  queries: { rows: (tx) => tx.rows('row') },
})

const server = createServer(toNodeListener(handler))
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`))
