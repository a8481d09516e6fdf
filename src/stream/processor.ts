/**
 * What the messages of the sync stream mean, in order, one at a time. The cursor moves after the apply, never before; a
 * connection that dies takes what it had half done with it, and the server sends that again.
 */
import type { Cursor } from '../base/cursor'
import { compareCursors, isAtOrPast, laterCursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import { guard } from '../base/guard'
import type {
  ByeMessage,
  HelloMessage,
  MutationOutcome,
  PingMessage,
  ResyncMessage,
  StreamMessage,
} from '../base/messages'
import type { Outcome } from '../wire/outcome'
import { createParts, outcomesOf } from './parts'
import { createPosition } from './position'
import type { Resyncer, ResyncRequest } from './resyncer'
import { createRun } from './runs'
import type { ChangeMessage, StreamTarget } from './target'

export interface ProcessorDeps {
  target: Pick<StreamTarget, 'apply' | 'outcomes' | 'reached'>
  resyncer: Resyncer
  report(error: SyncError): void
  /** The server greeted: the stream is open. */
  greeted(hello: HelloMessage): void
  /** The stream came further. */
  progressed(): void
  /** Ends the connection. */
  end(outcome: Outcome): void
}

/** A message may have to wait; then the next one waits too. */
export type Handled = void | Promise<void>

export interface Processor {
  /** The position up to which everything is applied. */
  cursor(): Cursor | undefined
  /** A connection begins; `needsHello`: with a greeting, or it is none of ours. */
  connected(needsHello: boolean): void
  handle(message: StreamMessage, size: number): Handled
  /** A position without a change: a ping, an id alone, an event of a later version. */
  mark(prev: Cursor | null | undefined, id: Cursor | undefined): Handled
  /** A known event that cannot be read. */
  malformed(event: string, reason: string, id: Cursor | undefined, cause?: unknown): Handled
  /** Continuity is lost: events wait. */
  resync(request: ResyncRequest): Promise<void>
  /** What was skipped is over: one resync for all of it. */
  caughtUp(): Promise<void>
  /** Resolves when events may go on; `undefined`: now. */
  gate(): Promise<void> | undefined
  /** While skipping, events move the position and bring outcomes, and change nothing. */
  skip(on: boolean): void
  /** Nothing more comes in this turn: what was collected is applied. */
  flush(): Handled
  /** The connection is gone; `abandon`: what was collected is dropped. */
  closed(abandon: boolean): void
  /** The position is of no use any more. */
  drop(reason: string): void
}

/** Events that may be a part of a transaction. */
const CHANGES: ReadonlySet<string> = new Set(['invalidate', 'patch', 'state', 'ack'])

export function createProcessor(deps: ProcessorDeps, initial: Cursor | undefined): Processor {
  const { target, resyncer } = deps
  const parts = createParts()
  const position = createPosition(initial)
  let run = createRun()
  let cursor = initial
  let generation = 0
  let isLive = false
  let needsHello = true
  let hasGreeted = false
  let isSkipping = false
  let lost: string | undefined
  let gate: Promise<void> | undefined

  const fail = (message: string, cause?: unknown) => deps.report(new SyncError('protocol', message, { cause }))
  /** Tells the target something that needs no answer. */
  const tell = (run: () => void) => void guard(run, (cause) => fail('What the stream brought was not taken.', cause))
  const unfit = (why: string) => deps.end({ kind: 'unfit', error: new SyncError('protocol', why) })

  /** Everything up to `at` is applied: now the position may move. Returns whether it did. */
  function commit(at: Cursor | undefined): boolean {
    if (at === undefined) return false
    const moved = cursor === undefined || compareCursors(at, cursor) !== 0
    cursor = at
    position.move(at)
    return moved
  }

  /** An event has brought the stream further, which a greeting or a resync does not. */
  function step(at: Cursor | undefined): void {
    if (commit(at)) deps.progressed()
  }

  function apply(messages: readonly ChangeMessage[], at: Cursor | undefined): Handled {
    try {
      target.apply(messages, at)
    } catch (cause) {
      fail('A transaction of the stream could not be applied; everything is read again.', cause)
      return resync({ reason: 'protocol', cursor: at ?? position.get() })
    }
    step(at)
    return undefined
  }

  function flush(): Handled {
    const taken = run.take()
    return taken === undefined ? undefined : apply(taken.messages, taken.cursor)
  }

  /** Continuity is lost. The target marks what is cached before it returns, so the position moves at once. */
  function resync(request: ResyncRequest): Promise<void> {
    void flush()
    // Whoever was called may have stopped the stream.
    if (!isLive) return Promise.resolve()
    parts.spoil()
    const mine = generation
    const held = resyncer.resync(request).then(() => {
      if (mine === generation && gate === held) gate = undefined
    })
    gate = held
    commit(request.cursor)
    return held
  }

  /** Runs `then` after `wait`, unless the connection is gone by then. */
  function after(wait: Promise<void>, then: () => Handled): Promise<void> {
    const mine = generation
    return wait.then(() => (mine === generation ? then() : undefined))
  }

  function onHello(message: HelloMessage): void {
    if (hasGreeted && isAtOrPast(position.get() ?? message.cursor, message.cursor)) return
    hasGreeted = true
    needsHello = false
    void flush()
    parts.clear()
    const ours = cursor
    const goesOn = ours !== undefined && lost === undefined && compareCursors(message.cursor, ours) === 0
    deps.greeted(message)
    if (!isLive) return
    if (message.resume === 'continued' && goesOn) {
      position.begin(message.cursor)
      tell(() => target.reached(message.cursor))
      return
    }
    const reason = lost ?? (message.resume === 'continued' ? (ours === undefined ? 'fresh' : 'gap') : message.resume)
    lost = undefined
    void resync({ reason, cursor: message.cursor })
    position.begin(message.cursor)
  }

  function onChange(message: ChangeMessage & { id?: Cursor | undefined }, size: number): Handled {
    const collected = parts.add(message, size)
    if (collected.kind === 'more') return undefined
    if (collected.kind === 'foreign') {
      fail('A transaction of the stream was never finished; everything is read again.')
      return after(resync({ reason: 'protocol', cursor: position.get() }), () => onChange(message, size))
    }
    if (collected.kind === 'spoiled') {
      if (collected.isTooLarge) fail('A transaction of the stream is too large; everything is read again.')
      const reason = collected.isTooLarge ? 'overflow' : 'protocol'
      return resync({ reason, cursor: laterCursor(position.get(), message.id) })
    }
    const { messages } = collected
    const relation = position.relate(messages[0]?.prev, message.id)
    if (relation === 'duplicate') return takeOutcomes(messages, message.id)
    if (relation === 'next') return advance(messages, message.id)
    const cursor = position.end(relation, messages[0]?.prev, message.id)
    return after(resync({ reason: relation, cursor }), () => apply(messages, message.id))
  }

  function advance(messages: readonly ChangeMessage[], id: Cursor | undefined): Handled {
    const [first] = messages
    if (isSkipping) {
      takeOutcomes(messages, id)
      if (id !== undefined) position.move(id)
      return undefined
    }
    // What names writes is their outcome at its own position, and not that of what follows it.
    if (messages.length === 1 && first?.event === 'invalidate' && (first.mutations ?? []).length === 0) {
      run.add(first, id)
      if (id !== undefined) position.move(id)
      return run.isFull() ? flush() : undefined
    }
    const flushed = flush()
    return flushed === undefined ? apply(messages, id) : after(flushed, () => apply(messages, id))
  }

  function takeOutcomes(messages: readonly ChangeMessage[], id: Cursor | undefined): void {
    tellOutcomes(outcomesOf(messages), id)
  }

  function tellOutcomes(mutations: readonly MutationOutcome[], id: Cursor | undefined): void {
    if (mutations.length === 0) return
    void flush()
    tell(() => target.outcomes(mutations, id))
  }

  function mark(prev: Cursor | null | undefined, id: Cursor | undefined): Handled {
    const relation = position.relate(prev, id)
    if (relation === 'gap' || relation === 'epoch')
      return resync({ reason: relation, cursor: position.end(relation, id ?? prev, id) })
    if (relation === 'duplicate' || id === undefined) return undefined
    if (isSkipping) return position.move(id)
    const flushed = flush()
    if (flushed !== undefined) return after(flushed, () => mark(prev, id))
    tell(() => target.reached(id))
    return step(id)
  }

  function malformed(event: string, reason: string, id: Cursor | undefined, cause?: unknown): Handled {
    fail(`The stream sent a ${reason}; everything is read again.`, cause)
    if (event === 'hello' || needsHello) return unfit(`The stream's ${event} cannot be read: ${reason}.`)
    // An id ends a transaction, readable or not; without one the event may have been a part of the next.
    if (id !== undefined) parts.clear()
    else if (CHANGES.has(event)) parts.doubt()
    return resync({ reason: 'protocol', cursor: laterCursor(position.get(), id) })
  }

  function onResync(message: ResyncMessage, id: Cursor | undefined): Handled {
    const relation = position.relate(message.prev, id)
    const { reason, spread, mutations = [] } = message
    tellOutcomes(mutations, id)
    if (relation === 'duplicate') return undefined
    // What names some keys does not heal a gap in all the others, nor what was skipped.
    const keys = relation === 'next' && !isSkipping ? message.keys : undefined
    return resync({ reason, cursor: laterCursor(position.get(), id), keys, spread })
  }

  function onPing({ prev, cursor: head }: PingMessage, id: Cursor | undefined): Handled {
    const ours = position.get()
    // A bookmark without an id: what lies between it and us was lost.
    if (id === undefined && head !== undefined && ours !== undefined) {
      const order = compareCursors(head, ours)
      if (order === undefined || order > 0)
        return resync({ reason: order === undefined ? 'epoch' : 'gap', cursor: head })
    }
    return mark(prev, id)
  }

  function onBye({ reason, reconnect, after: stay, spread }: ByeMessage): void {
    void flush()
    if (reason === 'gone' || reconnect === false) deps.end({ kind: 'ended' })
    else deps.end({ kind: 'bye', bye: { reason, after: stay, spread } })
  }

  function handle(message: StreamMessage, size: number): Handled {
    if (message.event === 'hello') return onHello(message)
    if (needsHello) return unfit(`The stream began with "${message.event}" instead of "hello".`)
    switch (message.event) {
      case 'bye':
        return onBye(message)
      case 'ping':
        return onPing(message, message.id)
      case 'resync':
        return onResync(message, message.id)
      default:
        return onChange(message, size)
    }
  }

  return {
    cursor: () => cursor,
    connected(needs) {
      isLive = true
      needsHello = needs
      hasGreeted = false
    },
    handle,
    mark,
    malformed,
    resync,
    caughtUp: () => resync({ reason: 'overflow', cursor: position.get() }),
    gate: () => gate,
    skip(on) {
      isSkipping = on
    },
    flush,
    closed(abandon) {
      if (abandon) run = createRun()
      else void flush()
      isLive = false
      generation++
      gate = undefined
      isSkipping = false
      parts.clear()
      position.begin(cursor)
    },
    drop(reason) {
      cursor = undefined
      lost = reason
      position.begin(undefined)
    },
  }
}
