/**
 * The sync stream: one connection, its protocol, and polling where no stream is possible. It hands whole transactions
 * to its target, in order, each once; what cannot go on where it was becomes a resync, never a silent loss.
 */
import type { Cursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import { guard, guardedReport } from '../base/guard'
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'
import type { Network } from '../platform/network'
import type { FetchLike } from '../platform/transport'
import type { Link } from '../wire/event-stream'
import { createLink, DEFAULT_LIMITS, idHeader, longestSilence } from '../wire/event-stream'
import { heldBack } from '../wire/outcome'
import type { ReadableStore } from '../wire/status'
import type { Decode, Entries } from './entries'
import { createEntries } from './entries'
import type { Health } from './health'
import { createHealth } from './health'
import type { Placing } from './placing'
import { createPlacing } from './placing'
import type { Processor } from './processor'
import { connect, createProcessor, disconnect, drop } from './processor'
import { flush, resync } from './progress'
import { createResyncer } from './resyncer'
import type { Standing, StreamStatus } from './standing'
import { createStanding } from './standing'
import type { StreamTarget } from './target'

export type { StreamStatus } from './standing'

export interface StreamDeps {
  clock: Clock
  random: Random
  network: Network
  fetch: FetchLike
  /** Headers of each attempt. */
  headers(): Promise<Record<string, string>>
  /** Gets new credentials, shared with reads and writes; resolves to `true` when there are some. */
  refreshAuth?: (() => Promise<boolean>) | undefined
  report(error: SyncError): void
  /** A developer may want to know how often the server gives a sign of life, in milliseconds. */
  heard?: ((heartbeat: number) => void) | undefined
  /** Whether the address is of another origin than the page's, so that CORS decides which headers may go there. */
  isForeign?: ((url: string) => boolean) | undefined
  target: StreamTarget
}

export interface StreamOptions {
  /** Where the stream is; a function is asked before each attempt. `topics` is added to it. */
  url: string | (() => string)
  /** Where to go on: the position that the cached state was saved with. */
  cursor?: Cursor | undefined
  /** Milliseconds between polls while no stream is possible; `false`: never. @defaultValue 30 000 */
  pollInterval?: number | false | undefined
  /** Adapts a foreign server: no `hello` is expected then, and each new connection is a resync unless it `replays`. */
  decode?: Decode | undefined
  /** The foreign server sends again what came after `Last-Event-ID`. @defaultValue `false` */
  replays?: boolean | undefined
  /**
   * Milliseconds between the server's signs of life, until its `hello` says otherwise.
   * @defaultValue 15 000; `false` (may be silent for ever) with `decode`
   */
  heartbeat?: number | false | undefined
  /** Other fields of the request: `credentials`, … */
  init?: Omit<RequestInit, 'headers' | 'signal'> | undefined
}

export interface SyncStream {
  /** Connects. Does nothing when started. */
  start(): void
  /** Disconnects at once; nothing reaches the target after it. Can be started again, and goes on where it was. */
  stop(): void
  /** Tries now instead of waiting: the user asks, or there are other credentials. */
  retryNow(): void
  /** The topics have changed: connects anew with them, at the same position, soon. */
  resubscribe(): void
  readonly status: ReadableStore<StreamStatus>
  /** The position up to which everything is applied. */
  cursor(): Cursor | undefined
  /**
   * A read or a write was told this position: an open stream that does not reach it within 5 s (`isOwn`: a write of this
   * client, of which the stream tells at once) or until well after its next sign of life is behind, whatever its socket says.
   */
  expect(cursor: Cursor, isOwn: boolean): void
  /** A request waits for long: over HTTP/1.1 an open stream of its origin may be what it waits for, and gives way. */
  giveWay(isThere: (url: string) => boolean): void
}

const HEARTBEAT = 15_000
const HEAD_TIME = 20_000
const HELLO_TIME = 10_000
const POLL_INTERVAL = 30_000
/** Changes of topics within this go together, in milliseconds. */
const SUBSCRIBE = 100

export function createSyncStream(deps: StreamDeps, options: StreamOptions): SyncStream {
  const { clock, target } = deps
  const { decode } = options
  const report = guardedReport(deps.report)
  let isStarted = false
  let wasConnected = false
  let asked = ''
  /** The address of the attempt that goes on. */
  let used = ''
  let heartbeat: number = HEARTBEAT
  let progress: number | undefined
  let cancelHello: (() => void) | undefined
  let cancelSubscribe: (() => void) | undefined
  const resyncer = createResyncer({
    clock,
    random: deps.random,
    resync: (request) => target.resync(request),
    report,
    changed() {
      health.look()
      standing.showSoon()
    },
  })
  const processor: Processor = createProcessor(
    {
      target,
      resyncer,
      report,
      greeted(hello) {
        cancelHello?.()
        heartbeat = hello.heartbeat ?? HEARTBEAT
        progress = hello.progress
        link.allow(longestSilence(heartbeat))
        deps.heard?.(heartbeat)
        link.opened()
        health.forget()
      },
      progressed() {
        link.healthy()
        health.look()
        standing.showSoon()
      },
      end: (outcome) => link.end(outcome),
    },
    options.cursor,
  )
  const cursor = () => processor.cursor
  const entries: Entries = createEntries({
    now: clock.now,
    processor,
    decode,
    lastEventId: options.cursor ?? '',
    waiting: () => link.waiting(),
    progressed: () => link.healthy(),
  })
  const placing: Placing = createPlacing({
    network: deps.network,
    isForeign: deps.isForeign,
    cursor,
    drop() {
      entries.drop()
      drop(processor, 'expired')
    },
  })
  const link: Link = createLink(
    { ...deps },
    {
      url: address,
      init: options.init,
      headers: deps.headers,
      refreshAuth: deps.refreshAuth,
      limits: { ...DEFAULT_LIMITS, headTime: HEAD_TIME },
      silence: longestSilence(options.heartbeat ?? (decode === undefined ? HEARTBEAT : false)),
      lastEventId: () => (decode === undefined ? processor.cursor : idHeader(entries.lastEventId())),
      inAddress: placing.inAddress,
      over: decode === undefined ? placing.over : undefined,
      dropId(outcome) {
        entries.drop()
        drop(processor, outcome === 'oversized' ? 'poison' : 'expired')
      },
      answered,
      deliver: entries.process,
      paused: () => void flush(processor),
      ended: () => closed(false),
      report,
    },
  )
  const health: Health = createHealth({
    clock,
    progress: () => progress ?? heartbeat * 1.5,
    cursor,
    isOpen: () => link.status.getState().state === 'open',
    isHeld: () => processor.gate !== undefined || link.waiting() > 0,
    report,
    changed: () => standing.show(),
  })
  const standing: Standing = createStanding(deps, {
    link: link.status,
    behind: () => health.error(),
    pollInterval: options.pollInterval ?? POLL_INTERVAL,
    poll: () => target.poll(),
    report,
    facts: () => ({ cursor: processor.cursor, resyncing: resyncer.isRunning(), ignored: entries.ignored() }),
  })

  function address(): string {
    const url = typeof options.url === 'function' ? options.url() : options.url
    asked = topics()
    placing.began(url)
    used = url
    const position = placing.inAddress() ? processor.cursor : undefined
    const search = [asked && `topics=${asked}`, position && `last_event_id=${encodeURIComponent(position)}`].filter(
      Boolean,
    )
    return search.length === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${search.join('&')}`
  }

  function topics(): string {
    return (target.topics?.() ?? []).map(encodeURIComponent).join(',')
  }

  function renew(): void {
    const { state } = link.status.getState()
    if (topics() !== asked && (state === 'open' || state === 'connecting')) link.end({ kind: 'renewed' })
  }

  function answered(): void {
    placing.answered()
    connect(processor, decode === undefined)
    if (decode === undefined) {
      cancelHello = clock.after(HELLO_TIME, () =>
        link.end({
          kind: 'unfit',
          error: heldBack('The stream was answered, but no hello came within 10 s', deps.network),
        }),
      )
      return
    }
    link.opened()
    const goesOn = options.replays === true && entries.lastEventId() !== ''
    if (!goesOn) void resync(processor, { reason: wasConnected ? 'reconnected' : 'fresh' })
    wasConnected = true
  }

  function closed(abandon: boolean): void {
    cancelHello?.()
    health.forget()
    entries.closed()
    disconnect(processor, abandon)
    resyncer.release()
  }

  return {
    status: standing.status,
    cursor,
    start() {
      isStarted = true
      link.start()
    },
    stop() {
      if (!isStarted) return
      isStarted = false
      cancelSubscribe?.()
      link.stop()
      closed(true)
      standing.show()
    },
    retryNow: link.retryNow,
    expect: health.expect,
    giveWay(isThere) {
      if (link.status.getState().state === 'open' && isThere(used)) link.end({ kind: 'crowded', error: crowded() })
    },
    resubscribe() {
      if (!isStarted) return // the first connection asks for what there is then
      cancelSubscribe?.()
      cancelSubscribe = clock.after(SUBSCRIBE, () => {
        void guard(renew, (cause) =>
          report(new SyncError('usage', 'The topics could not be told; fix `topics`.', { cause })),
        )
      })
    },
  }
}

function crowded(): SyncError {
  return new SyncError(
    'timeout',
    'A request has waited 5 s for its answer, so the stream gives way for a while and what is watched is polled (pollInterval): HTTP/1.1 allows six connections per origin over all tabs; serve HTTP/2 or close tabs.',
  )
}
