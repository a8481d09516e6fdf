/// <reference types="node" preserve="true" />
/**
 * The tables of the SQLite store and the rules for its epoch. All names begin with `tidemark_`, so the file can hold an
 * application's own tables too.
 */
import type { DatabaseSync } from 'node:sqlite'
import { newEpoch } from '../store'

// AUTOINCREMENT keeps the highest position in sqlite_sequence, inside the transaction: a position is not used again
// after trimming, and one that was rolled back was never seen.
const TABLES = `
  CREATE TABLE IF NOT EXISTS tidemark_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tidemark_records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, id TEXT NOT NULL, value ANY, version INTEGER NOT NULL,
    kind TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, ttl INTEGER, UNIQUE (type, id)) STRICT;
  CREATE INDEX IF NOT EXISTS tidemark_records_order ON tidemark_records (type, seq);
  CREATE INDEX IF NOT EXISTS tidemark_records_ttl ON tidemark_records (updated) WHERE ttl IS NOT NULL OR value IS NULL;
  CREATE TABLE IF NOT EXISTS tidemark_log (
    position INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS tidemark_outcomes (
    principal TEXT NOT NULL, id TEXT NOT NULL, fingerprint TEXT NOT NULL, status TEXT NOT NULL, position INTEGER NOT NULL,
    body TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (principal, id)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tidemark_outcomes_at ON tidemark_outcomes (at);
  CREATE TABLE IF NOT EXISTS tidemark_sequences (
    principal TEXT NOT NULL, outbox TEXT NOT NULL, scope TEXT NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (principal, outbox, scope)) STRICT, WITHOUT ROWID;
`

/** FULL: a commit that was answered survives a power cut. NORMAL: it may not, and the epoch then changes. */
export type Synchronous = 'FULL' | 'NORMAL'

/** Makes the tables and settles the epoch of this run. */
export function prepareDatabase(db: DatabaseSync, synchronous: Synchronous, wantsNewEpoch: boolean): { epoch: string } {
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON`)
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec(TABLES)
    const before = readMeta(db)
    // Without FULL, a start after a crash may have lost commits that somebody saw: what follows is another log.
    const lostTail = before['clean'] === '0' && before['synchronous'] === 'NORMAL'
    const epoch = before['epoch'] === undefined || wantsNewEpoch || lostTail ? newEpoch() : before['epoch']
    writeMeta(db, { epoch, clean: '0', synchronous, floor: before['floor'] ?? '0', format: '1' })
    db.exec('COMMIT')
    return { epoch }
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

export function writeMeta(db: DatabaseSync, values: Record<string, string>): void {
  const statement = db.prepare(
    'INSERT INTO tidemark_meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  )
  for (const [name, value] of Object.entries(values)) statement.run(name, value)
}

function readMeta(db: DatabaseSync): Record<string, string | undefined> {
  const rows = db.prepare('SELECT name, value FROM tidemark_meta').all() as { name: string; value: string }[]
  return Object.fromEntries(rows.map((row) => [row.name, row.value]))
}
