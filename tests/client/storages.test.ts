// A storage is a value that brings its code; one of somebody's own is wrapped.
import type { SyncStorage } from 'tidemark'
import { createSyncClient, memoryStorage, syncStorage } from 'tidemark'
import { expect, test } from 'vitest'
import { adding, todo } from '../kit/todos'
import { createWorld } from '../kit/world'

/** A class with private state, as somebody may write it. */
class Disk implements SyncStorage {
  readonly durable = true
  #rows = new Map<string, string>()

  async get(key: string): Promise<string | undefined> {
    return this.#rows.get(key)
  }

  async list(prefix: string): Promise<Array<[string, string]>> {
    return [...this.#rows].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
  }

  async write(batch: ReadonlyArray<readonly [string, string | undefined]>): Promise<void> {
    for (const [key, value] of batch) {
      if (value === undefined) this.#rows.delete(key)
      else this.#rows.set(key, value)
    }
  }

  async clear(prefix: string): Promise<void> {
    for (const [key] of await this.list(prefix)) this.#rows.delete(key)
  }
}

test('one of your own keeps writes over a reload', async () => {
  const disk = new Disk()
  const first = createWorld({ mutations: [adding()], storage: syncStorage(disk) })
  const handle = first.sync.mutate(adding(), todo('n', 'new'))
  await handle.durable
  expect(first.sync.status.getState().isDurable).toBe(true)
  const next = createWorld({ mutations: [adding()], storage: syncStorage(disk), seed: 2 })
  next.sync.start()
  await next.sync.ready
  expect(next.sync.outbox.getState().entries).toMatchObject([{ id: handle.id, variables: { title: 'new' } }])
})

test('without one nothing is kept, and everything else is as it is', async () => {
  const sync = createSyncClient({ mutations: [adding()] })
  await sync.mutate(adding(), todo('n', 'new')).durable
  expect(sync.status.getState()).toMatchObject({ isDurable: false, pending: 1 })
  sync.start()
  await sync.ready
  expect(await sync.close({ outbox: 'discard' })).toHaveLength(1)
})

test('a port that is not wrapped, or lacks a function, gets a sentence', () => {
  expect(() => createSyncClient({ storage: new Disk() as never })).toThrow(
    'The option "storage" is not a storage value: pass memoryStorage(), or wrap one of your own, storage: syncStorage({ … }).',
  )
  expect(() => createSyncClient({ storage: null as never })).toThrow('is not a storage value')
  expect(() => syncStorage({ ...memoryStorage(), list: undefined } as never)).toThrow(
    'A storage needs a function "list"; see the interface SyncStorage.',
  )
  expect(() => syncStorage(undefined as never)).toThrow('A storage needs a function "get"')
})
