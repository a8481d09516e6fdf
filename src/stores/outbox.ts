/** The outbox as people see it: what is pending, what failed, what could not be understood. Entries are copies. */
import { canonical } from '../base/key'
import type { RowId } from '../base/messages'
import type { Op } from '../data/recipes'
import { isOfRow, rowNameOf } from '../data/verbs'
import type { Cache } from '../queries/queries'
import { optimisticOps } from '../writes/functions'
import type { FailureRecord, Sides, WriteRecord, WriteStatus } from '../writes/stored'
import type { Queue } from '../writes/writes'
import { isPausedWrite } from './progress'

/** A row that an entry changes. */
export interface RowReference {
  /** The entity's type. */
  readonly type: string
  readonly id: RowId
}

/** One recorded call of a mutation, as a copy: it never changes, a changed entry is another copy. */
export interface OutboxEntry {
  /** The idempotency key. A changed payload (a resolved conflict, `edit`) is another entry, which says what it `replaces`. */
  readonly id: string
  /** Its place: entries are recorded, shown and sent (within a scope) in this order. */
  readonly pos: number
  readonly mutationKey: readonly unknown[]
  readonly variables: unknown
  /** Of the variables' form: the mutation's `version` when it was recorded. */
  readonly version: number
  /** Entries of one scope are sent one after another; `''` is the scope of mutations that name none. */
  readonly scope: string
  /** Ids of the entries that must be confirmed before this one is sent. */
  readonly deps: readonly string[]
  /** How it stands; `'failed'` and `'quarantined'` in the lists of these names. */
  readonly status: WriteStatus | 'failed' | 'quarantined'
  /** A request of it has left, so that it cannot be cancelled any more. */
  readonly sent: boolean
  /** Requests so far, the one on its way included. */
  readonly attempt: number
  /** Why the last attempt failed, or why the entry did. */
  readonly failure: FailureRecord | undefined
  /** Both sides, while it waits for `sync.resolve()`. */
  readonly conflict: Sides | undefined
  /** Conflicts so far. */
  readonly rounds: number
  /** The id of the entry that this one was made from. */
  readonly replaces: string | undefined
  /** Wall clock milliseconds of the call. */
  readonly createdAt: number
  /** It waits, and nothing is sent now: offline, paused, or without credentials. */
  readonly isPaused: boolean
  /** The rows that its `optimistic` names. */
  readonly rows: readonly RowReference[]
  /** Confirmed, and every watched query with data shows it from the base: nothing on the screen waits for it. */
  readonly isReflected: boolean
  /** A request of it has no answer yet. An event of the stream may have confirmed it before. */
  readonly isSending: boolean
}

/** The writes of a client, in three lists. */
export interface OutboxState {
  /** Not settled, in order. A confirmed one is still shown until the base contains it. */
  readonly entries: readonly OutboxEntry[]
  /** Refused for good; kept to be sent again, edited or discarded. Newest last. */
  readonly failed: readonly OutboxEntry[]
  /** From another version of the application: neither its mutation nor a way to migrate it is known. */
  readonly quarantined: readonly OutboxEntry[]
}

/** Computes the state from the queue; what has not changed keeps its reference. */
export function createOutboxView(queue: Queue, cache: Cache): (previous?: OutboxState) => OutboxState {
  /** A record never changes, so that its copy is good for as long as the flags are. */
  const known = new WeakMap<WriteRecord, OutboxEntry>()
  const rowsKnown = new WeakMap<readonly Op[], readonly RowReference[]>()
  const copy = (record: WriteRecord, flags: Flags, rows: () => readonly RowReference[]): OutboxEntry => {
    const before = known.get(record)
    if (before !== undefined && hasFlags(before, flags)) return before
    const entry = { ...entryOf(record), ...flags, rows: before?.rows ?? rows() }
    known.set(record, entry)
    return entry
  }
  const rowsOf = (ops: readonly Op[]): readonly RowReference[] => {
    const rows = rowsKnown.get(ops) ?? rowsIn(ops)
    rowsKnown.set(ops, rows)
    return rows
  }
  // An entry that failed on an earlier page shows nothing here: what it would change is asked again.
  const rowsAnew = (record: WriteRecord): readonly RowReference[] => {
    const mutation = queue.mutations.get(canonical(record.mutationKey))
    return rowsIn(optimisticOps({ deps: { cache, report: () => {} } }, mutation, record))
  }
  const ended = (record: WriteRecord, status: 'failed' | 'quarantined', previous: OutboxState | undefined) => {
    const rows = () => previous?.entries.find(({ id }) => id === record.id)?.rows ?? rowsAnew(record)
    return copy(record, { ...NO_FLAGS, status }, rows)
  }
  return (previous) => {
    const { log, flow } = queue
    const held = log.writes.size > 0 && flow.isHeldBack()
    const entries: OutboxEntry[] = []
    let isSorted = true
    for (const { record, ops, reflected, attempts } of log.writes.values()) {
      const flags = {
        status: record.status,
        isPaused: isPausedWrite(record, held),
        isReflected: record.status === 'confirmed' && reflected.settled,
        isSending: attempts.request !== undefined,
      }
      const entry = copy(record, flags, () => rowsOf(ops))
      isSorted &&= entry.pos > (entries.at(-1)?.pos ?? Number.NEGATIVE_INFINITY)
      entries.push(entry)
    }
    if (!isSorted) entries.sort((a, b) => a.pos - b.pos)
    const failed = log.ended.failed.map((record) => ended(record, 'failed', previous))
    const quarantined = log.ended.quarantined.map((record) => ended(record, 'quarantined', previous))
    const next = { entries, failed, quarantined }
    return previous === undefined ? next : keep(previous, next)
  }
}

type Flags = Pick<OutboxEntry, 'status' | 'isPaused' | 'isReflected' | 'isSending'>

const NO_FLAGS = { isPaused: false, isReflected: false, isSending: false }

function hasFlags(entry: OutboxEntry, { status, isPaused, isReflected, isSending }: Flags): boolean {
  return (
    entry.isPaused === isPaused &&
    entry.isReflected === isReflected &&
    entry.isSending === isSending &&
    entry.status === status
  )
}

/** What the storage keeps beyond this is nobody's business. */
function entryOf(record: WriteRecord): Omit<OutboxEntry, keyof Flags | 'rows'> {
  const { id, pos, mutationKey, variables, scope, deps, sent, attempt, failure, conflict, rounds, replaces } = record
  const { version, createdAt } = record
  return {
    ...{ id, pos, mutationKey, variables, version, scope, deps, sent, attempt },
    ...{ failure, conflict, rounds, replaces, createdAt },
  }
}

function rowsIn(ops: readonly Op[]): readonly RowReference[] {
  const rows = new Map<string, RowReference>()
  for (const op of ops.filter(isOfRow)) rows.set(rowNameOf(op), { type: op.entity.type, id: op.id })
  return [...rows.values()]
}

function keep(previous: OutboxState, next: OutboxState): OutboxState {
  const entries = keepList(previous.entries, next.entries)
  const failed = keepList(previous.failed, next.failed)
  const quarantined = keepList(previous.quarantined, next.quarantined)
  const same = entries === previous.entries && failed === previous.failed && quarantined === previous.quarantined
  return same ? previous : { entries, failed, quarantined }
}

/** `previous` where the lists have the same members. */
export function keepList<T>(previous: readonly T[], next: readonly T[]): readonly T[] {
  return previous.length === next.length && previous.every((member, at) => Object.is(member, next[at]))
    ? previous
    : next
}
