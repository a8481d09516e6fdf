/**
 * Server-Sent Events over `fetch`, as the WHATWG standard says, with a connection policy that never storms and never
 * gives up on what may pass. `createEventStream` is the whole of it for any endpoint; the sync stream is built on `createLink`.
 */
import { createParser } from 'eventsource-parser'
import { SyncError } from '../base/errors'
import { guard, guardedReport } from '../base/guard'
import type { Clock } from '../platform/clock'
import { systemClock } from '../platform/clock'
import type { Random } from '../platform/ids'
import { systemRandom } from '../platform/ids'
import type { Network } from '../platform/network'
import { browserNetwork } from '../platform/network'
import type { FetchLike, HeadersSource } from '../platform/transport'
import { resolveHeaders, systemFetch } from '../platform/transport'
import type { Attempt, Feed, FeedSink, StreamLimits } from './attempt'
import { startAttempt } from './attempt'
import type { StreamEntry } from './inbox'
import type { EventStreamStatus, Reconnector } from './link'
import { createReconnector } from './link'
import type { Outcome } from './outcome'
import type { ReadableStore } from './status'

/** One event of an event stream. */
export interface EventStreamMessage {
  /** The event's name; `message` when the server gave none. */
  readonly event: string
  /** The data lines, joined by line feeds. */
  readonly data: string
  /** The stream's last event id, as of this event; empty when there is none. */
  readonly lastEventId: string
}

/** Where the events come from, and who gets them; see {@link createEventStream}. */
export interface EventStreamOptions {
  /** Where the stream is; a function is asked before each attempt. */
  url: string | (() => string)
  /**
   * Gets each event, in order. A promise holds back the next event until it settles, and a full queue then makes the
   * network push back. What it throws goes to `onError`; the stream goes on.
   */
  onMessage: (message: EventStreamMessage) => unknown
  /** @defaultValue the platform's `fetch` */
  fetch?: FetchLike | undefined
  /** Headers, or a function that makes them anew for each attempt. */
  headers?: HeadersSource | undefined
  /** Other fields of the request: `method`, `body`, `credentials`, … */
  init?: Omit<RequestInit, 'headers' | 'signal'> | undefined
  /** Where to go on: any string that an earlier event had as its `lastEventId`. */
  lastEventId?: string | undefined
  /** Asked once after a 401; resolves to `true` when there are new credentials. Without it `headers` is asked once more. */
  refreshAuth?: (() => Promise<boolean>) | undefined
  /** What should be noticed: a handler threw, the server refuses for good, an event broke a limit. @defaultValue `console.warn` */
  onError?: ((error: SyncError) => void) | undefined
  /**
   * Milliseconds between the server's signs of life. After 2.5 times this (at least 20 s) without a byte the
   * connection is taken for dead. @defaultValue `false`: the stream may be silent for ever
   */
  heartbeat?: number | false | undefined
  /** Milliseconds until the server must have answered. @defaultValue 60 000 */
  headTimeout?: number | false | undefined
  /** Characters of one event, bytes of one line. @defaultValue 1 048 576 */
  maxEventSize?: number | undefined
}

/** What a stream is made of; each has the platform's own as its default. */
export interface EventStreamDeps {
  clock?: Clock | undefined
  random?: Random | undefined
  network?: Network | undefined
}

/** One connection of Server-Sent Events that is kept: made by {@link createEventStream}. */
export interface EventStream {
  /** How the connection stands, as a read-only Zustand store. */
  readonly status: ReadableStore<EventStreamStatus>
  /** Connects. Does nothing when started. */
  start(): void
  /** Disconnects at once: no event is delivered after it. Can be started again, and goes on where it was. */
  stop(): void
  /** Tries now instead of waiting. */
  retryNow(): void
}

export const DEFAULT_LIMITS: StreamLimits = {
  event: 1_048_576,
  queueEntries: 1_000,
  queueSize: 4_194_304,
  lineTime: 60_000,
  headTime: 60_000,
}

/**
 * A client for one event stream (Server-Sent Events), over `fetch`: it can send headers, reads statuses, and connects
 * again by itself with the last event id. Delivers each event that arrived whole exactly once, in order.
 *
 * @example
 * const stream = createEventStream({ url: '/events', onMessage: ({ event, data }) => console.log(event, data) })
 * stream.start()
 */
export function createEventStream(options: EventStreamOptions, deps: EventStreamDeps = {}): EventStream {
  const { onMessage, url, onError = (error) => console.warn(error) } = options
  let lastEventId = options.lastEventId ?? ''
  const report = guardedReport(onError)
  const failed = (cause: unknown) =>
    report(new SyncError('usage', "The stream's onMessage threw; the stream goes on.", { cause }))

  const link: Link = createLink(
    {
      clock: deps.clock ?? systemClock(),
      random: deps.random ?? systemRandom(),
      network: deps.network ?? browserNetwork(),
      fetch: options.fetch ?? systemFetch(),
    },
    {
      url: typeof url === 'function' ? url : () => url,
      init: options.init,
      headers: () => resolveHeaders(options.headers),
      refreshAuth: options.refreshAuth,
      limits: {
        ...DEFAULT_LIMITS,
        event: options.maxEventSize ?? DEFAULT_LIMITS.event,
        headTime: options.headTimeout ?? DEFAULT_LIMITS.headTime,
      },
      silence: longestSilence(options.heartbeat ?? false),
      lastEventId: () => idHeader(lastEventId),
      dropId: () => {
        lastEventId = ''
      },
      answered: () => link.opened(),
      deliver({ event, data, id }) {
        if (id !== undefined && id !== lastEventId) {
          lastEventId = id
          link.healthy()
        }
        if (data === undefined) return undefined
        return guard(() => onMessage({ event, data, lastEventId }), failed)
      },
      paused: () => {},
      ended: () => {},
      report,
    },
  )
  return { status: link.status, start: link.start, stop: link.stop, retryNow: link.retryNow }
}

export interface LinkDeps {
  clock: Clock
  random: Random
  network: Network
  fetch: FetchLike
}

/** What an owner of a link decides and is told. Nothing of this may throw, except `url` and `headers`. */
export interface LinkOptions {
  url(): string
  init?: Omit<RequestInit, 'headers' | 'signal'> | undefined
  headers(): Promise<Record<string, string>>
  refreshAuth?: (() => Promise<boolean>) | undefined
  limits: StreamLimits
  silence: number | false
  /** Fit for a header, or `undefined`. */
  lastEventId(): string | undefined
  /** Whether `url` carries the position, so that no header does. */
  inAddress?: (() => boolean) | undefined
  /** The position is of no use any more: because of this kind of outcome. */
  dropId(because: Outcome['kind']): void
  /** The answer is an event stream; the owner calls `opened` when it believes it. */
  answered(): void
  deliver(entry: StreamEntry): void | Promise<void>
  /** Nothing more is delivered in this turn of the event loop. */
  paused(): void
  /** The connection is gone. */
  ended(): void
  /** How an attempt ended, before anything is made of it. */
  over?: ((outcome: Outcome) => void) | undefined
  report(error: SyncError): void
}

/** A connection that is kept, for the one who processes its entries. */
export interface Link extends Reconnector {
  /** Ends this connection with an outcome; what waits in its queue is dropped. */
  end(outcome: Outcome): void
  /** Changes the longest silence of this connection, in milliseconds. */
  allow(silence: number | false): void
  /** How many entries wait for being processed. */
  waiting(): number
}

export function createLink(deps: LinkDeps, options: LinkOptions): Link {
  let attempt: Attempt | undefined
  let sent = ''
  const headers = async () => {
    const fields = await options.headers()
    sent = JSON.stringify(fields)
    return fields
  }
  const reconnector = createReconnector(deps, {
    attempt() {
      attempt = startAttempt(
        { ...deps, createFeed },
        { ...options, headers, opened: options.answered, retry, lastEventId: options.lastEventId() },
      )
      if (options.over !== undefined) void attempt.ended.then(options.over)
      return attempt
    },
    lastEventId: options.lastEventId,
    dropId: options.dropId,
    refreshAuth: options.refreshAuth,
    credentialsChanged: () =>
      options.headers().then(
        (fields) => JSON.stringify(fields) !== sent,
        () => false,
      ),
    ended: options.ended,
    report: options.report,
  })
  function retry(milliseconds: number): void {
    reconnector.retry(milliseconds)
  }
  return {
    ...reconnector,
    end: (outcome) => attempt?.end(outcome),
    allow: (silence) => attempt?.allow(silence),
    waiting: () => attempt?.waiting() ?? 0,
  }
}

/** How long a stream may be silent that promises a sign of life each `heartbeat` milliseconds. */
export function longestSilence(heartbeat: number | false): number | false {
  return heartbeat === false ? false : Math.max(heartbeat * 2.5, 20_000)
}

/** The id as UTF-8 bytes in the form that headers have; `undefined` when it is empty or `fetch` would refuse it. */
export function idHeader(id: string): string | undefined {
  let header = ''
  for (const byte of new TextEncoder().encode(id)) {
    if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) return undefined
    header += String.fromCharCode(byte)
  }
  return header === '' ? undefined : header
}

/**
 * Bytes to entries. The one byte order mark is removed; the line feed that is fed first ends the parser's own
 * search for one. An id is handed on at its block's blank line, with the data or without.
 */
function createFeed(limit: number, sink: FeedSink): Feed {
  // Some decoders remove a second mark when the first comes in two parts, so the mark is removed here.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let isFirst = true
  let lineBytes = 0
  let broken = false
  let id: string | undefined
  const flushId = () => {
    if (id !== undefined && !broken) sink.entry('message', undefined, id)
    id = undefined
  }
  const overflow = (what: string) => {
    if (!broken) sink.oversized(`${what} of the stream is larger than ${limit}.`)
    broken = true
  }
  const parser = createParser({
    maxBufferSize: limit,
    onId(value) {
      flushId()
      id = value
    },
    onEvent(event) {
      if (event.id === undefined) flushId()
      id = undefined
      if (event.data.length > limit) overflow('An event')
      else if (!broken) sink.entry(event.event ?? 'message', event.data, event.id)
    },
    onRetry: sink.retry,
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded') overflow('An event')
    },
  })
  parser.feed('\n')
  return {
    lineOpen: () => lineBytes > 0,
    push(chunk) {
      const end = Math.max(chunk.lastIndexOf(10), chunk.lastIndexOf(13))
      lineBytes = end === -1 ? lineBytes + chunk.length : chunk.length - 1 - end
      let text = decoder.decode(chunk, { stream: true })
      if (isFirst && text !== '') {
        isFirst = false
        if (text.startsWith('\ufeff')) text = text.slice(1)
      }
      parser.feed(text)
      if (lineBytes > limit + 64) overflow('A line')
      flushId()
    },
  }
}
