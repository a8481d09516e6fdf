/**
 * What the messages of the sync stream mean, in order, one at a time: what each does to the progress, and when the stream
 * is none of ours.
 */
import type { Cursor } from '../base/cursor'
import { compareCursors, isAtOrPast, laterCursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import type { ByeMessage, HelloMessage, PingMessage, ResyncMessage, StreamMessage } from '../base/messages'
import type { Clock } from '../platform/clock'
import type { Network } from '../platform/network'
import type { Link } from '../wire/event-stream'
import { heldBack } from '../wire/outcome'
import { createParts, outcomesOf } from './parts'
import { createPosition } from './position'
import type { Handled, Progress, ProgressDeps } from './progress'
import { after, apply, fail, flush, resync, step, tellOutcomes, tellReached } from './progress'
import { createRun } from './runs'
import type { ChangeMessage } from './target'

export interface ProcessorDeps extends ProgressDeps {
  clock: Clock
  network: Network
  /** The server greeted: the stream is open. */
  greeted(hello: HelloMessage): void
  /** What the messages come by. */
  link(): Pick<Link, 'end'>
}

export interface Processor extends Progress, ProcessorDeps {
  /** A greeting is to come first, or the connection is none of ours. */
  needsHello?: boolean
  hasGreeted?: boolean
  /** While skipping, events move the position and bring outcomes, and change nothing. */
  isSkipping?: boolean
  /** Why the position was dropped. */
  lost?: string | undefined
  /** The greeting is not late any more. */
  cancelHello?: () => void
}

type Identified<Message> = Message & { id?: Cursor | undefined }

export interface Malformed {
  event: string
  reason: string
  id?: Cursor | undefined
  cause?: unknown
}

const HELLO_TIME = 10_000
/** Events that may be a part of a transaction. */
const CHANGES: ReadonlySet<string> = new Set(['invalidate', 'patch', 'state', 'ack'])

export function createProcessor(deps: ProcessorDeps & Pick<Progress, 'cursor'>): Processor {
  return {
    ...deps,
    parts: createParts(),
    position: createPosition(deps.cursor),
    run: createRun(),
  }
}

/** A connection begins; `needsHello`: with a greeting, or it is none of ours. */
export function connect(processor: Processor, needsHello: boolean): void {
  processor.connection = {}
  processor.needsHello = needsHello
  processor.hasGreeted = false
  const late = () =>
    processor.link().end({
      kind: 'unfit',
      error: heldBack('The stream was answered, but no hello came within 10 s', processor.network),
    })
  if (needsHello) processor.cancelHello = processor.clock.after(HELLO_TIME, late)
}

/** The connection is gone; `abandon`: what was collected is dropped. */
export function disconnect(processor: Processor, abandon: boolean): void {
  processor.cancelHello?.()
  if (abandon) processor.run = createRun()
  else void flush(processor)
  processor.connection = undefined
  processor.gate = undefined
  processor.isSkipping = false
  processor.parts.clear()
  processor.position.begin(processor.cursor)
}

/** The position is of no use any more. */
export function drop(processor: Processor, reason: string): void {
  processor.cursor = undefined
  processor.lost = reason
  processor.position.begin(undefined)
}

export function handle(processor: Processor, message: StreamMessage, size: number): Handled {
  if (message.event === 'hello') return onHello(processor, message)
  if (processor.needsHello) return unfit(processor, `The stream began with "${message.event}" instead of "hello".`)
  switch (message.event) {
    case 'bye':
      return onBye(processor, message)
    case 'ping':
      return onPing(processor, message)
    case 'resync':
      return onResync(processor, message)
    default:
      return onChange(processor, message, size)
  }
}

/** A position without a change: a ping, an id alone, an event of a later version. */
export function mark(processor: Processor, prev: Cursor | null | undefined, id: Cursor | undefined): Handled {
  const relation = processor.position.relate(prev, id)
  if (relation === 'gap' || relation === 'epoch')
    return resync(processor, { reason: relation, cursor: processor.position.end(relation, id ?? prev, id) })
  if (relation === 'duplicate' || id === undefined) return undefined
  if (processor.isSkipping) return processor.position.move(id)
  const flushed = flush(processor)
  if (flushed !== undefined) return after(processor, flushed, () => mark(processor, prev, id))
  tellReached(processor, id)
  return step(processor, id)
}

/** A known event that cannot be read. */
export function malformed(processor: Processor, { event, reason, id, cause }: Malformed): Handled {
  fail(processor, `The stream sent a ${reason}; everything is read again.`, cause)
  if (event === 'hello' || processor.needsHello)
    return unfit(processor, `The stream's ${event} cannot be read: ${reason}.`)
  // An id ends a transaction, readable or not; without one the event may have been a part of the next.
  if (id !== undefined) processor.parts.clear()
  else if (CHANGES.has(event)) processor.parts.doubt()
  return resync(processor, { reason: 'protocol', cursor: laterCursor(processor.position.get(), id) })
}

function unfit(processor: Processor, why: string): void {
  processor.link().end({ kind: 'unfit', error: new SyncError('protocol', why) })
}

function onHello(processor: Processor, message: HelloMessage): void {
  const { cursor, resume } = message
  if (processor.hasGreeted && isAtOrPast(processor.position.get() ?? cursor, cursor)) return
  processor.hasGreeted = true
  processor.needsHello = false
  void flush(processor)
  processor.parts.clear()
  const ours = processor.cursor
  const goesOn = ours !== undefined && processor.lost === undefined && compareCursors(cursor, ours) === 0
  processor.cancelHello?.()
  processor.greeted(message)
  if (processor.connection === undefined) return
  if (resume === 'continued' && goesOn) {
    processor.position.begin(cursor)
    tellReached(processor, cursor)
    return
  }
  const reason = processor.lost ?? (resume === 'continued' ? (ours === undefined ? 'fresh' : 'gap') : resume)
  processor.lost = undefined
  void resync(processor, { reason, cursor })
  processor.position.begin(cursor)
}

function onChange(processor: Processor, message: Identified<ChangeMessage>, size: number): Handled {
  const collected = processor.parts.add(message, size)
  if (collected.kind === 'more') return undefined
  if (collected.kind === 'foreign') {
    fail(processor, 'A transaction of the stream was never finished; everything is read again.')
    return after(processor, resync(processor, { reason: 'protocol', cursor: processor.position.get() }), () =>
      onChange(processor, message, size),
    )
  }
  if (collected.kind === 'spoiled') {
    if (collected.isTooLarge) fail(processor, 'A transaction of the stream is too large; everything is read again.')
    const reason = collected.isTooLarge ? 'overflow' : 'protocol'
    return resync(processor, { reason, cursor: laterCursor(processor.position.get(), message.id) })
  }
  const { messages } = collected
  const relation = processor.position.relate(messages[0]?.prev, message.id)
  if (relation === 'duplicate') return tellOutcomes(processor, outcomesOf(messages), message.id)
  if (relation === 'next') return advance(processor, messages, message.id)
  const cursor = processor.position.end(relation, messages[0]?.prev, message.id)
  return after(processor, resync(processor, { reason: relation, cursor }), () => apply(processor, messages, message.id))
}

function advance(processor: Processor, messages: readonly ChangeMessage[], id: Cursor | undefined): Handled {
  const [first] = messages
  if (processor.isSkipping) {
    tellOutcomes(processor, outcomesOf(messages), id)
    if (id !== undefined) processor.position.move(id)
    return undefined
  }
  // What names writes is their outcome at its own position, and not that of what follows it.
  if (messages.length === 1 && first?.event === 'invalidate' && (first.mutations ?? []).length === 0) {
    processor.run.add(first, id)
    if (id !== undefined) processor.position.move(id)
    return processor.run.isFull() ? flush(processor) : undefined
  }
  const flushed = flush(processor)
  return flushed === undefined
    ? apply(processor, messages, id)
    : after(processor, flushed, () => apply(processor, messages, id))
}

function onResync(processor: Processor, message: Identified<ResyncMessage>): Handled {
  const { prev, id, reason, spread, mutations = [] } = message
  const relation = processor.position.relate(prev, id)
  tellOutcomes(processor, mutations, id)
  if (relation === 'duplicate') return undefined
  // What names some keys does not heal a gap in all the others, nor what was skipped.
  const keys = relation === 'next' && !processor.isSkipping ? message.keys : undefined
  return resync(processor, { reason, cursor: laterCursor(processor.position.get(), id), keys, spread })
}

function onPing(processor: Processor, { prev, cursor: head, id }: Identified<PingMessage>): Handled {
  const ours = processor.position.get()
  // A bookmark without an id: what lies between it and us was lost.
  if (id === undefined && head !== undefined && ours !== undefined) {
    const order = compareCursors(head, ours)
    if (order === undefined || order > 0)
      return resync(processor, { reason: order === undefined ? 'epoch' : 'gap', cursor: head })
  }
  return mark(processor, prev, id)
}

function onBye(processor: Processor, { reason, reconnect, after: stay, spread }: ByeMessage): void {
  void flush(processor)
  if (reason === 'gone' || reconnect === false) processor.link().end({ kind: 'ended' })
  else processor.link().end({ kind: 'bye', bye: { reason, after: stay, spread } })
}
