// The built sync server in a process of its own, measured from outside. Commands come as JSON over IPC.
import { createServer } from 'node:http'
import { createSyncHandler, memoryStore, sqliteStore, toNodeListener } from '../dist/server.js'

const path = process.env.DATABASE
const store = path ? sqliteStore(path) : memoryStore()
const handler = createSyncHandler({
  store,
  retention: { every: 1_000, logEntries: 10_000, log: 60_000, keys: 60_000 },
  mutations: { put: (tx, row) => tx.put('row', row.id, row) },
  queries: { rows: (tx) => tx.rows('row') },
})
const server = createServer(toNodeListener(handler))
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => process.send({ port: server.address().port }))

/** Commits `rate` events a second for some seconds, in steps of 10 ms. */
async function burst({ rate, seconds }) {
  let sent = 0
  const began = performance.now()
  while (performance.now() - began < seconds * 1_000) {
    const due = Math.floor(((performance.now() - began) / 1_000) * rate)
    const writes = []
    for (; sent < due; sent++) {
      const row = {
        id: sent % 100,
        at: performance.timeOrigin + performance.now(),
        title: 'a task with a title of some length',
      }
      writes.push(handler.write((tx) => tx.put('row', row.id, row)))
    }
    await Promise.all(writes)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return { sent, milliseconds: performance.now() - began }
}

process.on('message', async ({ id, command, ...options }) => {
  const results = {
    burst: () => burst(options),
    state: () => ({ rss: process.memoryUsage().rss, cpu: process.cpuUsage(), metrics: handler.snapshot() }),
  }
  process.send({ id, result: await results[command]() })
})
process.on('disconnect', () => process.exit())
