/**
 * Fan-out on one node: reads the log once, into a ring, and lets every stream pull from it at its own pace. The doorbell
 * only says 'look'; what is sent, and in which order, comes from the log.
 */
import type { ByeMessage, HelloMessage } from '../src/base/messages'
import { PROTOCOL } from '../src/base/messages'
import { createChunkCache } from './chunks'
import type { Principal } from './functions'
import { createLogReader } from './log-reader'
import type { Metrics } from './metrics'
import type { OpenStream } from './open-stream'
import type { ResolvedOptions } from './options'
import { PROGRESS } from './pace'
import { resume } from './resume'
import { createSubscriber } from './subscriber'
import { createSubscribers, SWEEP } from './subscribers'

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
  const { clock, stream: times } = options
  const subscribers = createSubscribers<P>(clock, metrics)
  const chunks = createChunkCache()
  const log = createLogReader({
    options,
    metrics,
    hasReaders: () => subscribers.size > 0,
    changed() {
      chunks.clear()
      subscribers.wake()
    },
  })

  async function open(stream: OpenStream<P>): Promise<ReadableStream<Uint8Array>> {
    // While there are streams, every commit rings the bell.
    if (log.ring === undefined || stream.cursor !== undefined || subscribers.size === 0) await log.look()
    const { ring } = log
    if (ring === undefined) throw new Error('the hub has no ring')
    const start = await resume({ options, metrics, log, ring }, stream.cursor)
    const maxAge = Math.round(times.maxAge * (0.9 + 0.2 * options.random()))
    const hello: Omit<HelloMessage, 'event'> = {
      protocol: PROTOCOL,
      epoch: start.epoch,
      resume: start.resume,
      cursor: start.cursor,
      heartbeat: times.heartbeat,
      progress: PROGRESS + SWEEP,
      maxAge,
    }
    const remove = (reason: string) => subscribers.remove(subscriber, reason)
    const subscriber = createSubscriber<P>(
      { ring, chunks, options, metrics, epoch: () => log.epoch, remove },
      { ...stream, ...start, hello, closeAt: clock.now() + maxAge },
    )
    subscribers.add(subscriber, start.resume)
    if (stream.signal?.aborted) subscriber.abort('aborted')
    return subscriber.stream
  }

  return {
    look: log.look,
    count: (matches) => (matches ? subscribers.matching(matches).length : subscribers.size),
    open,
    reauthorize(matches) {
      for (const subscriber of subscribers.matching(matches)) subscriber.reauthorize()
    },
    end(bye, matches) {
      for (const subscriber of subscribers.matching(matches)) subscriber.end(bye)
    },
    idle: subscribers.idle,
    close() {
      for (const subscriber of subscribers.matching(() => true)) subscriber.abort('closed')
    },
  }
}
