/**
 * All writes that are not over, and those that failed: their order, their scopes, which id is whose, who creates which row.
 * What stands where is decided in this file alone; the records themselves are the writes'.
 */
import type { Cursor } from '../base/cursor'
import type { Ended } from './ended'
import { createEnded } from './ended'
import type { OutboxMeta } from './stored'
import type { Write } from './write'
import { revise } from './write'

export interface Log {
  /** By id, in the order in which they came; also what is confirmed and not yet in every base. */
  readonly writes: ReadonlyMap<string, Write>
  /** What is not settled, one list per scope, in the order of `pos`. */
  readonly scopes: ReadonlyMap<string, readonly Write[]>
  /** Confirmed, and not yet in every base. */
  readonly confirmed: ReadonlySet<Write>
  readonly ended: Ended
  readonly meta: OutboxMeta
  /** The next place in the log. */
  takePlace(): number
  add(write: Write): void
  /** It is settled: its scope goes on, and its rows are nobody's to create. */
  leaveScope(write: Write): void
  /** It is confirmed, and stays until every base has it. */
  stay(write: Write): void
  /** It is over. `false`: it was not listed. */
  forget(write: Write): boolean
  /** The write has another id now, and what builds on it builds on that one. Returns the latter. */
  rename(write: Write, old: string): Write[]
  /** Whether any row is being created. */
  readonly hasCreators: boolean
  /** Who creates this row, and is not confirmed. */
  creatorOf(row: string): Write | undefined
  /** The newest position of an own write; `true`: it was not known. */
  noteOwn(cursor: Cursor | undefined): boolean
  /** Goes on after what an earlier page left: the places of this page's writes come after all of it. */
  continueFrom(meta: OutboxMeta): void
  /** Forgets everything. */
  clear(): void
}

/** `newId` makes the log's name when it is asked for: making a client reads no clock and no chance. */
export function createLog(newId: () => string): Log {
  const writes = new Map<string, Write>()
  const scopes = new Map<string, Write[]>()
  const creators = new Map<string, Write>()
  const confirmed = new Set<Write>()
  const ended = createEnded()
  let meta = newMeta(newId)

  return {
    writes,
    scopes,
    confirmed,
    ended,
    get meta() {
      return meta
    },
    takePlace: () => meta.nextPos++,
    add(write) {
      writes.set(write.id, write)
      for (const row of write.creates) creators.set(row, write)
      const list = scopes.get(write.scope) ?? []
      let at = list.length // nearly always the last
      while (at > 0 && (list[at - 1]?.pos ?? 0) > write.pos) at--
      list.splice(at, 0, write)
      scopes.set(write.scope, list)
    },
    leaveScope(write) {
      const list = scopes.get(write.scope)
      const at = list?.indexOf(write) ?? -1
      if (list !== undefined && at >= 0) list.splice(at, 1)
      if (list?.length === 0) scopes.delete(write.scope)
      for (const row of write.creates) if (creators.get(row) === write) creators.delete(row)
    },
    stay: (write) => void confirmed.add(write),
    forget(write) {
      confirmed.delete(write)
      return writes.get(write.id) === write && writes.delete(write.id)
    },
    rename(write, old) {
      writes.delete(old)
      writes.set(write.id, write)
      const dependents = [...writes.values()].filter(({ record }) => record.deps.includes(old))
      for (const other of dependents)
        revise(other, { deps: other.record.deps.map((dep) => (dep === old ? write.id : dep)) })
      return dependents
    },
    get hasCreators() {
      return creators.size > 0
    },
    creatorOf: (row) => creators.get(row),
    noteOwn(cursor) {
      const isNews = cursor !== meta.ownAt
      meta.ownAt = cursor
      return isNews
    },
    continueFrom(earlier) {
      const early = [...writes.values()]
      const first = Math.min(...early.map(({ pos }) => pos), meta.nextPos)
      const shift = Math.max(0, earlier.nextPos - first)
      for (const write of early) revise(write, { pos: write.pos + shift })
      const sequences = new Map(earlier.sequences)
      for (const [scope, last] of meta.sequences) sequences.set(scope, Math.max(sequences.get(scope) ?? 0, last))
      meta = { ...earlier, sequences, nextPos: meta.nextPos + shift }
    },
    clear() {
      for (const each of [writes, scopes, creators, confirmed, ended]) each.clear()
    },
  }
}

/** What is not settled and builds on the write, directly or not, in order. */
export function dependentsOf({ writes }: Log, write: Write): Write[] {
  const gone = new Set([write.id])
  return [...writes.values()]
    .filter((each) => each !== write && each.outcome === undefined)
    .sort((a, b) => a.pos - b.pos)
    .filter(({ id, record }) => record.deps.some((dep) => gone.has(dep)) && gone.add(id))
}

/** Gives it the next number of its scope, if it has none. */
export function takeSequence({ meta: { sequences } }: Log, write: Write): void {
  const { sequence, scope } = write.record
  if (sequence !== undefined) return
  const next = (sequences.get(scope) ?? 0) + 1
  sequences.set(scope, next)
  revise(write, { sequence: next })
}

/** It was not sent after all: its number is the next one's, unless another has followed. */
export function returnSequence({ meta: { sequences } }: Log, write: Write): void {
  const { sequence, scope } = write.record
  if (sequence === undefined || sequences.get(scope) !== sequence) return
  sequences.set(scope, sequence - 1)
  revise(write, { sequence: undefined })
}

function newMeta(newId: () => string): OutboxMeta {
  let id: string | undefined
  return {
    get outboxId() {
      id ??= newId()
      return id
    },
    nextPos: 1,
    sequences: new Map(),
    ownAt: undefined,
  }
}
