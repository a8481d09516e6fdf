/**
 * Fan-out on one node: reads the log once, into a ring, and lets every stream pull from it at its own pace. The doorbell
 * only says 'look'; what is sent, and in which order, comes from the log.
 */
import type { Cursor } from '../src/base/cursor'
import { epochOf } from '../src/base/cursor'
import type { ByeMessage, HelloMessage } from '../src/base/messages'
import { PROTOCOL } from '../src/base/messages'
import { createFrame } from './frames'
import type { Metrics } from './metrics'
import type { Principal, ResolvedOptions } from './options'
import type { Ring } from './ring'
import { createRing } from './ring'
import type { LogEntry, LogState } from './store'
import { comparePositions } from './store'
import type { SharedChunk, Subscriber } from './subscriber'
import { createSubscriber } from './subscriber'

/** Entries that are read from the log at a time. */
const PAGE = 500
/** Milliseconds between two looks at every stream. */
const SWEEP = 1_000
/**
 * Milliseconds per stream between two rounds of waking. A round costs some 10 µs a stream whatever it brings, so under
 * load fewer rounds with more in each bring more; the first after a pause is immediate.
 */
const ROUND = 0.03
/** Below so many streams a round costs nothing worth saving. */
const FEW = 100

export interface OpenStream<P extends Principal> {
  principal: P
  /** What the client asked for, and what of it is allowed. */
  asked: readonly string[]
  topics: readonly string[]
  /** Where the client is; `undefined`: nowhere yet. */
  cursor: Cursor | undefined
  signal: AbortSignal | undefined
}

export interface Hub<P extends Principal> {
  /** Number of open streams that match. */
  count(matches?: (principal: P) => boolean): number
  open(stream: OpenStream<P>): Promise<ReadableStream<Uint8Array>>
  /** The log has grown: look. Resolves when everything that was in it is in the ring. */
  look(): Promise<void>
  /** Asks again what the matching principals may read. */
  reauthorize(matches: (principal: P) => boolean): void
  /** Says goodbye to the matching streams and ends them. */
  end(bye: Omit<ByeMessage, 'event'>, matches: (principal: P) => boolean): void
  /** Resolves when no stream is open any more. */
  idle(): Promise<void>
  close(): void
}

export interface HubDeps<P extends Principal> {
  options: ResolvedOptions<P>
  metrics: Metrics
}

export function createHub<P extends Principal>({ options, metrics }: HubDeps<P>): Hub<P> {
  const { clock, limits, stream: times } = options
  const subscribers = new Set<Subscriber<P>>()
  const onIdle: (() => void)[] = []
  let ring: Ring | undefined
  let epoch = ''
  let looking: Promise<void> | undefined
  let lookAgain = false
  let cancelSweep: (() => void) | undefined
  let cancelRound: (() => void) | undefined
  let isRoundDue = false
  const shared = new Map<string, SharedChunk>()
  const chunks = {
    get: (place: string) => shared.get(place),
    // Where everybody is somewhere else there is nothing to share.
    set: (place: string, chunk: SharedChunk) => void (shared.size < 64 && shared.set(place, chunk)),
    clear: () => shared.clear(),
  }

  /** One reader of the log, however often the bell rings. */
  function look(): Promise<void> {
    lookAgain = true
    looking ??= (async () => {
      try {
        while (lookAgain) {
          lookAgain = false
          while (await readPage()) metrics.count('log_pages')
        }
      } finally {
        looking = undefined
      }
    })()
    return looking
  }

  /** Reads what is new into the ring; `true` if there may be more. */
  async function readPage(): Promise<boolean> {
    const page = await options.store.snapshot(async (view) => {
      const state = await view.position()
      const goesOn = ring !== undefined && state.epoch === epoch && comparePositions(state.floor, ring.endPosition) <= 0
      const entries = goesOn && ring ? await view.readLog(ring.endPosition, PAGE) : undefined
      // Far behind with nobody there: begin at the end instead of reading all that was missed.
      if (entries !== undefined && (entries.length < PAGE || subscribers.size > 0)) return { state, entries }
      return { state, tail: await view.tailLog(limits.replay + 1) }
    })
    if (page.entries !== undefined) for (const entry of page.entries) ring?.push(createFrame(entry, epoch))
    else restart(page.state, page.tail)
    if (ring) metrics.gauge('ring_events', ring.end - ring.start)
    if (ring) metrics.gauge('ring_size', ring.size)
    if (page.entries?.length !== 0) {
      chunks.clear()
      wakeAll()
    }
    return page.entries?.length === PAGE
  }

  /**
   * Begins with the newest part of the log: at the first look (after a restart everybody resumes at once, and that must
   * not be one reading of the log each), in a new epoch, or when the log was trimmed past us.
   */
  function restart(state: LogState, tail: LogEntry[]): void {
    const isWhole = tail.length <= limits.replay
    const start = isWhole ? state.floor : (tail[0]?.position ?? state.head)
    epoch = state.epoch
    if (ring === undefined) ring = createRing(limits, start)
    else ring.reset(start)
    for (const entry of isWhole ? tail : tail.slice(1)) ring.push(createFrame(entry, epoch))
    // What is in it is history: for streams that are open it begins behind them.
    metrics.count('ring_restarts')
  }

  /** Wakes every stream: at once, or when the round before is long enough ago. */
  function wakeAll(): void {
    if (cancelRound !== undefined) {
      isRoundDue = true
      return
    }
    for (const subscriber of subscribers) subscriber.wake()
    if (subscribers.size < FEW) return
    cancelRound = clock.after(subscribers.size * ROUND, () => {
      cancelRound = undefined
      if (isRoundDue) wakeAll()
      isRoundDue = false
    })
  }

  function sweep(): void {
    cancelSweep = undefined
    const now = clock.now()
    metrics.gauge('lag_events', Math.max(0, ...[...subscribers].map(({ lag }) => lag)))
    for (const subscriber of [...subscribers]) subscriber.sweep(now)
    schedule()
  }
  function schedule(): void {
    if (subscribers.size > 0) cancelSweep ??= clock.after(SWEEP, sweep)
  }

  async function resume(cursor: Cursor | undefined): Promise<Start> {
    // While there are streams, every commit rings the bell.
    if (ring === undefined || cursor !== undefined || subscribers.size === 0) await look()
    if (ring === undefined) throw new Error('the hub has no ring')
    // Register at the tail and read the head without a wait in between: nothing can come in twice or fall between.
    const here: Start = { resume: 'fresh', next: ring.end, cursor: `${epoch}:${ring.endPosition}`, replay: [] }
    if (cursor === undefined) return here
    const position = cursor.slice(cursor.lastIndexOf(':') + 1)
    const isPast = epochOf(cursor) === epoch && comparePositions(position, ring.endPosition) <= 0
    if (!isPast) return { ...here, resume: 'reset' }
    const index = ring.indexAfter(position)
    if (index !== undefined) {
      if (ring.end - index > limits.replay) return { ...here, resume: 'reset' }
      metrics.count('replayed{ring}', ring.end - index)
      return { resume: 'continued', next: index, cursor, replay: [] }
    }
    const entries = await readBetween(position, ring.endPosition)
    if (entries === undefined) return { ...here, resume: 'reset' }
    metrics.count('replayed{log}', entries.length)
    return { ...here, resume: 'continued', cursor, replay: entries.map((entry) => createFrame(entry, epoch)) }
  }

  /** Entries after one position up to another; `undefined` if some were trimmed, or they are too many. */
  async function readBetween(after: string, until: string) {
    const found = await options.store.snapshot(async (view) => {
      const { floor, epoch: now } = await view.position()
      if (now !== epoch || comparePositions(after, floor) < 0) return undefined
      return view.readLog(after, limits.replay + 1)
    })
    const entries = found?.filter((entry) => comparePositions(entry.position, until) <= 0)
    return entries && entries.length > limits.replay ? undefined : entries
  }

  function remove(subscriber: Subscriber<P>, reason: string): void {
    if (!subscribers.delete(subscriber)) return
    metrics.count(`streams_closed{${reason}}`)
    metrics.gauge('streams', subscribers.size)
    if (subscribers.size > 0) return
    cancelSweep?.()
    cancelSweep = undefined
    cancelRound?.()
    cancelRound = undefined
    isRoundDue = false
    for (const resolve of onIdle.splice(0)) resolve()
  }

  return {
    look,
    count: (matches) =>
      matches ? [...subscribers].filter(({ principal }) => matches(principal)).length : subscribers.size,
    async open(stream) {
      const start = await resume(stream.cursor)
      if (ring === undefined) throw new Error('the hub has no ring')
      const maxAge = Math.round(times.maxAge * (0.9 + 0.2 * options.random()))
      const hello: Omit<HelloMessage, 'event'> = {
        protocol: PROTOCOL,
        epoch,
        resume: start.resume,
        cursor: start.cursor,
        heartbeat: times.heartbeat,
        maxAge,
      }
      const subscriber = createSubscriber<P>(
        { ring, chunks, options, metrics, epoch: () => epoch, remove: (reason) => remove(subscriber, reason) },
        { ...stream, ...start, hello, closeAt: clock.now() + maxAge },
      )
      subscribers.add(subscriber)
      metrics.count(`streams_opened{${start.resume}}`)
      metrics.gauge('streams', subscribers.size)
      schedule()
      if (stream.signal?.aborted) subscriber.abort('aborted')
      return subscriber.stream
    },
    reauthorize(matches) {
      for (const subscriber of [...subscribers]) if (matches(subscriber.principal)) subscriber.reauthorize()
    },
    end(bye, matches) {
      for (const subscriber of [...subscribers]) if (matches(subscriber.principal)) subscriber.end(bye)
    },
    idle: () => (subscribers.size === 0 ? Promise.resolve() : new Promise((resolve) => onIdle.push(resolve))),
    close() {
      for (const subscriber of [...subscribers]) subscriber.abort('closed')
    },
  }
}

interface Start {
  resume: HelloMessage['resume']
  /** Index in the ring from which this stream goes on. */
  next: number
  /** What the client is at before the first event. */
  cursor: Cursor
  /** What comes before `next` and is no longer in the ring. */
  replay: ReturnType<typeof createFrame>[]
}
