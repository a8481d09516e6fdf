/**
 * One attempt to hold a connection: headers, request, answer, bytes, end. It ends exactly once, with an outcome; what
 * arrives after that is dropped.
 */
import { createDeferred } from '../base/deferred'
import { isSyncError, SyncError } from '../base/errors'
import type { Clock } from '../platform/clock'
import type { Network } from '../platform/network'
import type { FetchLike } from '../platform/transport'
import { mergeHeaders } from '../platform/transport'
import type { Inbox, StreamEntry } from './inbox'
import { createInbox } from './inbox'
import type { Outcome } from './outcome'
import { classifyAnswer, heldBack } from './outcome'
import type { Slice } from './slice'
import { createSlice } from './slice'
import type { Watchdog } from './watchdog'
import { createWatchdog } from './watchdog'

/** Turns bytes into entries. Made anew for each connection. */
export interface Feed {
  push(chunk: Uint8Array): void
  /** Whether the bytes so far end in the middle of a line. */
  lineOpen(): boolean
}

export interface FeedSink {
  entry(event: string, data: string | undefined, id: string | undefined): void
  retry(milliseconds: number): void
  /** A limit was broken; nothing comes after this. */
  oversized(what: string): void
}

export interface StreamLimits {
  /** Characters of one event, and bytes of one line. */
  event: number
  /** Entries that wait for being processed. */
  queueEntries: number
  /** Characters that wait for being processed. */
  queueSize: number
  /** Milliseconds that one line may take; `false` for no limit. */
  lineTime: number | false
  /** Milliseconds until there must be an answer; `false` for no limit. */
  headTime: number | false
}

export interface AttemptDeps {
  clock: Clock
  network: Network
  fetch: FetchLike
  createFeed(limit: number, sink: FeedSink): Feed
}

export interface AttemptOptions {
  url(): string
  init?: Omit<RequestInit, 'headers' | 'signal'> | undefined
  headers(): Promise<Record<string, string>>
  lastEventId: string | undefined
  /** Whether `url` carries the position, so that no header does. */
  inAddress?: (() => boolean) | undefined
  limits: StreamLimits
  /** Longest silence in milliseconds; `false` for no limit. */
  silence: number | false
  /** The answer is an event stream. */
  opened(): void
  deliver(entry: StreamEntry): void | Promise<void>
  paused(): void
  retry(milliseconds: number): void
}

export interface Attempt {
  readonly ended: Promise<Outcome>
  /** Ends it now, from this side. Only the first end counts. */
  end(outcome: Outcome): void
  /** Looks at the deadlines now. */
  check(): void
  /** Changes the longest silence. */
  allow(silence: number | false): void
  /** How many entries wait for being processed. */
  waiting(): number
}

/** Bytes that are parsed before a full queue is noticed. */
const BITE = 65_536

export function startAttempt(deps: AttemptDeps, options: AttemptOptions): Attempt {
  const { clock } = deps
  const ended = createDeferred<Outcome>()
  const abort = new AbortController()
  const { silence, limits } = options
  let watchdog: Watchdog | undefined
  let cancelHead: (() => void) | undefined

  const slice = createSlice(clock)
  const inbox = createInbox(slice, {
    maxEntries: limits.queueEntries,
    maxSize: limits.queueSize,
    deliver: options.deliver,
    paused: options.paused,
  })
  const end = (outcome: Outcome) => {
    if (ended.settled) return
    ended.resolve(outcome)
    cancelHead?.()
    watchdog?.stop()
    inbox.close()
    slice.cancel()
    abort.abort(new SyncError('stopped', 'The connection was closed from this side.'))
  }

  if (limits.headTime !== false) {
    cancelHead = clock.after(limits.headTime, () =>
      end({
        kind: 'failed',
        error: heldBack(`The stream was not answered within ${Number(limits.headTime) / 1000} s`, deps.network),
      }),
    )
  }
  const run = async () => {
    const answer = await request(deps, options, abort.signal)
    if (ended.settled || 'kind' in answer) return 'kind' in answer ? end(answer) : discard(answer)
    cancelHead?.()
    watchdog = createWatchdog(clock, { silence, line: limits.lineTime, expired: (what) => end(silent(what)) })
    options.opened()
    if (!ended.settled) await read(deps, { answer, options, inbox, slice, watchdog, end, signal: abort.signal })
  }
  run().catch((cause) => end({ kind: 'lost', error: new SyncError('network', 'The stream broke.', { cause }) }))

  return {
    ended: ended.promise,
    end,
    check: () => watchdog?.check(),
    allow: (value) => watchdog?.allow(value),
    waiting: inbox.size,
  }
}

/** Sends the request. Resolves with an answer that is an event stream, or with the outcome. */
async function request(deps: AttemptDeps, options: AttemptOptions, signal: AbortSignal): Promise<Response | Outcome> {
  const { lastEventId } = options
  let url: string
  let headers: HeadersInit
  try {
    url = options.url()
    const isHeader = lastEventId !== undefined && options.inAddress?.() !== true
    const position = isHeader ? { 'last-event-id': lastEventId } : undefined
    headers = mergeHeaders(await options.headers(), { accept: 'text/event-stream' }, position)
  } catch (cause) {
    return headersFailed(cause)
  }
  if (signal.aborted) return { kind: 'aborted' }
  let answer: Response
  try {
    answer = await deps.fetch(url, { cache: 'no-store', ...options.init, headers, signal })
  } catch (cause) {
    const error = new SyncError('network', 'The stream could not be reached.', { cause })
    return { kind: 'failed', error, isUnanswered: true }
  }
  const outcome = classifyAnswer(answer, lastEventId !== undefined, deps.clock.now())
  if (outcome !== undefined) discard(answer)
  return outcome ?? answer
}

interface Reading {
  answer: Response
  options: AttemptOptions
  inbox: Inbox
  slice: Slice
  watchdog: Watchdog
  end(outcome: Outcome): void
  signal: AbortSignal
}

async function read(deps: AttemptDeps, reading: Reading): Promise<void> {
  const { answer, options, inbox, watchdog, end, signal } = reading
  let broken: string | undefined
  const feed = deps.createFeed(options.limits.event, {
    entry: (event, data, id) => inbox.push({ event, data, id, at: deps.clock.now() }),
    retry: options.retry,
    oversized: (what) => {
      broken = what
    },
  })
  const reader = answer.body?.getReader()
  signal.addEventListener('abort', () => void reader?.cancel(signal.reason).catch(ignore))
  let failure: unknown
  reading.slice.begin()
  while (reader !== undefined && broken === undefined) {
    const asked = deps.clock.now()
    const { value, done } = await reader.read().catch((cause: unknown) => {
      failure = cause
      return { value: undefined, done: true } as const
    })
    if (signal.aborted) return
    if (done) break
    if (deps.clock.now() - asked > 1) reading.slice.begin()
    for (let from = 0; from < value.length && broken === undefined; from += BITE) {
      feed.push(value.length <= BITE ? value : value.subarray(from, from + BITE))
      watchdog.fed(feed.lineOpen())
      inbox.run()
      if (!signal.aborted) await makeRoom(reading)
      if (signal.aborted) return
    }
  }
  // What arrived whole is processed before the end counts; deadlines no longer do.
  watchdog.stop()
  await inbox.drained()
  if (broken !== undefined) end({ kind: 'oversized', error: new SyncError('protocol', broken) })
  else end({ kind: 'lost', error: new SyncError('network', 'The stream ended.', { cause: failure }) })
}

/** Not reading on is what makes the network push back. */
async function makeRoom({ inbox, slice, watchdog }: Reading): Promise<void> {
  if (inbox.isFull()) {
    watchdog.pause()
    await inbox.room()
    watchdog.resume()
  } else if (slice.isOver()) {
    await slice.rest()
  }
}

function headersFailed(cause: unknown): Outcome {
  if (isSyncError(cause, 'unauthorized')) return { kind: 'unauthorized', error: cause }
  return {
    kind: 'failed',
    error: new SyncError('network', "The stream's address or headers could not be made.", { cause }),
  }
}

function silent(what: 'silence' | 'line'): Outcome {
  const error = new SyncError(
    'timeout',
    what === 'silence' ? 'The stream went silent.' : 'A line of the stream did not end.',
  )
  return what === 'silence' ? { kind: 'lost', error } : { kind: 'oversized', error }
}

/** An answer that nobody reads would keep its connection. */
function discard(answer: Response): void {
  answer.body?.cancel().catch(ignore)
}

function ignore(): void {}
