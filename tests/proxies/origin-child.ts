// The kit as a process of its own, on a port that is given, to be killed. `KILL_AT_COMMIT=n`: it kills itself after its
// nth commit, before anybody is told of it.
import { createServer } from 'node:http'
import { createSyncHandler, processBus, sqliteStore, toNodeListener } from 'tidemark/server'
import type { Write } from './clients.ts'

const bus = processBus()
let commits = Number(process.env['KILL_AT_COMMIT'] ?? 0)
const heartbeat = Number(process.env['HEARTBEAT'] ?? 15_000)

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
    'writes/add': async (tx, { id, scope }: Pick<Write, 'id' | 'scope'>) => {
      const place = ((await tx.row<number>('count', 'all')) ?? 0) + 1
      const before = await tx.row<Write>('write', id)
      await tx.put('count', 'all', place)
      return tx.put('write', id, { id, scope, place, times: (before?.times ?? 0) + 1 })
    },
  },
  queries: { writes: (tx) => tx.rows<Write>('write') },
  stream: { heartbeat },
})

createServer(toNodeListener(handler)).listen(Number(process.env['PORT']), '127.0.0.1')
