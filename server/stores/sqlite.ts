/**
 * The default store: one file, `node:sqlite`, nothing to install. Writes go through one connection, in groups that share
 * a commit (so that `synchronous=FULL` costs one flush for many); reads have snapshots of their own on other connections.
 */
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { usageError } from '../../src/base/errors'
import type { StateSerializer, StateStore, StoreSnapshot, StoreTransaction, TrimOptions } from '../store'
import { isStoreError, jsonSerializer, storeError } from '../store'
import type { Connection } from './sqlite-access'
import { connect, sqliteSnapshot, sqliteTransaction } from './sqlite-access'
import type { Synchronous } from './sqlite-schema'
import { prepareDatabase, writeMeta } from './sqlite-schema'

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * `FULL`: what was answered survives a power cut. `NORMAL`: several times faster, survives a crash of the process but
   * perhaps not of the machine, so a start after an unclean end begins a new epoch.
   * @defaultValue 'FULL'
   */
  synchronous?: Synchronous | undefined
  /** Begin a new epoch: set it once after restoring a backup. @defaultValue false */
  newEpoch?: boolean | undefined
  /** Snapshots that can be open at the same time. @defaultValue 4 */
  readers?: number | undefined
  /** Transactions that share one commit at most. @defaultValue 100 */
  groupSize?: number | undefined
  /** Milliseconds to wait for another process that is writing, without holding up this one. @defaultValue 2000 */
  busyTimeout?: number | undefined
  /** Milliseconds since the Unix epoch. @defaultValue `Date.now` */
  now?: (() => number) | undefined
  /** @defaultValue JSON */
  serializer?: StateSerializer | undefined
}

/** Looked for when a store is opened: a server on another store runs where there is no `node:sqlite`. */
function findDatabase(): typeof DatabaseSync {
  const sqlite = process.getBuiltinModule('node:sqlite') as { DatabaseSync: typeof DatabaseSync } | undefined
  if (sqlite !== undefined) return sqlite.DatabaseSync
  const said = `sqliteStore needs node:sqlite, which Node ${process.versions.node} does not have: use Node 22.13 or newer, or memoryStore()`
  throw usageError(said)
}

interface Job {
  run: (tx: StoreTransaction) => Promise<unknown>
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

/**
 * Opens (or makes) the database. Throws what SQLite throws if the file cannot be opened, and a `usage` error for
 * `:memory:`, which only one connection can see: `memoryStore()` is for that.
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): StateStore {
  if (path === '' || path.startsWith(':memory:')) {
    throw usageError('sqliteStore needs the path of a file; use memoryStore() to keep nothing')
  }
  const { synchronous = 'FULL', groupSize = 100, busyTimeout = 2_000 } = options
  const { now = () => Date.now(), serializer = jsonSerializer } = options
  const patience: Patience = (use) => untilFree(use, busyTimeout)
  // Opening waits for another process on the spot; from then on nothing does, or it would hold up the event loop.
  const Database = findDatabase()
  const writer = connect(new Database(path, { timeout: busyTimeout }))
  const { epoch } = prepareDatabase(writer.db, synchronous, options.newEpoch ?? false)
  writer.db.exec('PRAGMA busy_timeout = 0')
  const tx = sqliteTransaction({ connection: writer, serializer, now, epoch })
  const writes = createWriter(writer, tx, groupSize, patience)
  const reads = createReaders(
    options.readers ?? 4,
    (): Connection & { view: StoreSnapshot } => {
      const connection = connect(new Database(path, { timeout: 0, readOnly: true }))
      return { ...connection, view: sqliteSnapshot({ connection, serializer, now, epoch }) }
    },
    patience,
  )
  let closed = false
  const open = () => {
    if (closed) throw storeError('this SQLite store is closed')
  }
  return {
    async transaction(run) {
      open()
      return writes.add(run)
    },
    async snapshot(run) {
      open()
      return reads.use(run)
    },
    async trim(limits) {
      open()
      await writes.add(async () => trim(writer, limits))
    },
    async close() {
      if (closed) return
      closed = true
      await Promise.all([writes.idle(), reads.close()])
      writeMeta(writer.db, { clean: '1' })
      writer.db.close()
    },
  }
}

/** Runs something, again and again while another process is writing. */
type Patience = <T>(use: () => T) => Promise<T>

/** Milliseconds between two tries of a database that another process holds. */
const FREE_AGAIN = 5

async function untilFree<T>(use: () => T, timeout: number): Promise<T> {
  const deadline = performance.now() + timeout
  for (;;) {
    try {
      return use()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error
      await delay(FREE_AGAIN)
    }
  }
}

/** SQLITE_BUSY with its extended codes; a store error has it as its cause. */
function isBusy(error: unknown): boolean {
  const { errcode, cause } = error as { errcode?: unknown; cause?: unknown }
  return typeof errcode === 'number' ? (errcode & 0xff) === 5 : cause !== undefined && isBusy(cause)
}

interface Writer {
  add<T>(run: (tx: StoreTransaction) => Promise<T>): Promise<T>
  idle(): Promise<void>
}

/** Runs jobs one after another, each in a savepoint, and commits them in groups. A job settles after its commit. */
function createWriter({ db }: Connection, tx: StoreTransaction, groupSize: number, patience: Patience): Writer {
  const jobs: Job[] = []
  let draining: Promise<void> | undefined

  async function drain(): Promise<void> {
    while (jobs.length > 0) {
      const group: (() => void)[] = []
      const failed: Job[] = []
      try {
        await patience(() => db.exec('BEGIN IMMEDIATE'))
        await runGroup(group, failed)
        await patience(() => db.exec('COMMIT'))
        for (const settle of group) settle()
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK')
        if (failed.length === 0) failed.push(...jobs.splice(0))
        for (const job of failed) job.reject(asStoreError(error))
      }
    }
  }
  function start(): void {
    draining ??= drain().finally(() => {
      draining = undefined
      if (jobs.length > 0) start()
    })
  }

  async function runGroup(group: (() => void)[], members: Job[]): Promise<void> {
    for (;;) {
      // A turn of the event loop lets what has arrived meanwhile join this commit.
      if (jobs.length === 0) await nextTurn()
      const job = members.length < groupSize ? jobs.shift() : undefined
      if (job === undefined) return
      members.push(job)
      try {
        const value = await tx.savepoint(() => job.run(tx))
        group.push(() => job.resolve(value))
      } catch (error) {
        if (!db.isTransaction) throw error
        group.push(() => job.reject(error))
      }
    }
  }

  return {
    add<T>(run: (tx: StoreTransaction) => Promise<T>) {
      return new Promise<T>((resolve, reject) => {
        jobs.push({ run, resolve: resolve as (value: unknown) => void, reject })
        start()
      })
    },
    async idle() {
      while (draining !== undefined) await draining
    },
  }
}

interface Readers {
  use<T>(run: (view: StoreSnapshot) => Promise<T>): Promise<T>
  close(): Promise<void>
}

type Reader = Connection & { view: StoreSnapshot }

/** A few read-only connections, made when needed; whoever finds none free waits in line. */
function createReaders(size: number, make: () => Reader, patience: Patience): Readers {
  const free: Reader[] = []
  /** Each is given a reader, or nothing: then there is room to make one. */
  const waiting: ((reader: Reader | undefined) => void)[] = []
  let made = 0
  let used = 0
  let onIdle: (() => void) | undefined

  async function take(): Promise<Reader> {
    const reader =
      free.pop() ??
      (made === size ? await new Promise<Reader | undefined>((resolve) => waiting.push(resolve)) : undefined)
    if (reader !== undefined) return reader
    made++
    try {
      return await patience(make)
    } catch (error) {
      made--
      waiting.shift()?.(undefined)
      throw asStoreError(error)
    }
  }

  /** Back to who waits, or on the shelf. One that cannot end its transaction is thrown away, and its place is free. */
  function give(reader: Reader): void {
    try {
      if (reader.db.isTransaction) reader.all('COMMIT')
    } catch {
      made--
      close(reader)
      waiting.shift()?.(undefined)
      return
    }
    const next = waiting.shift()
    if (next) next(reader)
    else free.push(reader)
  }
  return {
    async use(run) {
      used++
      let reader: Reader | undefined
      try {
        const taken = await take()
        reader = taken
        await patience(() => taken.all('BEGIN'))
        // A deferred transaction takes its snapshot at its first read.
        await patience(() => taken.all('SELECT 1 FROM tidemark_meta LIMIT 1'))
        return await run(taken.view)
      } finally {
        if (reader) give(reader)
        if (--used === 0) onIdle?.()
      }
    },
    async close() {
      if (used > 0) await new Promise<void>((resolve) => (onIdle = resolve))
      free.splice(0).forEach(close)
    },
  }
}

function close({ db }: Reader): void {
  try {
    db.close()
  } catch {
    // What cannot be closed is of no use to anybody either.
  }
}

function trim({ all, db }: Connection, limits: TrimOptions): void {
  const [last] = all<{ position: number | null }>(
    `SELECT max(position) AS position FROM tidemark_log WHERE at < ?
       OR position <= (SELECT position FROM tidemark_log ORDER BY position DESC LIMIT 1 OFFSET ?)`,
    limits.logBefore,
    limits.logEntries,
  )
  if (last?.position != null) {
    all('DELETE FROM tidemark_log WHERE position <= ?', last.position)
    writeMeta(db, { floor: String(last.position) })
  }
  all('DELETE FROM tidemark_outcomes WHERE at < ?', limits.outcomesBefore)
  all('DELETE FROM tidemark_sequences WHERE at < ?', limits.sequencesBefore)
  // A record that is gone keeps its version for as long as the log remembers it, or a new one would begin below it.
  all('DELETE FROM tidemark_records WHERE value IS NULL AND updated < ?', limits.logBefore)
  all('DELETE FROM tidemark_records WHERE ttl IS NOT NULL AND updated + ttl < ?', limits.logBefore)
}

function asStoreError(error: unknown): Error {
  return isStoreError(error) ? error : storeError('SQLite could not commit; nothing was written', error)
}
