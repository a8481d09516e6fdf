/** How the stream stands, as one store; and polling, for as long as it stands so that no stream is possible. */
import type { Cursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import { guard } from '../base/guard'
import type { EventStreamStatus } from '../wire/link'
import { heldBack, isHeldBack } from '../wire/outcome'
import type { ReadableStore } from '../wire/status'
import { createStatusStore } from '../wire/status'
import type { PollerDeps } from './poller'
import { createPoller } from './poller'

/** How the stream stands; users see it in `sync.status`. Times are wall clock milliseconds. */
export interface StreamStatus {
  /**
   * `open`: the server has greeted, news arrives. `connecting`, `waiting` (until `nextTryAt`): on the way.
   * `polling`: no stream is possible here, or it is open and behind what reads and writes were told (`lastError` says
   * which); what is watched is read again and again; a stream that is not open is tried at `nextTryAt`.
   * `unauthorized`: waits for other credentials. `ended`: the server said that nothing more comes. `stopped`: refused for
   * good, `lastError` says why. `idle`: not started.
   */
  readonly state: 'idle' | 'connecting' | 'open' | 'waiting' | 'polling' | 'unauthorized' | 'ended' | 'stopped'
  /** How news arrives now. */
  readonly transport: 'stream' | 'poll' | 'none'
  /** Attempts since the stream was last healthy; 0 when it is. */
  readonly attempt: number
  /** When `state` began; 0 before the first start. */
  readonly since: number
  readonly nextTryAt?: number | undefined
  /** Why the last attempt ended; gone when the stream is open. */
  readonly lastError?: SyncError | undefined
  /** The position up to which everything is applied. */
  readonly cursor?: Cursor | undefined
  /** What is watched is being read again, because continuity was lost. */
  readonly resyncing: boolean
  /** Events that were ignored, because this version does not know them. */
  readonly ignored: number
}

export interface StandingOptions {
  link: ReadableStore<EventStreamStatus>
  /** Why an open stream is not believed to be current; `undefined`: it is. */
  behind(): SyncError | undefined
  /** Milliseconds; `false`: never. */
  pollInterval: number | false
  poll(): void
  report(error: SyncError): void
  facts(): Pick<StreamStatus, 'cursor' | 'resyncing' | 'ignored'>
}

export interface Standing {
  readonly status: ReadableStore<StreamStatus>
  show(): void
  /** Shows once in this turn, however many changes there are. */
  showSoon(): void
}

/** Milliseconds without an answer and its greeting after which what is watched is polled; the attempt goes on. */
const PATIENCE = 8_000
/** So many attempts without a network in a row: what is watched is polled as well. */
const NETWORK_MAX = 3

export function createStanding(deps: PollerDeps, options: StandingOptions): Standing {
  const { clock } = deps
  const { link, report } = options
  const threw = (what: string) => (cause: unknown) =>
    report(new SyncError('usage', `${what} threw; fix it.`, { cause }))
  /** The attempt that goes on has waited for long enough. */
  let isLong = false
  let cancelPatience: (() => void) | undefined
  const poller = createPoller(deps, {
    interval: options.pollInterval,
    poll: () => void guard(options.poll, threw('A poll')),
  })
  const status = createStatusStore<StreamStatus>(
    current('idle', undefined),
    threw("A subscriber of the stream's status"),
  )
  let isShown = true
  let isSaid = false

  function current(state: StreamStatus['state'], before: StreamStatus | undefined): StreamStatus {
    const { attempt, nextTryAt, lastError = options.behind() ?? slow() } = link.getState()
    const since = before === undefined ? 0 : before.state === state ? before.since : clock.now()
    const transport = state === 'open' ? 'stream' : state === 'polling' ? 'poll' : 'none'
    return { state, transport, attempt, since, nextTryAt, lastError, ...options.facts() }
  }

  function show(): void {
    isShown = true
    const { state, attempt, lastError } = link.getState()
    const isCutOff = state === 'waiting' && attempt >= NETWORK_MAX && isNetwork(lastError)
    if (state !== 'connecting') settle()
    else cancelPatience ??= clock.after(PATIENCE, lose)
    const held = isHeldBack(lastError) ? lastError : slow()
    const isHeld = (state === 'waiting' || state === 'connecting') && held !== undefined
    if (isHeld && !isSaid) {
      isSaid = true
      report(held)
    }
    const isBehind = state === 'open' && options.behind() !== undefined
    if (state === 'unavailable' || isCutOff || isHeld || isBehind) poller.start()
    else if (state !== 'waiting' && state !== 'connecting') poller.stop()
    const isWaiting = state === 'unavailable' || isBehind
    status.set(current(poller.isRunning() ? 'polling' : isWaiting ? 'waiting' : state, status.get()))
  }

  function slow(): SyncError | undefined {
    return isLong ? heldBack(`The stream was not answered within ${PATIENCE / 1000} s`, deps.network) : undefined
  }

  function settle(): void {
    cancelPatience?.()
    cancelPatience = undefined
    isLong = false
  }

  function lose(): void {
    isLong = deps.network.isOnline()
    show()
  }

  link.subscribe(show)
  return {
    status: status.store,
    show,
    showSoon() {
      if (!isShown) return
      isShown = false
      clock.soon(() => {
        if (!isShown) show()
      })
    },
  }
}

function isNetwork(error: SyncError | undefined): boolean {
  return error?.code === 'network' || error?.code === 'timeout'
}
