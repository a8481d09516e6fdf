/**
 * From the blocks of the wire to messages: guards, a foreign server's own language, and the rules of the queue: what
 * waits for a resync, and what is skipped because it is too old to be worth its time.
 */
import { isCursor } from '../base/cursor'
import { isPlainObject } from '../base/key'
import type { StreamMessage } from '../base/messages'
import { decodeMessage } from '../base/messages'
import type { Clock } from '../platform/clock'
import type { EventStreamMessage, Link } from '../wire/event-stream'
import type { StreamEntry } from '../wire/inbox'
import type { Processor } from './processor'
import { handle, malformed, mark } from './processor'
import type { Handled } from './progress'
import { resync } from './progress'

/** Adapts a foreign server: the messages that one of its events stands for, none if it means nothing. */
export type Decode = (message: EventStreamMessage) => readonly StreamMessage[]

export interface EntriesOptions {
  clock: Clock
  processor: Processor
  decode?: Decode | undefined
  /** Where a foreign server's stream goes on. */
  cursor?: string | undefined
  link(): Link
}

export interface Entries {
  process(entry: StreamEntry): Handled
  /** The last event id of a foreign stream, as of what is processed. */
  lastEventId(): string
  /** How many events were ignored because this version does not know them. */
  ignored(): number
  closed(): void
  drop(): void
}

/** A consumer that is further behind than this (milliseconds) skips to the end and resyncs. */
const BEHIND = 10_000

export function createEntries(options: EntriesOptions): Entries {
  const { clock, processor, decode, link } = options
  let lastEventId: string = options.cursor ?? ''
  let generation = 0
  let ignored = 0
  let skip = 0
  let heldUntil = Number.NEGATIVE_INFINITY

  function process(entry: StreamEntry): Handled {
    const { gate } = processor
    if (gate !== undefined) return later(gate, () => process(entry))
    if (skip === 0 && clock.now() - Math.max(entry.at, heldUntil) > BEHIND) {
      skip = link().waiting() + 1
      processor.isSkipping = true
    }
    const handled = decode === undefined ? read(entry) : translate(entry, decode)
    return handled === undefined ? counted() : later(handled, counted)
  }

  function counted(): Handled {
    if (skip === 0 || --skip > 0) return undefined
    processor.isSkipping = false
    return resync(processor, { reason: 'overflow', cursor: processor.position.get() })
  }

  function read({ event, data, id }: StreamEntry): Handled {
    const cursor = isCursor(id) ? id : undefined
    if (data === undefined) return mark(processor, undefined, cursor)
    const decoded = decodeMessage(event, data, id)
    if (decoded.ok) return handle(processor, decoded.message, data.length)
    if (!decoded.unknown) return malformed(processor, { event, reason: decoded.reason, id: cursor })
    ignored++
    return cursor === undefined ? undefined : mark(processor, prevOf(data), cursor)
  }

  function translate({ event, data, id }: StreamEntry, translator: Decode): Handled {
    const at = id ?? lastEventId
    const commit = () => {
      if (at !== lastEventId) link().healthy()
      lastEventId = at
    }
    if (data === undefined) return commit()
    let messages: readonly StreamMessage[]
    try {
      messages = translator({ event, data, lastEventId: at })
    } catch (cause) {
      const reason = 'message that `decode` could not read'
      return later(malformed(processor, { event, reason, cause }), commit)
    }
    if (messages.length === 0) ignored++
    return later(each(messages, data.length), commit)
  }

  function each(messages: readonly StreamMessage[], size: number): Handled {
    const [first, ...rest] = messages
    if (first === undefined) return undefined
    const handled = handle(processor, isCursor(first.id) ? first : { ...first, id: undefined }, size)
    if (rest.length === 0) return handled
    return later(handled, () => later(processor.gate, () => each(rest, size)))
  }

  /** Runs `then` when `wait` is over, unless the connection is gone by then. */
  function later(wait: Handled, then: () => Handled): Handled {
    if (wait === undefined) return then()
    const mine = generation
    return wait.then(() => {
      heldUntil = clock.now()
      return mine === generation ? then() : undefined
    })
  }

  return {
    process,
    lastEventId: () => lastEventId,
    ignored: () => ignored,
    closed() {
      generation++
      skip = 0
    },
    drop() {
      lastEventId = ''
    },
  }
}

/** The chain goes through events that are not understood, too. */
function prevOf(data: string): string | null | undefined {
  try {
    const value: unknown = JSON.parse(data)
    const prev = isPlainObject(value) ? value['prev'] : undefined
    return prev === null || isCursor(prev) ? prev : undefined
  } catch {
    return undefined
  }
}
