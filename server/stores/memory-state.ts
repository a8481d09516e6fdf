/** The committed state of a memory store, and the layers that transactions write before it. */
import type { RowId } from '../../src/base/messages'
import type { LogEntry, StateRecord, StoredOutcome, TrimOptions } from '../store'

export interface Stored {
  id: RowId
  /** `undefined`: a tombstone. */
  value: string | Uint8Array | undefined
  version: number
  kind: StateRecord['kind']
  createdAt: number
  updatedAt: number
  ttl: number | undefined
}
export type Table = Map<RowId, Stored>
export type Sequence = { sequence: number; at: number }

/** What is committed. Tables are replaced and not changed while a snapshot looks at them. */
export interface State {
  tables: Map<string, Table>
  /** Only ever appended to, or replaced: a snapshot remembers how long it was. */
  log: (LogEntry & { at: number })[]
  /** With the number of their commit: a snapshot overlooks later ones. */
  outcomes: Map<string, StoredOutcome & { commit: number }>
  sequences: Map<string, Sequence>
  head: number
  floor: number
  commit: number
}

/** What a transaction, or a savepoint in it, has written. */
export interface Layer {
  tables: Map<string, Table>
  log: (LogEntry & { at: number })[]
  outcomes: Map<string, StoredOutcome>
  sequences: Map<string, Sequence>
}

export function newLayer(): Layer {
  return { tables: new Map(), log: [], outcomes: new Map(), sequences: new Map() }
}

/** The state with a layer put in place. Changed where it stands, or beside it for those who look. */
export function committed(before: State, layer: Layer, isWatched: boolean): State {
  const tables = isWatched ? new Map(before.tables) : before.tables
  const commit = before.commit + 1
  for (const [type, rows] of layer.tables) {
    const old = tables.get(type)
    const table = isWatched ? new Map(old) : (old ?? new Map<RowId, Stored>())
    for (const [id, row] of rows) table.set(id, row)
    tables.set(type, table)
  }
  before.log.push(...layer.log)
  for (const [key, outcome] of layer.outcomes) before.outcomes.set(key, { ...outcome, commit })
  for (const [key, sequence] of layer.sequences) before.sequences.set(key, sequence)
  return { ...before, tables, commit, head: before.head + layer.log.length }
}

export function trimmed(state: State, limits: TrimOptions): State {
  const log = state.log.filter((entry) => entry.at >= limits.logBefore).slice(-limits.logEntries)
  // A record that is gone keeps its version for as long as the log remembers it, or a new one would begin below it.
  const isKept = (row: Stored) =>
    row.value === undefined ? row.updatedAt >= limits.logBefore : !hasExpired(row, limits.logBefore)
  return {
    ...state,
    log,
    floor: state.log.length === log.length ? state.floor : Number(log[0]?.position ?? state.head + 1) - 1,
    outcomes: kept(state.outcomes, (outcome) => outcome.createdAt >= limits.outcomesBefore),
    sequences: kept(state.sequences, (sequence) => sequence.at >= limits.sequencesBefore),
    tables: new Map([...state.tables].map(([type, table]) => [type, kept(table, isKept)])),
  }
}

/** What stands under a name: in the newest layer that has it, else `undefined`. */
export function newest<T>(layers: Layer[], look: (layer: Layer) => T | undefined): T | undefined {
  for (let i = layers.length - 1; i >= 0; i--) {
    const found = look(layers[i] as Layer)
    if (found !== undefined) return found
  }
  return undefined
}

export function merge(into: Layer, layer: Layer): void {
  for (const [type, rows] of layer.tables) into.tables.set(type, new Map([...(into.tables.get(type) ?? []), ...rows]))
  into.log.push(...layer.log)
  for (const [key, outcome] of layer.outcomes) into.outcomes.set(key, outcome)
  for (const [key, sequence] of layer.sequences) into.sequences.set(key, sequence)
}

export function hasExpired(row: Stored, now: number): boolean {
  return row.ttl !== undefined && row.updatedAt + row.ttl <= now
}

export function joined(...parts: string[]): string {
  return JSON.stringify(parts)
}

function kept<K, V>(map: Map<K, V>, isKept: (value: V) => boolean): Map<K, V> {
  return new Map([...map].filter(([, value]) => isKept(value)))
}
