/** The outbox as people see it: what is pending, what failed, what could not be understood. Entries are copies. */
import { canonical } from '../base/key'
import type { RowId } from '../base/messages'
import type { Op } from '../data/recipes'
import { record } from '../data/recipes'
import type { Entry } from '../writes/stored'
import type { Queue } from '../writes/writes'
import { isHeldBack, isPausedEntry } from './progress'

/** A row that an entry changes. */
export interface RowReference {
  /** The entity's type. */
  readonly type: string
  readonly id: RowId
}

/** A copy of one recorded call: it never changes, a changed entry is another copy. */
export interface OutboxEntry extends Readonly<Entry> {
  /** It waits, and nothing is sent now: offline, paused, or without credentials. */
  readonly isPaused: boolean
  /** The rows that its `optimistic` names. */
  readonly rows: readonly RowReference[]
  /** Confirmed, and every watched query with data shows it from the base: nothing on the screen waits for it. */
  readonly isReflected: boolean
  /** A request of it has no answer yet. An event of the stream may have confirmed it before. */
  readonly isSending: boolean
}

export interface OutboxState {
  /** Not settled, in order. A confirmed one is still shown until the base contains it. */
  readonly entries: readonly OutboxEntry[]
  /** Refused for good; kept to be sent again, edited or discarded. Newest last. */
  readonly failed: readonly OutboxEntry[]
  /** From another version of the application: neither its mutation nor a way to migrate it is known. */
  readonly quarantined: readonly OutboxEntry[]
}

/** Computes the state from the queue; what has not changed keeps its reference. */
export function createOutboxView(queue: Queue): (previous: OutboxState | undefined) => OutboxState {
  const known = new WeakMap<Entry, OutboxEntry>()
  const copy = (entry: Entry, ops: () => readonly Op[], flags: Flags): OutboxEntry => {
    const before = known.get(entry)
    if (before !== undefined && hasFlags(before, flags) && isSame(before, entry)) return before
    const rows = before !== undefined && before.variables === entry.variables ? before.rows : rowsOf(ops())
    const next: OutboxEntry = { ...entry, rows, ...flags }
    known.set(entry, next)
    return next
  }
  const ended = (entry: Entry): OutboxEntry => copy(entry, () => recordAgain(queue, entry), NO_FLAGS)
  return (previous) => {
    const { items, failed, quarantined } = queue.state
    const held = items.size > 0 && isHeldBack(queue.state)
    const entries: OutboxEntry[] = []
    let last = Number.NEGATIVE_INFINITY
    let isSorted = true
    for (const { entry, layer, reflected, abort } of items.values()) {
      const flags = {
        isPaused: isPausedEntry(entry, held),
        isReflected: entry.status === 'confirmed' && reflected.settled,
        isSending: abort !== undefined,
      }
      // Mostly it stands where it stood, and nothing of it has changed: no look-up then.
      const before = previous?.entries[entries.length]
      const same = before?.id === entry.id && hasFlags(before, flags) && isSame(before, entry)
      entries.push(same ? before : copy(entry, () => layer.ops, flags))
      isSorted &&= entry.pos > last
      last = entry.pos
    }
    if (!isSorted) entries.sort((a, b) => a.pos - b.pos)
    const next = { entries, failed: failed.map(ended), quarantined: quarantined.map(ended) }
    return previous === undefined ? next : keep(previous, next)
  }
}

type Flags = Pick<OutboxEntry, 'isPaused' | 'isReflected' | 'isSending'>

const NO_FLAGS: Flags = { isPaused: false, isReflected: false, isSending: false }

function hasFlags(entry: OutboxEntry, { isPaused, isReflected, isSending }: Flags): boolean {
  return entry.isPaused === isPaused && entry.isReflected === isReflected && entry.isSending === isSending
}

// Field by field, by name: this runs for every entry whenever one of them has changed.
function isSame(a: Entry, b: Entry): boolean {
  return (
    a.status === b.status &&
    a.attempt === b.attempt &&
    a.failure === b.failure &&
    a.sent === b.sent &&
    a.sequence === b.sequence &&
    a.id === b.id &&
    a.variables === b.variables &&
    a.confirmedAt === b.confirmedAt &&
    a.pos === b.pos &&
    a.deps === b.deps &&
    a.conflict === b.conflict &&
    a.rounds === b.rounds &&
    a.replaces === b.replaces &&
    a.before === b.before &&
    a.baseVersion === b.baseVersion &&
    a.version === b.version
  )
}

function rowsOf(ops: readonly Op[]): readonly RowReference[] {
  const rows = new Map<string, RowReference>()
  for (const op of ops) if ('entity' in op) rows.set(`${op.entity.type} ${op.id}`, { type: op.entity.type, id: op.id })
  return [...rows.values()]
}

// An entry that failed on an earlier page has no layer here: what it would change is asked again.
function recordAgain(queue: Queue, entry: Entry): readonly Op[] {
  const optimistic = queue.state.options.mutations.get(canonical(entry.mutationKey))?.optimistic
  if (optimistic === undefined) return []
  try {
    return record((view) => optimistic(view, entry.variables as never), queue.state.deps.cache.core.hashKey)
  } catch {
    return []
  }
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
