import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { SqliteStoreOptions, StateStore } from 'tidemark/server'
import { memoryStore, sqliteStore } from 'tidemark/server'
import { afterAll, describe, expect, test } from 'vitest'
import { describeServerStore } from '../contracts/server-store'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-stores-'))
let files = 0
const newFile = () => join(folder, `${files++}.db`)
afterAll(() => rmSync(folder, { recursive: true }))

function cased(make: (now: () => number) => StateStore) {
  let time = 1_000_000
  const store = make(() => time)
  return {
    store,
    advance: (milliseconds: number) => {
      time += milliseconds
    },
    close: () => store.close(),
  }
}

describeServerStore('memory', (options) => cased((now) => memoryStore({ ...options, now })))
describeServerStore('SQLite', (options) => cased((now) => sqliteStore(newFile(), { ...options, now })))

describe('SQLite: epochs', () => {
  const epochOf = (store: StateStore) => store.snapshot(async (view) => (await view.position()).epoch)
  /** Opens again after a clean end, or with the end never having been written. */
  async function reopened(first: SqliteStoreOptions, second: SqliteStoreOptions, isClean: boolean) {
    const path = newFile()
    const store = sqliteStore(path, first)
    const before = await epochOf(store)
    if (isClean) await store.close()
    const again = sqliteStore(path, second)
    const after = await epochOf(again)
    await again.close()
    if (!isClean) await store.close()
    return before === after
  }
  test('keeps the epoch over a clean end', async () => {
    expect(await reopened({}, {}, true)).toBe(true)
    expect(await reopened({ synchronous: 'NORMAL' }, { synchronous: 'NORMAL' }, true)).toBe(true)
  })
  test('keeps the epoch over an unclean end with FULL, where no commit can be lost', async () => {
    expect(await reopened({}, {}, false)).toBe(true)
  })
  test('begins a new epoch after an unclean end with NORMAL', async () => {
    expect(await reopened({ synchronous: 'NORMAL' }, {}, false)).toBe(false)
  })
  test('begins a new epoch when told so, as after a restore', async () => {
    expect(await reopened({}, { newEpoch: true }, true)).toBe(false)
  })
})

describe('SQLite: the file', () => {
  test('refuses a path that is no file, and says what to use', () => {
    expect(() => sqliteStore(':memory:')).toThrow(/memoryStore\(\)/)
  })
  test('keeps rows, log, outcomes and floor over a restart, and goes on counting', async () => {
    const path = newFile()
    const first = sqliteStore(path)
    await first.transaction(async (tx) => {
      await tx.set('row', 'a', { n: 1 })
      for (let i = 0; i < 3; i++) await tx.append({ mutations: [], parts: [] })
    })
    await first.trim({ logBefore: Date.now() + 1_000, logEntries: 10, outcomesBefore: 0, sequencesBefore: 0 })
    await first.close()
    const second = sqliteStore(path)
    expect(await second.snapshot((view) => view.position())).toMatchObject({ head: '3', floor: '3' })
    expect(await second.transaction((tx) => tx.append({ mutations: [], parts: [] }))).toBe('4')
    expect(await second.snapshot((view) => view.get('row', 'a'))).toMatchObject({ value: { n: 1 } })
    await second.close()
  })
  test("commits an application's own table in the same transaction, and undoes it with it", async () => {
    const store = sqliteStore(newFile())
    const run = (sql: string, fails = false) =>
      store.transaction(async (tx) => {
        const db = tx.native as DatabaseSync
        db.exec(sql)
        if (fails) throw new Error('no')
      })
    await run('CREATE TABLE mine (n INTEGER)')
    await run('INSERT INTO mine VALUES (1)')
    await run('INSERT INTO mine VALUES (2)', true).catch(() => {})
    const rows = await store.snapshot(async (view) => (view.native as DatabaseSync).prepare('SELECT n FROM mine').all())
    expect(rows.map((row) => row['n'])).toEqual([1])
    await store.close()
  })
  test('answers many writers that come together with few commits', async () => {
    const path = newFile()
    const store = sqliteStore(path)
    const before = performance.now()
    await Promise.all(Array.from({ length: 400 }, (_, i) => store.transaction((tx) => tx.set('row', i, i))))
    const perSecond = 400_000 / (performance.now() - before)
    expect(await store.snapshot(async (view) => (await view.list('row')).length)).toBe(400)
    console.info(`SQLite, FULL: ${Math.round(perSecond)} transactions a second that come together`)
    await store.close()
  })
  test('says that the store failed when another process holds the write lock, and recovers', async () => {
    const path = newFile()
    const first = sqliteStore(path)
    const second = sqliteStore(path, { busyTimeout: 10 })
    let release = () => {}
    const held = first.transaction(async (tx) => {
      await tx.set('row', 'a', 1)
      await new Promise<void>((resolve) => {
        release = resolve
      })
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await expect(second.transaction((tx) => tx.set('row', 'b', 1))).rejects.toMatchObject({ name: 'StoreError' })
    release()
    await held
    expect(await second.transaction((tx) => tx.set('row', 'b', 1))).toMatchObject({ version: 1 })
    await first.close()
    await second.close()
  })
})
