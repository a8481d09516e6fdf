/**
 * A store in memory, for tests and mocks; runs in a browser. Committed state is never changed in place: a transaction
 * works on copies of what it touches and puts them in place at its end, so a snapshot is just a reference.
 */
import type { RowId } from '../../src/base/messages'
import type {
  ListOptions,
  LogEntry,
  LogState,
  StateRecord,
  StateSerializer,
  StateStore,
  StoredOutcome,
  StoreSnapshot,
  StoreTransaction,
  WriteOptions,
} from '../store'
import { jsonSerializer, newEpoch, storeError } from '../store'

export interface MemoryStoreOptions {
  /** @defaultValue a random one */
  epoch?: string | undefined
  /** Milliseconds since the Unix epoch. @defaultValue `Date.now` */
  now?: (() => number) | undefined
  /** @defaultValue JSON */
  serializer?: StateSerializer | undefined
}

/** A {@link StateStore} that tests can do things to that happen to real ones. */
export interface MemoryStore extends StateStore {
  /** Starts a new log, as after a restore: cursors of the old one are refused. */
  rotateEpoch(epoch?: string): void
}

interface Stored {
  id: RowId
  /** `undefined`: a tombstone. */
  value: string | Uint8Array | undefined
  version: number
  kind: StateRecord['kind']
  createdAt: number
  updatedAt: number
  ttl: number | undefined
}
type Table = ReadonlyMap<RowId, Stored>

interface State {
  readonly tables: ReadonlyMap<string, Table>
  readonly log: readonly (LogEntry & { at: number })[]
  readonly outcomes: ReadonlyMap<string, StoredOutcome>
  readonly sequences: ReadonlyMap<string, { sequence: number; at: number }>
  readonly head: number
  readonly floor: number
}

interface Context {
  state: State
  readonly epoch: string
  readonly now: () => number
  readonly serializer: StateSerializer
}

export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { now = () => Date.now(), serializer = jsonSerializer } = options
  let epoch = options.epoch ?? newEpoch()
  let closed = false
  let tail: Promise<unknown> = Promise.resolve()
  let state: State = {
    tables: new Map(),
    log: [],
    outcomes: new Map(),
    sequences: new Map(),
    head: 0,
    floor: 0,
  }

  function open(): Context {
    if (closed) throw storeError('this memory store is closed')
    return { state, epoch, now, serializer }
  }
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = tail.then(run, run)
    tail = turn.catch(() => {})
    return turn
  }

  return {
    transaction: (run) =>
      inTurn(async () => {
        const context = open()
        const result = await run(openTransaction(context))
        state = context.state
        return result
      }),
    snapshot: async (run) => run(openSnapshot(open())),
    trim: (limits) =>
      inTurn(async () => {
        open()
        const keep = state.log.filter((entry) => entry.at >= limits.logBefore).slice(-limits.logEntries)
        const floor = state.log.length === keep.length ? state.floor : Number(keep[0]?.position ?? state.head + 1) - 1
        // A record that is gone keeps its version for as long as the log remembers it, or a new one would begin below it.
        const alive = (row: Stored) =>
          row.value === undefined ? row.updatedAt >= limits.logBefore : !hasExpired(row, limits.logBefore)
        state = {
          ...state,
          log: keep,
          floor,
          outcomes: kept(state.outcomes, (outcome) => outcome.createdAt >= limits.outcomesBefore),
          sequences: kept(state.sequences, (row) => row.at >= limits.sequencesBefore),
          tables: new Map([...state.tables].map(([type, table]) => [type, kept(table, alive)])),
        }
      }),
    async close() {
      await tail
      closed = true
    },
    rotateEpoch(next = newEpoch()) {
      epoch = next
    },
  }
}

function openSnapshot(context: Context): StoreSnapshot {
  const { serializer, now } = context
  const find = (type: string, id: RowId) => {
    const row = context.state.tables.get(type)?.get(id)
    return row === undefined || row.value === undefined || hasExpired(row, now()) ? undefined : row
  }
  return {
    native: undefined,
    async get<T>(type: string, id: RowId) {
      const row = find(type, id)
      return row && toRecord<T>(type, row, serializer)
    },
    exists: async (type, id) => find(type, id) !== undefined,
    async list<T>(type: string, { after, limit, reverse = false }: ListOptions = {}) {
      let rows = [...(context.state.tables.get(type)?.values() ?? [])]
      if (reverse) rows.reverse()
      if (after !== undefined) rows = rows.slice(rows.findIndex((row) => row.id === after) + 1)
      rows = rows.filter((row) => row.value !== undefined && !hasExpired(row, now()))
      return rows.slice(0, limit).map((row) => toRecord<T>(type, row, serializer))
    },
    position: async () => logState(context),
    async readLog(after, limit) {
      const log = context.state.log
      const first = firstAfter(log, Number(after))
      return log.slice(first, first + limit).map(({ at: _, ...entry }) => entry)
    },
    outcome: async (principal, id) => context.state.outcomes.get(joined(principal, id)),
    async applied(principal, ids) {
      return ids.flatMap((id) => {
        const outcome = context.state.outcomes.get(joined(principal, id))
        const isContained = outcome?.status === 'applied' || outcome?.status === 'noop'
        return isContained ? [{ id, position: outcome.position }] : []
      })
    },
  }
}

function openTransaction(context: Context): StoreTransaction {
  const { serializer, now } = context
  // Copies made since the last savepoint: only these may be changed in place.
  let own = new Set<unknown>()
  const view = openSnapshot(context)

  function copyOf<K, V>(map: ReadonlyMap<K, V>): Map<K, V> {
    if (own.has(map)) return map as Map<K, V>
    const copy = new Map(map)
    own.add(copy)
    return copy
  }
  function writeRow(type: string, id: RowId, change: (row: Stored | undefined) => Stored): Stored {
    const table = copyOf(context.state.tables.get(type) ?? new Map<RowId, Stored>())
    const row = change(table.get(id))
    table.set(id, row)
    context.state = { ...context.state, tables: copyOf(context.state.tables).set(type, table) }
    return row
  }

  const tx: StoreTransaction = {
    ...view,
    async set<T>(type: string, id: RowId, value: T, options: WriteOptions = {}) {
      const stored = serializer.serialize(value)
      const at = now()
      const row = writeRow(type, id, (old) => {
        const live = old?.value !== undefined && !hasExpired(old, at) ? old : undefined
        return {
          id,
          value: stored,
          version: (old?.version ?? 0) + 1,
          kind: options.kind ?? live?.kind ?? 'persistent',
          createdAt: live?.createdAt ?? at,
          updatedAt: at,
          ttl: options.ttl,
        }
      })
      return toRecord<T>(type, row, serializer)
    },
    async delete(type, id) {
      if (!(await view.exists(type, id))) return undefined
      const change = (old: Stored | undefined) =>
        ({ ...old, id, value: undefined, version: (old?.version ?? 0) + 1, updatedAt: now() }) as Stored
      return { version: writeRow(type, id, change).version }
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
      const head = context.state.head + 1
      const stored = { ...structuredClone(entry), position: String(head), at: now() }
      const log = own.has(context.state.log) ? (context.state.log as (typeof stored)[]) : [...context.state.log]
      own.add(log)
      log.push(stored)
      context.state = { ...context.state, head, log }
      return String(head)
    },
    async saveOutcome(outcome) {
      const outcomes = copyOf(context.state.outcomes).set(joined(outcome.principal, outcome.id), outcome)
      context.state = { ...context.state, outcomes }
    },
    lastSequence: async (key) => context.state.sequences.get(joined(key.principal, key.outbox, key.scope))?.sequence,
    async saveSequence(key, sequence) {
      const row = { sequence, at: now() }
      const sequences = copyOf(context.state.sequences).set(joined(key.principal, key.outbox, key.scope), row)
      context.state = { ...context.state, sequences }
    },
    async savepoint(run) {
      const before = context.state
      own = new Set()
      try {
        return await run()
      } catch (error) {
        context.state = before
        own = new Set()
        throw error
      }
    },
  }
  return tx
}

function toRecord<T>(type: string, row: Stored, serializer: StateSerializer): StateRecord<T> {
  const { value, ttl, ...rest } = row
  const record: StateRecord<T> = { type, ...rest, value: serializer.deserialize(value ?? 'null') as T }
  return ttl === undefined ? record : { ...record, ttl }
}

function logState({ state, epoch }: Context): LogState {
  return { epoch, head: String(state.head), floor: String(state.floor) }
}

function hasExpired(row: Stored, now: number): boolean {
  return row.ttl !== undefined && row.updatedAt + row.ttl <= now
}

function joined(...parts: string[]): string {
  return JSON.stringify(parts)
}

function kept<K, V>(map: ReadonlyMap<K, V>, isKept: (value: V) => boolean): Map<K, V> {
  return new Map([...map].filter(([, value]) => isKept(value)))
}

/** Index of the first entry after a position, by halving. */
function firstAfter(log: readonly LogEntry[], position: number): number {
  let low = 0
  let high = log.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (Number(log[middle]?.position) <= position) low = middle + 1
    else high = middle
  }
  return low
}
