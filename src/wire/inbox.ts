/**
 * The queue between reading and processing. Parsers only collect here; entries are delivered one at a time, in order,
 * and the event loop gets its turn each 5 ms. A full inbox makes the reader wait, so that the network pushes back.
 */
import type { Slice } from './slice'

/** One block of the wire. */
export interface StreamEntry {
  /** The event's name; `message` when it has none. */
  event: string
  /** Lines joined by a line feed; `undefined` for a block that has an id and no data. */
  data: string | undefined
  /** The id that stood in this very block; an empty one clears the position. */
  id: string | undefined
  /** When it was received, in milliseconds. */
  at: number
}

export interface InboxOptions {
  /** So many entries wait: full. */
  maxEntries: number
  /** So many characters wait: full. */
  maxSize: number
  /** Processes one entry; must not throw. A promise holds back the next. */
  deliver(entry: StreamEntry): void | Promise<void>
  /** Called when nothing more will be delivered in this turn of the event loop. */
  paused(): void
}

export interface Inbox {
  /** Collects one entry. Nothing is delivered before `run`. */
  push(entry: StreamEntry): void
  /** Delivers what waits. */
  run(): void
  /** Whether the reader should wait. */
  isFull(): boolean
  /** How many entries wait. */
  size(): number
  /** Resolves when there is room again, or it is closed. */
  room(): Promise<void>
  /** Resolves when everything is delivered, or it is closed. */
  drained(): Promise<void>
  /** Drops what waits; nothing is delivered after this. */
  close(): void
}

export function createInbox(slice: Slice, options: InboxOptions): Inbox {
  let entries: StreamEntry[] = []
  let head = 0
  let weight = 0
  let draining = false
  let closed = false
  let waiters: Array<{ until: () => boolean; resolve: () => void }> = []

  const size = () => entries.length - head
  const isFull = () => size() >= options.maxEntries || weight >= options.maxSize
  const isEmpty = () => size() === 0 && !draining

  function take(): StreamEntry | undefined {
    const entry = entries[head]
    if (entry === undefined) return undefined
    head++
    weight -= weigh(entry)
    if (head > 512 && head * 2 > entries.length) {
      entries = entries.slice(head)
      head = 0
    }
    return entry
  }

  async function drain(): Promise<void> {
    draining = true
    for (let entry = take(); entry !== undefined; entry = take()) {
      const hold = options.deliver(entry)
      if (closed) return
      if (hold === undefined && !slice.isOver()) continue
      if (hold !== undefined) await hold
      else {
        options.paused()
        await slice.rest()
      }
      if (closed) return
      wake()
    }
    draining = false
    options.paused()
    wake()
  }

  function wake(): void {
    if (waiters.length === 0) return
    const ready = waiters.filter((waiter) => closed || waiter.until())
    waiters = waiters.filter((waiter) => !ready.includes(waiter))
    for (const waiter of ready) waiter.resolve()
  }

  const when = (until: () => boolean): Promise<void> =>
    closed || until() ? Promise.resolve() : new Promise((resolve) => waiters.push({ until, resolve }))

  return {
    push(entry) {
      if (closed) return
      entries.push(entry)
      weight += weigh(entry)
    },
    run() {
      if (!draining && !closed && size() > 0) void drain()
    },
    isFull,
    size,
    room: () => when(() => !isFull()),
    drained: () => when(isEmpty),
    close() {
      closed = true
      entries = []
      head = 0
      weight = 0
      wake()
    },
  }
}

function weigh(entry: StreamEntry): number {
  return (entry.data?.length ?? 0) + entry.event.length
}
