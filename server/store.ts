/**
 * The port of a state store: records, change log, outcomes and sequences, written together in one transaction.
 * Everything is asynchronous and positions are text, so that a store over a network fits as well as one in the process.
 */
import { isError } from '../src/base/kinds'
import type { EntityRef, JsonPatchOperation, MutationOutcome, RowChange, RowId, Version } from '../src/base/messages'

/**
 * A place in the change log: unsigned decimals joined by `-`, compared number by number (`41`, `70002-7`). Positions
 * rise strictly in the order in which commits become visible; they may have holes and are never used twice.
 */
export type Position = string

/** How long a record matters. Stores may keep `ephemeral` ones in memory only; `cached` ones can be made again. */
export type RecordKind = 'ephemeral' | 'cached' | 'persistent'

/** One stored value. */
export interface StateRecord<T = unknown> {
  type: string
  id: RowId
  value: T
  /** 1 for a new record, one more with every write. Goes on rising when a deleted record is made again. */
  version: number
  kind: RecordKind
  /** Milliseconds since the Unix epoch. */
  createdAt: number
  updatedAt: number
  /** Milliseconds after `updatedAt` from which the record is no longer returned. */
  ttl?: number | undefined
}

/** How a record is kept. */
export interface WriteOptions {
  /** @defaultValue what the record has, else `'persistent'` */
  kind?: RecordKind | undefined
  /** Milliseconds; `undefined`: for ever. Every write sets it anew. */
  ttl?: number | undefined
}

/** Which records are listed, and in which order. */
export interface ListOptions {
  /** Only what comes after this record. */
  after?: RowId | undefined
  /** @defaultValue all */
  limit?: number | undefined
  /** Newest first. @defaultValue false */
  reverse?: boolean | undefined
}

/** What a log entry says was changed, and the topics whose readers may see it. */
export type LogPart =
  | { topics: string[]; change: RowChange }
  | { topics: string[]; invalidate: Invalidation }
  | { topics: string[]; state: StateChange }

/** The fields of an `invalidate` event. At least one of `keys`, `topics`, `entities`. */
export interface Invalidation {
  /** Query-key prefixes. */
  keys?: unknown[][] | undefined
  /** Exactly these keys instead of prefixes. @defaultValue false */
  exact?: boolean | undefined
  topics?: string[] | undefined
  entities?: EntityRef[] | undefined
  /** Milliseconds over which clients spread their reads. */
  spread?: number | undefined
}

/** The fields of a `state` event: the full state of one query key, or a patch of it. */
export interface StateChange {
  key: unknown[]
  base?: Version | undefined
  version?: Version | undefined
  value?: unknown
  patch?: JsonPatchOperation[] | undefined
}

/** What is appended to the log for one commit. */
export interface LogBody {
  /** Whose mutations these are; `undefined` when the server itself wrote. */
  principal?: string | undefined
  mutations: MutationOutcome[]
  parts: LogPart[]
}

/** One transaction of the log, at its position. */
export interface LogEntry extends LogBody {
  position: Position
}

/** Where the log is, read in the snapshot. */
export interface LogState {
  /** Names the log: changes with a new database, a restore, or a lost tail. At most 64 of `[A-Za-z0-9._~-]`. */
  epoch: string
  /** Newest position; `0` in an empty log. */
  head: Position
  /** Entries at or before it have been trimmed: a cursor is good if it is at or past it. */
  floor: Position
}

/** The end of a mutation, kept under its idempotency key so that sending it again gives the same answer. */
export interface StoredOutcome {
  principal: string
  id: string
  /** Of the request: another one under the same key is a mistake. */
  fingerprint: string
  status: 'applied' | 'noop' | 'conflict' | 'rejected'
  /** Position of the commit. */
  position: Position
  /** JSON: what is needed to give the answer again. */
  body: string
  createdAt: number
}

/** Where the mutations of one outbox and scope stand, kept for longer than the keys. */
export interface SequenceKey {
  principal: string
  outbox: string
  scope: string
}

/** One consistent view of everything committed before it began. */
export interface StoreSnapshot {
  /** The record, unless it was deleted or has expired. The value is the caller's own copy. */
  get<T = unknown>(type: string, id: RowId): Promise<StateRecord<T> | undefined>
  exists(type: string, id: RowId): Promise<boolean>
  /** Records of a type in the order in which they were first made. */
  list<T = unknown>(type: string, options?: ListOptions): Promise<StateRecord<T>[]>
  position(): Promise<LogState>
  /** Up to `limit` entries after a position, rising. */
  readLog(after: Position, limit: number): Promise<LogEntry[]>
  /** The newest entries, up to `limit`, rising. */
  tailLog(limit: number): Promise<LogEntry[]>
  outcome(principal: string, id: string): Promise<StoredOutcome | undefined>
  /** Which of these mutations are applied or noop in this snapshot, and where. */
  applied(principal: string, ids: readonly string[]): Promise<{ id: string; position: Position }[]>
  /** The driver's own handle, for tables of your own in the same transaction; `undefined` if there is none. */
  readonly native: unknown
}

/** A snapshot that can be written to. Sees its own writes; nobody else does before the commit. */
export interface StoreTransaction extends StoreSnapshot {
  set<T>(type: string, id: RowId, value: T, options?: WriteOptions): Promise<StateRecord<T>>
  /** Leaves a tombstone with the next version. `undefined`: there was nothing. */
  delete(type: string, id: RowId): Promise<{ version: number } | undefined>
  /**
   * Reads, calls `update` with the record (or `undefined`), and writes what it returns; `undefined` writes nothing.
   * Compare and set: a store whose transactions can interleave calls `update` again until nobody came between.
   */
  atomicUpdate<T>(
    type: string,
    id: RowId,
    update: (current: StateRecord<T> | undefined) => T | undefined,
    options?: WriteOptions,
  ): Promise<StateRecord<T> | undefined>
  /** The position of this commit's entry. */
  append(entry: LogBody): Promise<Position>
  saveOutcome(outcome: StoredOutcome): Promise<void>
  /** The largest sequence that was finished; `undefined`: none. */
  lastSequence(key: SequenceKey): Promise<number | undefined>
  saveSequence(key: SequenceKey, sequence: number): Promise<void>
  /** Undoes what `run` wrote if it rejects, and rejects likewise; the transaction goes on. May be nested. */
  savepoint<T>(run: () => Promise<T>): Promise<T>
}

/** How much of the past a store keeps. */
export interface TrimOptions {
  /** Log entries and tombstones older than this (milliseconds since the Unix epoch) go. */
  logBefore: number
  /** At most so many log entries stay. */
  logEntries: number
  /** Outcomes older than this go. */
  outcomesBefore: number
  /** Sequences not touched since go. */
  sequencesBefore: number
}

/**
 * Where a sync server keeps everything. A failure of the store itself rejects with an error made by
 * {@link storeError}; whatever else rejects came from `run`.
 */
export interface StateStore {
  /**
   * Runs `run` and commits all of it, or nothing if it rejects. Resolves once the commit is durable. `run` may be called
   * again when the database asks for it, so it has no effects outside the transaction.
   */
  transaction<T>(run: (tx: StoreTransaction) => Promise<T>): Promise<T>
  snapshot<T>(run: (view: StoreSnapshot) => Promise<T>): Promise<T>
  /** Deletes what is old, and expired records. Cursors from before the new floor are refused from then on. */
  trim(options: TrimOptions): Promise<void>
  /** Waits for what runs; afterwards everything rejects. */
  close(): Promise<void>
}

/** How values become text or bytes, and back. @defaultValue JSON */
export interface StateSerializer {
  serialize(value: unknown): string | Uint8Array
  deserialize(stored: string | Uint8Array): unknown
}

/** Values as JSON. `undefined` is kept as `null`. */
export const jsonSerializer: StateSerializer = {
  serialize: (value) => JSON.stringify(value) ?? 'null',
  deserialize: (stored) =>
    JSON.parse(typeof stored === 'string' ? stored : new TextDecoder().decode(stored)) as unknown,
}

/** A failure of the store itself (disk full, locked, closed): the request may be sent again. */
export interface StoreError extends Error {
  readonly name: 'StoreError'
}

/** An error that says: the store cannot answer now. It is answered with 503, and may be tried again. */
export function storeError(message: string, cause?: unknown): StoreError {
  const error = cause === undefined ? new Error(message) : new Error(message, { cause })
  return Object.assign(error, { name: 'StoreError' as const })
}

export function isStoreError(error: unknown): error is StoreError {
  return isError(error) && error.name === 'StoreError'
}

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function comparePositions(a: Position, b: Position): number {
  if (a === b) return 0
  const left = a.split('-')
  const right = b.split('-')
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = BigInt(left[i] ?? '0') - BigInt(right[i] ?? '0')
    if (order !== 0n) return order < 0n ? -1 : 1
  }
  return 0
}

/** A new name for a log. */
export function newEpoch(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
