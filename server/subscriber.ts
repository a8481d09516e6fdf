/**
 * One open stream: an index into the ring, the cursor it was sent last, and a ReadableStream that takes from there when
 * its reader asks. It holds no queue, so a reader that stops costs nothing but its index.
 *
 * 1. The reader pulls. 2. `take` encodes what is between the index and the end of the ring, up to a chunk. 3. If that is
 * nothing, the pull waits; `wake` asks again when the ring has grown, a ping is due or the stream is to end.
 */
import type { Cursor } from '../src/base/cursor'
import type { ByeMessage, HelloMessage, ResyncMessage } from '../src/base/messages'
import type { ChunkCache } from './chunks'
import type { Frame } from './frames'
import { controlText } from './frames'
import type { Principal } from './functions'
import type { Metrics } from './metrics'
import type { ResolvedOptions } from './options'
import type { Replay } from './resume'
import type { Ring } from './ring'

/** Characters that one pull takes, about. */
const CHUNK = 65_536
/**
 * Milliseconds after which a reader is told that the log has moved, though nothing of it was for it: a client whose reads are
 * ahead of its stream for longer takes the stream for held back.
 */
export const PROGRESS = 3_000

export interface Subscriber<P extends Principal> {
  readonly principal: P
  readonly stream: ReadableStream<Uint8Array>
  /** Events of the ring that it has not taken yet. */
  readonly lag: number
  /** Something may be there to take. */
  wake(): void
  /** Pings, ages, expires, drops who is too far behind. */
  sweep(now: number): void
  reauthorize(): void
  /** Says goodbye, then ends. A reader that does not read is cut off by the lag limit. */
  end(bye: Omit<ByeMessage, 'event'>): void
  /** Ends at once. */
  abort(reason: string): void
}

export interface SubscriberDeps<P extends Principal> {
  ring: Ring
  chunks: ChunkCache
  options: ResolvedOptions<P>
  metrics: Metrics
  epoch: () => string
  /** Called once, whatever ended the stream. */
  remove: (reason: string) => void
}

export interface SubscriberStart<P extends Principal> {
  principal: P
  asked: readonly string[]
  topics: readonly string[]
  hello: Omit<HelloMessage, 'event'>
  next: number
  cursor: Cursor
  replay: Replay | undefined
  /** When it is old, in milliseconds since the Unix epoch. */
  closeAt: number
  signal: AbortSignal | undefined
}

export function createSubscriber<P extends Principal>(
  deps: SubscriberDeps<P>,
  start: SubscriberStart<P>,
): Subscriber<P> {
  const { ring, chunks, options, metrics } = deps
  const { principal, signal } = start
  const { clock, limits, stream: times } = options
  const audience = { principal: principal.id, topics: new Set(start.topics) }
  let audienceName = nameOf(audience.topics)
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let onWake: (() => void) | undefined
  let isOver = false
  let opening: string | undefined = controlText('hello', start.hello)
  let replay = start.replay
  /** The page of it that is being sent, from its end. */
  let page: Frame[] = []
  let next = start.next
  let epoch = deps.epoch()
  // `sent`: id of the last event that this reader got. `seen`: how far the log has been looked through for it.
  let sent = start.cursor
  let seen = start.cursor
  let resync: Omit<ResyncMessage, 'event'> | undefined
  let bye: Omit<ByeMessage, 'event'> | undefined
  let isPingDue = false
  let delivered = 0
  let lastTake = clock.now()
  /** Since when the log is looked through further than the reader was told. */
  let untoldSince: number | undefined
  let askAgainAt = clock.now() + times.reauthorize
  let behind: { since: number; mark: number } | undefined

  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      async pull() {
        for (;;) {
          if (!isOver) await refill()
          const bytes = isOver ? undefined : take()
          if (isOver) return
          if (bytes !== undefined && bytes.length > 0) {
            lastTake = clock.now()
            if (delivered > 0) metrics.count('deliveries', delivered)
            delivered = 0
            controller?.enqueue(bytes)
            if (bye !== undefined) finish(`bye-${bye.reason}`, (to) => to.close())
            return
          }
          if (replay !== undefined) continue // nothing of that page was for this reader
          await new Promise<void>((resolve) => (onWake = resolve))
        }
      },
      cancel: () => finish('cancelled'),
    },
    { highWaterMark: 0 },
  )

  function wake(): void {
    const resume = onWake
    onWake = undefined
    resume?.()
  }

  /** Gets the next page of what was missed, if the one before has been sent. */
  async function refill(): Promise<void> {
    if (replay === undefined || page.length > 0 || opening !== undefined) return
    try {
      const frames = await replay.read()
      if (frames === undefined) leap()
      else page = [...frames].reverse()
      if (page.length === 0) replay = undefined
    } catch (error) {
      options.onError(error, 'what a stream missed could not be read; its reader begins afresh')
      replay = undefined
      leap()
    }
  }

  /** What this reader gets now: whole messages, or nothing. */
  function take(): Uint8Array | undefined {
    // Whose credentials have ended gets nothing more, not even what happened before.
    if (bye?.reason === 'auth-expired' || bye?.reason === 'auth-revoked') return encoder.encode(controlText('bye', bye))
    if (next < ring.start || epoch !== deps.epoch()) leap()
    const isPlain = opening === undefined && replay === undefined && resync === undefined && bye === undefined
    if (isPlain && next < ring.end) return takeShared()
    return next < ring.end || !isPlain || isPingDue ? encoder.encode(takeText()) : undefined
  }

  /** The usual case: many readers in the same place take the same frames, so they are encoded once. */
  function takeShared(): Uint8Array {
    const place = `${next} ${sent} ${audienceName}`
    const known = chunks.get(place)
    if (known !== undefined) {
      delivered += known.delivered
      next = known.next
      sent = known.sent
      seen = known.seen
      return known.bytes
    }
    const { text, isPersonal } = takeFrames('')
    const bytes = encoder.encode(text)
    if (!isPersonal) chunks.set(place, { bytes, next, sent, seen, delivered })
    return bytes
  }

  function takeFrames(text: string): { text: string; isPersonal: boolean } {
    let isPersonal = false
    while (next < ring.end && text.length <= CHUNK) {
      const frame = ring.at(next++)
      if (frame === undefined) continue
      isPersonal ||= frame.isPersonal(audience)
      text += send(frame)
    }
    return { text, isPersonal }
  }

  function takeText(): string {
    let text = opening ?? ''
    opening = undefined
    for (let frame = page.pop(); frame !== undefined; frame = page.pop()) {
      text += send(frame)
      if (text.length > CHUNK) return text
    }
    if (replay !== undefined && bye === undefined) return text
    text = takeFrames(text).text
    if (resync !== undefined) text += control('resync', { prev: sent, ...resync })
    resync = undefined
    if (isPingDue && text === '') {
      text = control('ping', { prev: sent, cursor: seen })
      metrics.count('pings')
    }
    isPingDue = false
    if (bye !== undefined) text += controlText('bye', bye)
    return text
  }

  function send(frame: Frame): string {
    seen = frame.cursor
    const text = frame.encode(audience, sent)
    if (text === undefined) return ''
    sent = frame.cursor
    delivered++
    return text
  }
  /** Carries an id where the position has moved: one that repeats the last would be taken for a duplicate. */
  function control(event: string, data: object): string {
    const id = seen === sent ? undefined : seen
    sent = seen
    return controlText(event, data, id)
  }

  /** The ring went on without us: the client reads afresh, and goes on from here. */
  function leap(): void {
    const isNewLog = epoch !== deps.epoch()
    epoch = deps.epoch()
    next = ring.end
    seen = `${epoch}:${ring.endPosition}`
    resync = { reason: isNewLog ? 'stream-changed' : 'overflow' }
    metrics.count(`resyncs{${resync.reason}}`)
  }

  function end(message: Omit<ByeMessage, 'event'>): void {
    bye ??= message
    wake()
  }

  function finish(reason: string, close?: (controller: ReadableStreamDefaultController<Uint8Array>) => void): void {
    if (isOver) return
    isOver = true
    signal?.removeEventListener('abort', onAbort)
    deps.remove(reason)
    if (controller) close?.(controller)
    wake()
  }
  function onAbort(): void {
    finish('aborted', (to) => to.error(signal?.reason ?? new Error('the request was aborted')))
  }

  async function reauthorize(): Promise<void> {
    askAgainAt = clock.now() + times.reauthorize
    try {
      const allowed = new Set(await options.authorize(principal, [...start.asked]))
      const topics = start.asked.filter((topic) => allowed.has(topic))
      if (topics.length === audience.topics.size && topics.every((topic) => audience.topics.has(topic))) return
      audience.topics = new Set(topics)
      audienceName = nameOf(audience.topics)
      if (topics.length === 0) return end({ reason: 'auth-revoked', reconnect: false })
      resync = { reason: 'authorization' }
      wake()
    } catch (error) {
      options.onError(error, 'authorize failed; the stream keeps its topics until it is asked again')
    }
  }

  /** Behind is who has not passed, for `limits.lag`, where the end of the ring once was. */
  function isTooFarBehind(now: number): boolean {
    const isWaiting = onWake !== undefined
    if (replay !== undefined && !isWaiting) return now - lastTake >= limits.lag
    if (isWaiting || (next >= ring.end && bye === undefined)) behind = undefined
    else if (behind === undefined || next >= behind.mark) behind = { since: now, mark: Math.max(ring.end, next + 1) }
    return behind !== undefined && now - behind.since >= limits.lag
  }

  signal?.addEventListener('abort', onAbort)

  return {
    principal,
    stream,
    get lag() {
      return ring.end - Math.max(next, ring.start)
    },
    wake,
    end,
    reauthorize: () => void reauthorize(),
    abort: (reason) => finish(reason, (to) => to.close()),
    sweep(now) {
      if (isTooFarBehind(now)) return finish('lag', (to) => to.error(new Error('the reader was too slow')))
      if (now >= (principal.expiresAt ?? Infinity)) return end({ reason: 'auth-expired' })
      if (now >= start.closeAt) return end({ reason: 'max-age' })
      if (now >= askAgainAt) void reauthorize()
      untoldSince = seen === sent ? undefined : (untoldSince ?? now)
      if (now - lastTake < times.heartbeat && now - (untoldSince ?? now) < PROGRESS) return
      isPingDue = true
      wake()
    },
  }
}

/** The same for everybody who has the same topics. */
function nameOf(topics: ReadonlySet<string>): string {
  return JSON.stringify([...topics].sort())
}
