/**
 * A store in memory, for tests and mocks; runs in a browser. A transaction writes into layers of its own, one for each
 * savepoint, that are put in place at its end; a snapshot that is open then keeps the tables that it began with.
 */
import type { RowId } from '../../src/base/messages'
import type {
  ListOptions,
  LogEntry,
  StateRecord,
  StateSerializer,
  StateStore,
  StoredOutcome,
  StoreSnapshot,
  StoreTransaction,
  WriteOptions,
} from '../store'
import { jsonSerializer, newEpoch, storeError } from '../store'
import type { Layer, State, Stored } from './memory-state'
import { committed, hasExpired, joined, merge, newest, newLayer, trimmed } from './memory-state'

/** Options of {@link memoryStore}. */
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

interface Context {
  state: State
  layers: Layer[]
  epoch: string
  now: () => number
  serializer: StateSerializer
}

/** A store in memory: gone with the process. For tests, and for servers whose state may be lost. */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { now = () => Date.now(), serializer = jsonSerializer } = options
  let epoch = options.epoch ?? newEpoch()
  let closed = false
  let tail: Promise<unknown> = Promise.resolve()
  let snapshots = 0
  let state: State = { ...newLayer(), outcomes: new Map(), head: 0, floor: 0, commit: 0 }

  function open(layers: Layer[]): Context {
    if (closed) throw storeError('this memory store is closed')
    return { state, layers, epoch, now, serializer }
  }
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = tail.then(run, run)
    tail = turn.catch(() => {})
    return turn
  }

  return {
    transaction: (run) =>
      inTurn(async () => {
        const layer = newLayer()
        const result = await run(openTransaction(open([layer])))
        state = committed(state, layer, snapshots > 0)
        return result
      }),
    async snapshot(run) {
      const context = open([])
      snapshots++
      try {
        return await run(openSnapshot(context))
      } finally {
        snapshots--
      }
    },
    trim: (limits) =>
      inTurn(async () => {
        open([])
        state = trimmed(state, limits)
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

/** The row, tombstones and expired ones too. */
function rowOf({ state, layers }: Context, type: string, id: RowId): Stored | undefined {
  return newest(layers, (layer) => layer.tables.get(type)?.get(id)) ?? state.tables.get(type)?.get(id)
}

function rowsOf({ state, layers }: Context, type: string): Stored[] {
  const written = layers.flatMap((layer) => layer.tables.get(type) ?? [])
  const table = state.tables.get(type)
  if (written.length === 0) return [...(table?.values() ?? [])]
  return [...new Map([...(table ?? []), ...written.flatMap((rows) => [...rows])]).values()]
}

function openSnapshot(context: Context): StoreSnapshot {
  const { serializer, now, layers, state, epoch } = context
  const end = state.log.length
  const isLive = (row: Stored) => row.value !== undefined && !hasExpired(row, now())
  const find = (type: string, id: RowId) => {
    const row = rowOf(context, type, id)
    return row && isLive(row) ? row : undefined
  }
  const outcomeOf = (principal: string, id: string): StoredOutcome | undefined => {
    const key = joined(principal, id)
    const stored = state.outcomes.get(key)
    return (
      newest(layers, (layer) => layer.outcomes.get(key)) ??
      (stored && stored.commit <= state.commit ? stored : undefined)
    )
  }
  return {
    native: undefined,
    async get<T>(type: string, id: RowId) {
      const row = find(type, id)
      return row && toRecord<T>(type, row, serializer)
    },
    exists: async (type, id) => find(type, id) !== undefined,
    async list<T>(type: string, { after, limit, reverse = false }: ListOptions = {}) {
      let rows = rowsOf(context, type)
      if (reverse) rows.reverse()
      if (after !== undefined) rows = rows.slice(rows.findIndex((row) => row.id === after) + 1)
      return rows
        .filter(isLive)
        .slice(0, limit)
        .map((row) => toRecord<T>(type, row, serializer))
    },
    async position() {
      const written = layers.reduce((sum, layer) => sum + layer.log.length, 0)
      return { epoch, head: String(state.head + written), floor: String(state.floor) }
    },
    async readLog(after, limit) {
      const log = state.log
      const first = firstAfter(log, end, Number(after))
      const written = layers.flatMap((layer) => layer.log).filter((entry) => Number(entry.position) > Number(after))
      return [...log.slice(first, Math.min(end, first + limit)), ...written].slice(0, limit).map(withoutTime)
    },
    async tailLog(limit) {
      const written = layers.flatMap((layer) => layer.log)
      return [...state.log.slice(Math.max(0, end - limit), end), ...written].slice(-limit).map(withoutTime)
    },
    outcome: async (principal, id) => outcomeOf(principal, id),
    async applied(principal, ids) {
      return ids.flatMap((id) => {
        const outcome = outcomeOf(principal, id)
        const isContained = outcome?.status === 'applied' || outcome?.status === 'noop'
        return isContained ? [{ id, position: outcome.position }] : []
      })
    },
  }
}

function openTransaction(context: Context): StoreTransaction {
  const { serializer, now, layers, state } = context
  const view = openSnapshot(context)
  const top = () => layers.at(-1) as Layer

  function writeRow(type: string, row: Stored): Stored {
    const table = top().tables.get(type) ?? new Map<RowId, Stored>()
    top().tables.set(type, table.set(row.id, row))
    return row
  }
  const tx: StoreTransaction = {
    ...view,
    async set<T>(type: string, id: RowId, value: T, options: WriteOptions = {}) {
      const stored = serializer.serialize(value)
      const at = now()
      const old = rowOf(context, type, id)
      const live = old?.value !== undefined && !hasExpired(old, at) ? old : undefined
      const row = writeRow(type, {
        id,
        value: stored,
        version: (old?.version ?? 0) + 1,
        kind: options.kind ?? live?.kind ?? 'persistent',
        createdAt: live?.createdAt ?? at,
        updatedAt: at,
        ttl: options.ttl,
      })
      return toRecord<T>(type, row, serializer)
    },
    async delete(type, id) {
      const old = rowOf(context, type, id)
      if (old?.value === undefined || hasExpired(old, now())) return undefined
      return {
        version: writeRow(type, { ...old, value: undefined, version: old.version + 1, updatedAt: now() }).version,
      }
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
      const position = String(Number((await view.position()).head) + 1)
      top().log.push({ ...structuredClone(entry), position, at: now() })
      return position
    },
    async saveOutcome(outcome) {
      top().outcomes.set(joined(outcome.principal, outcome.id), outcome)
    },
    async lastSequence({ principal, outbox, scope }) {
      const key = joined(principal, outbox, scope)
      return (newest(layers, (layer) => layer.sequences.get(key)) ?? state.sequences.get(key))?.sequence
    },
    async saveSequence({ principal, outbox, scope }, sequence) {
      top().sequences.set(joined(principal, outbox, scope), { sequence, at: now() })
    },
    async savepoint(run) {
      const layer = newLayer()
      layers.push(layer)
      try {
        return await run()
      } catch (error) {
        Object.assign(layer, newLayer())
        throw error
      } finally {
        layers.pop()
        merge(top(), layer)
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

function withoutTime({ at: _, ...entry }: LogEntry & { at: number }): LogEntry {
  return entry
}

/** Index of the first entry after a position, among those before `end`, by halving. */
function firstAfter(log: readonly LogEntry[], end: number, position: number): number {
  let low = 0
  let high = end
  while (low < high) {
    const middle = (low + high) >> 1
    if (Number(log[middle]?.position) <= position) low = middle + 1
    else high = middle
  }
  return low
}
