/**
 * What mutations and queries are given: rows of a store, and a way to say what changed. Every write to a row becomes a
 * change event with the row's new version; the events go out after the commit, all or none.
 */
import { usageError } from '../src/base/errors'
import { mergePatch } from '../src/base/json-patch'
import { isError } from '../src/base/kinds'
import type { RowChange, RowId, Version } from '../src/base/messages'
import type { Door } from './door'
import { assertName, createDoor } from './door'
import { refuse, reject } from './problem'
import type {
  Invalidation,
  ListOptions,
  LogPart,
  StateChange,
  StateRecord,
  StoreSnapshot,
  StoreTransaction,
  WriteOptions,
} from './store'

/** A consistent view of the store. Nothing that commits meanwhile shows in it. */
export interface ReadTransaction {
  /** The record with its version and times; `undefined` if there is none, or it has expired. */
  get<T = unknown>(type: string, id: RowId): Promise<StateRecord<T> | undefined>
  exists(type: string, id: RowId): Promise<boolean>
  /** Records of a type, oldest first. */
  list<T = unknown>(type: string, options?: ListOptions): Promise<StateRecord<T>[]>
  /** The value alone of {@link get}. */
  row<T = unknown>(type: string, id: RowId): Promise<T | undefined>
  /** The values alone of {@link list}. */
  rows<T = unknown>(type: string, options?: ListOptions): Promise<T[]>
  /** The driver's own handle (SQLite: its `DatabaseSync`), for tables of your own in the same transaction. */
  readonly native: unknown
}

/** How a change is told. */
export interface EventOptions {
  /** Topics whose readers may see it. @defaultValue what the handler's `topics` option says: the row's type */
  topics?: string[] | undefined
}
/** How a row is kept, and who is told of it. */
export type RowOptions = WriteOptions & EventOptions

/** A transaction that a mutation writes in. All of it is committed, or nothing. */
export interface WriteTransaction extends ReadTransaction {
  /** Writes a whole row and tells it as `put`. Resolves with the row. */
  put<T>(type: string, id: RowId, value: T, options?: RowOptions): Promise<T>
  /**
   * Changes fields of a row (RFC 7396: `null` removes a field) and tells it as `merge`. A row that is not there refuses
   * the mutation with 404 `not-found`. Resolves with the whole row.
   */
  merge<T = unknown>(type: string, id: RowId, fields: object, options?: RowOptions): Promise<T>
  /** Deletes a row and tells it as `del`. `false`: there was none, and nothing is told. */
  del(type: string, id: RowId, options?: EventOptions): Promise<boolean>
  /** Says that queries are stale, by key prefix, topic or entity. `to`: the topics whose readers may see it. */
  invalidate(what: Invalidation & { to?: string[] | undefined }): void
  /** Tells the whole state of one query key, or a patch of it, to the readers of `topics`. */
  state(change: StateChange, options: { topics: string[] }): void
  /** Tells a change of a row that is kept in a table of your own. */
  change(change: RowChange, options?: EventOptions): void
  /**
   * Refuses the mutation with 412 and the current row unless the row is at the version that the client named
   * (`If-Match`, `baseVersion`) or that is given. Without either: nothing. Said of the first row that a mutation
   * writes if the mutation does not say it itself.
   */
  expect(type: string, id: RowId, version?: Version): Promise<void>
  /** Writes a record and tells nobody: sessions, counters, state of the server's own. */
  set<T>(type: string, id: RowId, value: T, options?: WriteOptions): Promise<StateRecord<T>>
  /** Deletes a record and tells nobody. */
  delete(type: string, id: RowId): Promise<boolean>
  /** Compare and set of one record; tells nobody. `update` returns `undefined` to leave it. */
  atomicUpdate<T>(
    type: string,
    id: RowId,
    update: (current: StateRecord<T> | undefined) => T | undefined,
    options?: WriteOptions,
  ): Promise<StateRecord<T> | undefined>
}

/** A row as a batch's result shows it. */
export interface WrittenEntity {
  type: string
  id: RowId
  version: Version
  deleted?: boolean | undefined
  value?: unknown
}

/** The versions a client allows: `'*'` any row that is there. */
export type Expected = readonly Version[] | '*'

/** Names the topics whose readers may see a row. `value` is `undefined` where only the row's name is known. */
export type TopicsOf = (row: { type: string; id: RowId; value: unknown }) => string[]

export interface WriteSettings {
  topicsOf: TopicsOf
  onLate: OnLate
  expected?: Expected | undefined
}

/** A transaction in use, and what its owner needs to know about it. */
export interface OpenWrite {
  tx: WriteTransaction
  parts: LogPart[]
  entities: Map<string, WrittenEntity>
  /** Whether anything was written or told. */
  readonly hasEffects: boolean
  /** A failure of the store itself, however the mutation dealt with it. */
  readonly failure: Error | undefined
  /** Why it may not be committed though the function returned: something of it was not awaited. */
  leftBehind(): Error | undefined
  /** From now on nothing happens any more: the function had its time. Resolves when what was under way has ended. */
  end(): Promise<void>
}

/** Is told of a use after the end: a function that was called without `await`. */
export type OnLate = (error: Error) => void

/** Wraps a snapshot for a query, or for a rule that only looks. */
export function openRead(
  view: StoreSnapshot,
  onLate: OnLate,
): {
  tx: ReadTransaction
  end(): Promise<void>
  readonly failure: Error | undefined
} {
  const door = createDoor(onLate)
  return {
    tx: reading(view, door),
    end: door.end,
    get failure() {
      return door.failure
    },
  }
}

function reading(view: StoreSnapshot, { pass }: Door): ReadTransaction {
  const at = <T>(type: string, id: RowId, use: () => Promise<T>) =>
    pass(() => {
      assertName(type, id)
      return use()
    })
  return {
    native: view.native,
    get: (type, id) => at(type, id, () => view.get(type, id)),
    exists: (type, id) => at(type, id, () => view.exists(type, id)),
    list: (type, options) => pass(() => view.list(type, options)),
    row: <T>(type: string, id: RowId) => at(type, id, async () => (await view.get<T>(type, id))?.value),
    rows: <T>(type: string, options?: ListOptions) =>
      pass(async () => (await view.list<T>(type, options)).map((record) => record.value)),
  }
}

/** Wraps a store's transaction for one mutation. */
export function openWrite(store: StoreTransaction, settings: WriteSettings): OpenWrite {
  const door = createDoor(settings.onLate)
  const parts: LogPart[] = []
  const entities = new Map<string, WrittenEntity>()
  const note = (part: LogPart) => {
    if (!door.isOpen()) return
    door.hasEffects = true
    parts.push(part)
  }
  const noteRow: Note = (change, before, after, options) => {
    const { type, id, version } = change
    const topics = options?.topics ?? settings.topicsOf({ type, id, value: after ?? before })
    note({ topics, change })
    entities.set(JSON.stringify([type, id]), toEntity(change, after))
    if (options?.topics !== undefined || before === undefined) return
    // Who could see the row where it was, and cannot where it is now, learns that it changed and not how.
    const left = settings.topicsOf({ type, id, value: before }).filter((topic) => !topics.includes(topic))
    if (left.length > 0) note({ topics: left, invalidate: { entities: [{ type, id, version }] } })
  }
  const tx: WriteTransaction = {
    ...reading(store, door),
    ...rowWrites(store, door, settings.expected, noteRow),
    ...silentWrites(store, door),
    invalidate({ to, ...invalidate }) {
      note({ topics: to ?? topicsOfInvalidation(invalidate, settings.topicsOf), invalidate })
    },
    state: (state, { topics }) => note({ topics, state }),
    change: (change, options) => noteRow(change, undefined, 'value' in change ? change.value : undefined, options),
  }
  return {
    tx,
    parts,
    entities,
    leftBehind: door.leftBehind,
    end: door.end,
    get hasEffects() {
      return door.hasEffects
    },
    get failure() {
      return door.failure
    },
  }
}

type Note = (change: RowChange, before: unknown, after: unknown, options: EventOptions | undefined) => void
type RowWrites = Pick<WriteTransaction, 'put' | 'merge' | 'del' | 'expect'>

function rowWrites(store: StoreTransaction, { pass }: Door, expected: Expected | undefined, note: Note): RowWrites {
  let open = expected
  const find = async <T>(type: string, id: RowId, allowed: Expected | undefined) => {
    assertName(type, id)
    const record = await store.get<T>(type, id)
    open = undefined
    if (allowed !== undefined) assertVersion(record, allowed, `${type} ${JSON.stringify(id)}`)
    return record
  }
  return {
    put: (type, id, value, options) =>
      pass(async () => {
        if (value === undefined)
          throw usageError(`tx.put of ${type} ${JSON.stringify(id)} has no value; tx.del takes a row away`)
        const before = await find(type, id, open)
        const record = await store.set(type, id, value, options)
        const change = { op: 'put' as const, type, id, version: record.version, value: record.value }
        note(change, before?.value, record.value, options)
        return record.value
      }),
    merge: <T>(type: string, id: RowId, fields: object, options?: RowOptions) =>
      pass(async () => {
        const before = await find<T>(type, id, open)
        if (before === undefined) {
          throw reject({ type: 'not-found', status: 404, detail: `there is no ${type} ${JSON.stringify(id)}` })
        }
        const record = await store.set(type, id, merged<T>(before.value, fields), options)
        const versions = { base: before.version, version: record.version }
        // The rows that queries return carry no version, so most readers need the whole row.
        const whole = JSON.stringify(record.value).length <= WHOLE_ROW ? { row: record.value } : {}
        note({ op: 'merge', type, id, ...versions, value: fields, ...whole }, before.value, record.value, options)
        return record.value
      }),
    del: (type, id, options) =>
      pass(async () => {
        const before = await find(type, id, open)
        const gone = await store.delete(type, id)
        if (gone) note({ op: 'del', type, id, version: gone.version }, before?.value, undefined, options)
        return gone !== undefined
      }),
    expect: (type, id, version) =>
      pass(async () => {
        await find(type, id, version === undefined ? expected : [version])
      }),
  }
}

/** Characters of JSON up to which a merge brings the whole row with it. */
const WHOLE_ROW = 4096

function merged<T>(row: T, fields: object): T {
  try {
    return mergePatch(row, fields) as T
  } catch (error) {
    throw reject({ detail: isError(error) ? error.message : 'the fields cannot be merged' })
  }
}

function silentWrites(store: StoreTransaction, door: Door): Pick<WriteTransaction, 'set' | 'delete' | 'atomicUpdate'> {
  const write = <T>(type: string, id: RowId, use: () => Promise<T>): Promise<T> =>
    door.pass(async () => {
      assertName(type, id)
      const result = await use()
      if (result !== undefined && result !== false) door.hasEffects = true
      return result
    })
  return {
    set: (type, id, value, options) => write(type, id, () => store.set(type, id, value, options)),
    delete: (type, id) => write(type, id, async () => (await store.delete(type, id)) !== undefined),
    atomicUpdate: (type, id, update, options) => write(type, id, () => store.atomicUpdate(type, id, update, options)),
  }
}

function assertVersion(record: StateRecord | undefined, expected: Expected, name: string): void {
  const isMet = record !== undefined && (expected === '*' || expected.some((version) => version === record.version))
  if (isMet) return
  const members = record && { current: { version: record.version, value: record.value } }
  throw refuse('precondition', `${name} is ${record ? `at version ${record.version}` : 'gone'}`, members)
}

function topicsOfInvalidation({ topics = [], keys = [], entities = [] }: Invalidation, topicsOf: TopicsOf): string[] {
  const ofKeys = keys.flatMap(([first]) => (typeof first === 'string' ? [first] : []))
  const ofEntities = entities.flatMap(({ type, id }) => topicsOf({ type, id, value: undefined }))
  return [...new Set([...topics, ...ofKeys, ...ofEntities])]
}

function toEntity({ op, type, id, version }: RowChange, value: unknown): WrittenEntity {
  return op === 'del'
    ? { type, id, version, deleted: true }
    : { type, id, version, ...(value === undefined ? {} : { value }) }
}
