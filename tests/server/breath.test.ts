// A row of writes from inside the process lets timers and sockets in.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as immediate } from 'node:timers/promises'
import { createSyncHandler, memoryStore, sqliteStore } from 'tidemark/server'
import { expect, test } from 'vitest'

test.each([
  ['memory, one after another', () => memoryStore(), false],
  ['memory, all at once', () => memoryStore(), true],
  ['SQLite, all at once', (folder: string) => sqliteStore(join(folder, 'app.db')), true],
] as const)('%s', async (_, store, isParallel) => {
  let now = 0
  const clock = {
    now: () => ++now, // each look takes a millisecond
    after(delay: number, callback: () => void) {
      const timer = setTimeout(callback, delay)
      return () => clearTimeout(timer)
    },
  }
  const folder = await mkdtemp(join(tmpdir(), 'breath-'))
  const handler = createSyncHandler({ store: store(folder), clock })
  let turns = 0
  let isOver = false
  const counting = (async () => {
    for (; !isOver; turns++) await immediate()
  })()
  const write = (i: number) => handler.write((tx) => tx.put('row', String(i), { id: String(i) }))
  if (isParallel) await Promise.all(Array.from({ length: 400 }, (_, i) => write(i)))
  else for (let i = 0; i < 400; i++) await write(i)
  isOver = true
  await counting
  expect(turns).toBeGreaterThan(10)
  await handler.close({ timeout: 0 })
  await rm(folder, { recursive: true })
})
