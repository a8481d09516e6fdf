/** What one SQLite connection can do, as the port says it. Statements are prepared once per connection, on first use. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { isError } from '../../src/base/kinds'
import type { RowId } from '../../src/base/messages'
import type {
  ListOptions,
  LogBody,
  LogEntry,
  StateRecord,
  StateSerializer,
  StoredOutcome,
  StoreSnapshot,
  StoreTransaction,
  WriteOptions,
} from '../store'
import { storeError } from '../store'

export interface Connection {
  db: DatabaseSync
  /** Runs a statement; failures become store errors. */
  all<Row>(sql: string, ...parameters: SQLInputValue[]): Row[]
}

export interface AccessDeps {
  connection: Connection
  serializer: StateSerializer
  now: () => number
  epoch: string
}

interface RecordRow {
  id: string
  value: string | Uint8Array | null
  version: number
  kind: StateRecord['kind']
  created: number
  updated: number
  ttl: number | null
}

const COLUMNS = 'id, value, version, kind, created, updated, ttl'
const LIVE = 'value IS NOT NULL AND (ttl IS NULL OR updated + ttl > ?)'

export function connect(db: DatabaseSync): Connection {
  const statements = new Map<string, StatementSync>()
  return {
    db,
    all<Row>(sql: string, ...parameters: SQLInputValue[]) {
      try {
        const statement = statements.get(sql) ?? db.prepare(sql)
        statements.set(sql, statement)
        return statement.all(...parameters) as Row[]
      } catch (error) {
        // What cannot be bound is the caller's mistake, not SQLite's failure.
        if (!isSqliteError(error)) throw error
        throw storeError(`SQLite could not run a statement: ${error.message}`, error)
      }
    },
  }
}

function isSqliteError(error: unknown): error is Error {
  return isError(error) && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}

export function sqliteSnapshot({ connection, serializer, now, epoch }: AccessDeps): StoreSnapshot {
  const { all } = connection
  const find = (type: string, id: RowId) =>
    all<RecordRow>(
      `SELECT ${COLUMNS} FROM tidemark_records WHERE type = ? AND id = ? AND ${LIVE}`,
      type,
      JSON.stringify(id),
      now(),
    )[0]
  return {
    native: connection.db,
    async get<T>(type: string, id: RowId) {
      const row = find(type, id)
      return row && toRecord<T>(type, row, serializer)
    },
    exists: async (type, id) => find(type, id) !== undefined,
    async list<T>(type: string, { after, limit = -1, reverse = false }: ListOptions = {}) {
      const start = after === undefined ? '' : `AND seq ${reverse ? '<' : '>'} ${SEQ_OF}`
      const place = after === undefined ? [] : [type, JSON.stringify(after)]
      const sql = `SELECT ${COLUMNS} FROM tidemark_records WHERE type = ? AND ${LIVE} ${start}
        ORDER BY seq ${reverse ? 'DESC' : 'ASC'} LIMIT ?`
      return all<RecordRow>(sql, type, now(), ...place, limit).map((row) => toRecord<T>(type, row, serializer))
    },
    async position() {
      const [row] = all<{ head: number; floor: string }>(STATE)
      return { epoch, head: String(row?.head ?? 0), floor: row?.floor ?? '0' }
    },
    async readLog(after, limit) {
      const sql = 'SELECT position, body FROM tidemark_log WHERE position > ? ORDER BY position LIMIT ?'
      return all<{ position: number; body: string }>(sql, Number(after), limit).map(toEntry)
    },
    async tailLog(limit) {
      const sql = 'SELECT position, body FROM tidemark_log ORDER BY position DESC LIMIT ?'
      return all<{ position: number; body: string }>(sql, limit).map(toEntry).reverse()
    },
    async outcome(principal, id) {
      const sql = 'SELECT * FROM tidemark_outcomes WHERE principal = ? AND id = ?'
      const [row] = all<Omit<StoredOutcome, 'position' | 'createdAt'> & { position: number; at: number }>(
        sql,
        principal,
        id,
      )
      return row && { ...row, position: String(row.position), createdAt: row.at }
    },
    async applied(principal, ids) {
      const sql =
        "SELECT position FROM tidemark_outcomes WHERE principal = ? AND id = ? AND status IN ('applied', 'noop')"
      return ids.flatMap((id) =>
        all<{ position: number }>(sql, principal, id).map((row) => ({ id, position: String(row.position) })),
      )
    },
  }
}

const SEQ_OF = '(SELECT seq FROM tidemark_records WHERE type = ? AND id = ?)'
const STATE = `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'tidemark_log'), 0) AS head,
  (SELECT value FROM tidemark_meta WHERE name = 'floor') AS floor`

// A row that was deleted or has expired keeps its version and its place, and begins a new life with a new `created`.
const UPSERT = `INSERT INTO tidemark_records (type, id, value, version, kind, created, updated, ttl)
  VALUES (?1, ?2, ?3, 1, coalesce(?4, 'persistent'), ?5, ?5, ?6)
  ON CONFLICT (type, id) DO UPDATE SET value = ?3, version = version + 1, updated = ?5, ttl = ?6,
    kind = coalesce(?4, CASE WHEN ${LIVE.replace('?', '?5')} THEN kind ELSE 'persistent' END),
    created = CASE WHEN ${LIVE.replace('?', '?5')} THEN created ELSE ?5 END
  RETURNING ${COLUMNS}`

export function sqliteTransaction(deps: AccessDeps): StoreTransaction {
  const { connection, serializer, now } = deps
  const { all } = connection
  const view = sqliteSnapshot(deps)
  let depth = 0
  const tx: StoreTransaction = {
    ...view,
    async set<T>(type: string, id: RowId, value: T, { kind, ttl }: WriteOptions = {}) {
      const stored = serializer.serialize(value)
      const [row] = all<RecordRow>(UPSERT, type, JSON.stringify(id), stored, kind ?? null, now(), ttl ?? null)
      if (row === undefined) throw storeError(`the ${type} ${JSON.stringify(id)} was not written`)
      return toRecord<T>(type, row, serializer)
    },
    async delete(type, id) {
      const sql = `UPDATE tidemark_records SET value = NULL, version = version + 1, updated = ?3
        WHERE type = ?1 AND id = ?2 AND ${LIVE.replace('?', '?3')} RETURNING version`
      return all<{ version: number }>(sql, type, JSON.stringify(id), now())[0]
    },
    async atomicUpdate<T>(
      type: string,
      id: RowId,
      update: (current: StateRecord<T> | undefined) => T | undefined,
      options?: WriteOptions,
    ) {
      const value = update(await view.get<T>(type, id))
      return value === undefined ? undefined : tx.set(type, id, value, options)
    },
    async append(entry) {
      const sql = 'INSERT INTO tidemark_log (at, body) VALUES (?, ?) RETURNING position'
      const [row] = all<{ position: number }>(sql, now(), JSON.stringify(entry))
      return String(row?.position)
    },
    async saveOutcome({ principal, id, fingerprint, status, position, body, createdAt }) {
      const sql = 'INSERT INTO tidemark_outcomes VALUES (?, ?, ?, ?, ?, ?, ?)'
      all(sql, principal, id, fingerprint, status, Number(position), body, createdAt)
    },
    async lastSequence({ principal, outbox, scope }) {
      const sql = 'SELECT sequence FROM tidemark_sequences WHERE principal = ? AND outbox = ? AND scope = ?'
      return all<{ sequence: number }>(sql, principal, outbox, scope)[0]?.sequence
    },
    async saveSequence({ principal, outbox, scope }, sequence) {
      const sql = `INSERT INTO tidemark_sequences VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence), at = excluded.at`
      all(sql, principal, outbox, scope, sequence, now())
    },
    async savepoint(run) {
      const name = `tidemark_${depth++}`
      all(`SAVEPOINT ${name}`)
      try {
        const result = await run()
        all(`RELEASE ${name}`)
        return result
      } catch (error) {
        // A full disk ends the whole transaction by itself; then there is no savepoint to go back to.
        if (connection.db.isTransaction) {
          all(`ROLLBACK TO ${name}`)
          all(`RELEASE ${name}`)
        }
        throw error
      } finally {
        depth--
      }
    },
  }
  return tx
}

function toRecord<T>(type: string, row: RecordRow, serializer: StateSerializer): StateRecord<T> {
  const record: StateRecord<T> = {
    type,
    id: JSON.parse(row.id) as RowId,
    value: serializer.deserialize(row.value ?? 'null') as T,
    version: row.version,
    kind: row.kind,
    createdAt: row.created,
    updatedAt: row.updated,
  }
  return row.ttl === null ? record : { ...record, ttl: row.ttl }
}

function toEntry(row: { position: number; body: string }): LogEntry {
  return { position: String(row.position), ...(JSON.parse(row.body) as LogBody) }
}
