/**
 * Fan-out on one node: reads the log once, into a ring, and lets every stream pull from it at its own pace. The doorbell
 * only says 'look'; what is sent, and in which order, comes from the log.
 */
import type { Cursor } from '../src/base/cursor'
import { epochOf } from '../src/base/cursor'
import type { ByeMessage, HelloMessage } from '../src/base/messages'
import { PROTOCOL } from '../src/base/messages'
import type { SharedChunk } from './chunks'
import { createFrame } from './frames'
import type { Principal } from './functions'
import type { Metrics } from './metrics'
import type { OpenStream } from './open-stream'
import type { ResolvedOptions } from './options'
import type { Ring } from './ring'
import { createRing } from './ring'
import type { LogEntry, LogState, Position, StoreSnapshot } from './store'
import { comparePositions } from './store'
import type { Replay, Subscriber } from './subscriber'
import { createSubscriber, PROGRESS } from './subscriber'

/** Entries that are read from the log at a time: as many as make some 4 million characters, within bounds. */
const PAGE = { least: 8, first: 64, most: 500, size: 4_194_304 }
/** Entries of a page that one stream replays, and the characters that it is to have. */
const REPLAY_PAGE = { first: 4, most: 128, size: 65_536 }
/** Milliseconds between two looks at every stream. */
const SWEEP = 1_000
/**
 * Milliseconds per stream between two rounds of waking. A round costs some 10 µs a stream whatever it brings, so under
 * load fewer rounds with more in each bring more; the first after a pause is immediate.
 */
const ROUND = 0.03
/** Below so many streams a round costs nothing worth saving. */
const FEW = 100

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
    const most = pageSize()
    const page = await options.store.snapshot(async (view) => {
      const state = await view.position()
      const goesOn = ring !== undefined && state.epoch === epoch && comparePositions(state.floor, ring.endPosition) <= 0
      const entries = goesOn && ring ? await view.readLog(ring.endPosition, most) : undefined
      // Far behind with nobody there: begin at the end instead of reading all that was missed.
      if (entries !== undefined && (entries.length < most || subscribers.size > 0)) return { state, entries }
      return { state, tail: await readTail(view) }
    })
    if (page.entries !== undefined) for (const entry of page.entries) ring?.push(createFrame(entry, epoch))
    else restart(page.state, page.tail)
    if (ring) metrics.gauge('ring_events', ring.end - ring.start)
    if (ring) metrics.gauge('ring_size', ring.size)
    if (page.entries?.length !== 0) {
      chunks.clear()
      wakeAll()
    }
    return page.entries?.length === most
  }

  function pageSize(): number {
    const held = ring === undefined ? 0 : ring.end - ring.start
    if (ring === undefined || held === 0) return PAGE.first
    return Math.min(PAGE.most, Math.max(PAGE.least, Math.floor((PAGE.size * held) / Math.max(1, ring.size))))
  }

  /** The newest entries: as many as a stream may replay, or as fit into a quarter of the ring. */
  async function readTail(view: StoreSnapshot): Promise<Tail> {
    for (let count = 32; ; count *= 4) {
      const most = Math.min(count, limits.replay + 1)
      const entries = await view.tailLog(most)
      const size = entries.reduce((sum, entry) => sum + sizeOf(entry), 0)
      if (entries.length < most) return { entries, isWhole: true }
      if (most > limits.replay || size * 4 > limits.ringSize) return { entries, isWhole: false }
    }
  }

  /**
   * Begins with the newest part of the log: at the first look (after a restart everybody resumes at once, and that must
   * not be one reading of the log each), in a new epoch, or when the log was trimmed past us.
   */
  function restart(state: LogState, { entries: tail, isWhole }: Tail): void {
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
    const here: Start = { resume: 'fresh', next: ring.end, cursor: `${epoch}:${ring.endPosition}`, replay: undefined }
    if (cursor === undefined) return here
    const position = cursor.slice(cursor.lastIndexOf(':') + 1)
    const isPast = epochOf(cursor) === epoch && comparePositions(position, ring.endPosition) <= 0
    if (!isPast) return { ...here, resume: 'reset' }
    const index = ring.indexAfter(position)
    if (index !== undefined) {
      if (ring.end - index > limits.replay) return { ...here, resume: 'reset' }
      metrics.count('replayed{ring}', ring.end - index)
      return { resume: 'continued', next: index, cursor, replay: undefined }
    }
    const until = ring.endPosition
    if (!(await mayReplay(position, until))) return { ...here, resume: 'reset' }
    return { ...here, resume: 'continued', cursor, replay: replayOf(position, until) }
  }

  /** Whether what lies between two positions is still in the log, and not more than a stream may be given. */
  async function mayReplay(after: Position, until: Position): Promise<boolean> {
    const replay = replayOf(after, until)
    let [count, size] = [0, 0]
    for (;;) {
      const frames = await replay.read()
      if (frames === undefined) return false
      count += frames.length
      size += frames.reduce((sum, frame) => sum + frame.size, 0)
      if (count > limits.replay || size > limits.replaySize) return false
      if (frames.length > 0) continue
      metrics.count('replayed{log}', count)
      return true
    }
  }

  /** Reads the log for one stream, page by page, when its reader asks: nothing is kept for who does not read. */
  function replayOf(after: Position, until: Position): Replay {
    let most = REPLAY_PAGE.first
    let at = after
    const log = epoch
    return {
      async read() {
        if (comparePositions(at, until) >= 0) return []
        const entries = await options.store.snapshot(async (view) => {
          const { floor, epoch: now } = await view.position()
          return now !== log || comparePositions(at, floor) < 0 ? undefined : view.readLog(at, most)
        })
        const frames = entries
          ?.filter((entry) => comparePositions(entry.position, until) <= 0)
          .map((entry) => createFrame(entry, log))
        at = frames?.at(-1)?.entry.position ?? until
        const size = frames?.reduce((sum, frame) => sum + frame.size, 0) ?? 0
        most = size < REPLAY_PAGE.size ? Math.min(most * 2, REPLAY_PAGE.most) : Math.max(1, most >> 1)
        return frames
      },
    }
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
        progress: PROGRESS + SWEEP,
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
  replay: Replay | undefined
}

interface Tail {
  entries: LogEntry[]
  /** They are all there are. */
  isWhole: boolean
}

function sizeOf(entry: LogEntry): number {
  return JSON.stringify(entry).length
}
