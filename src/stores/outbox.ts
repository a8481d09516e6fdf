/** The outbox as people see it: what is pending, what failed, what could not be understood. Entries are copies. */
import type { Entry } from '../queue/outbox'
import type { Queue } from '../queue/queue'

export type OutboxEntry = Readonly<Entry>

export interface OutboxState {
  /** Not settled, in order. A confirmed one is still shown until the base contains it. */
  readonly entries: readonly OutboxEntry[]
  /** Refused for good; kept to be sent again, edited or discarded. Newest last. */
  readonly failed: readonly OutboxEntry[]
  /** From another version of the application: neither its mutation nor a way to migrate it is known. */
  readonly quarantined: readonly OutboxEntry[]
}

export function createOutboxView(queue: Queue): (previous: OutboxState | undefined) => OutboxState {
  let known = new WeakMap<Entry, OutboxEntry>()
  const copy = (entry: Entry): OutboxEntry => {
    const before = known.get(entry)
    if (
      before !== undefined &&
      (Object.keys(entry) as Array<keyof Entry>).every((name) => Object.is(before[name], entry[name]))
    )
      return before
    const next = { ...entry }
    known.set(entry, next)
    return next
  }
  return () => {
    const { items, failed, quarantined } = queue.state
    if (items.size === 0) known = new WeakMap()
    const entries = [...items.values()].map((item) => item.entry).sort((a, b) => a.pos - b.pos)
    return { entries: entries.map(copy), failed: failed.map(copy), quarantined: quarantined.map(copy) }
  }
}
