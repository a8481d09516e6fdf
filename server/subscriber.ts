/**
 * One open stream: what its reader is to get, and the bytes that it reads. It holds no queue, so a reader that stops costs
 * nothing but its index into the ring.
 *
 * 1. The reader pulls. 2. `take` encodes what is between the index and the end of the ring, up to a chunk. 3. If that is
 * nothing, the pull waits; `wake` asks again when the ring has grown, a ping is due or the stream is to end.
 */
import type { ByeMessage } from '../src/base/messages'
import type { FeedSource, FeedStart } from './feed'
import { createFeed, refill, take } from './feed'
import type { Principal } from './functions'
import type { ResolvedOptions } from './options'
import { createOutlet } from './outlet'
import { createPace } from './pace'
import { hear } from './place'

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

export interface SubscriberDeps<P extends Principal> extends FeedSource {
  options: ResolvedOptions<P>
  /** Called once, whatever ended the stream. */
  remove: (reason: string) => void
}

export interface SubscriberStart<P extends Principal> extends FeedStart {
  principal: P
  asked: readonly string[]
  /** When it is old, in milliseconds since the Unix epoch. */
  closeAt: number
  signal: AbortSignal | undefined
}

export function createSubscriber<P extends Principal>(
  deps: SubscriberDeps<P>,
  start: SubscriberStart<P>,
): Subscriber<P> {
  const { ring, options, metrics } = deps
  const { principal, asked, signal } = start
  const { clock, stream: times } = options
  const feed = createFeed(start)
  const { place } = feed
  const pace = createPace(options, ring, feed)
  const outlet = createOutlet({ pull, signal, ended: deps.remove })
  let askAgainAt = clock.now() + times.reauthorize

  async function pull(): Promise<void> {
    while (!outlet.isOver) {
      await refill(feed, deps)
      const bytes = outlet.isOver ? undefined : take(feed, deps)
      if (outlet.isOver) return
      if (bytes !== undefined && bytes.length > 0) return deliver(bytes)
      // With a replay, nothing of that page was for this reader.
      if (feed.replay === undefined) await outlet.woken()
    }
  }

  function deliver(bytes: Uint8Array): void {
    pace.took()
    if (place.delivered > 0) metrics.count('deliveries', place.delivered)
    place.delivered = 0
    outlet.enqueue(bytes)
    if (feed.bye !== undefined) outlet.close(`bye-${feed.bye.reason}`)
  }

  function end(bye: Omit<ByeMessage, 'event'>): void {
    feed.bye ??= bye
    outlet.wake()
  }

  async function reauthorize(): Promise<void> {
    askAgainAt = clock.now() + times.reauthorize
    try {
      const allowed = new Set(await options.authorize(principal, [...asked]))
      const topics = asked.filter((topic) => allowed.has(topic))
      if (!hear(place, topics)) return
      if (topics.length === 0) return end({ reason: 'auth-revoked', reconnect: false })
      feed.resync = { reason: 'authorization' }
      outlet.wake()
    } catch (error) {
      options.onError(error, 'authorize failed; the stream keeps its topics until it is asked again')
    }
  }

  return {
    principal,
    stream: outlet.stream,
    get lag() {
      return ring.end - Math.max(place.next, ring.start)
    },
    wake: outlet.wake,
    end,
    reauthorize: () => void reauthorize(),
    abort: outlet.close,
    sweep(now) {
      if (pace.isTooFarBehind(now, outlet.isWaiting)) return outlet.fail('lag', new Error('the reader was too slow'))
      if (now >= (principal.expiresAt ?? Infinity)) return end({ reason: 'auth-expired' })
      if (now >= start.closeAt) return end({ reason: 'max-age' })
      if (now >= askAgainAt) void reauthorize()
      if (!pace.isPingDue(now)) return
      feed.isPingDue = true
      outlet.wake()
    },
  }
}
