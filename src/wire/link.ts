/**
 * The machine that keeps a connection: attempt, outcome, wait, attempt. One connection at a time, one loop per start.
 *
 *   idle ─start→ connecting ─opened→ open ─lost→ waiting ─time, wake-up→ connecting
 *                    └─ waiting | unavailable (probed each 5 min) | unauthorized | ended | stopped
 *   stop() from anywhere → idle; retryNow() from anything that waits → connecting
 */
import { SyncError } from '../base/errors'
import type { NetworkEvent } from '../platform/network'
import type { Attempt } from './attempt'
import type { Outcome } from './outcome'
import { begin, setRetry } from './pace'
import type { Policy, Step } from './policy'
import { createPolicy, decide, forgive } from './policy'
import type { ReadableStore, StatusStore } from './status'
import { createStatusStore } from './status'
import type { WaitDeps, Waiter, WaitOptions } from './wait'
import { createWaiter } from './wait'

/** How a connection stands. Times are wall clock milliseconds. */
export interface EventStreamStatus {
  /**
   * `unavailable`: there is no stream at this address, or a proxy holds it back; it is tried again in 5 minutes.
   * `unauthorized`: waits for other credentials. `ended`: the server said that nothing more comes. `stopped`: refused
   * for good, `lastError` says why. `idle`: not started, or stopped by `stop()`.
   */
  readonly state: 'idle' | 'connecting' | 'open' | 'waiting' | 'unavailable' | 'unauthorized' | 'ended' | 'stopped'
  /** Attempts since the stream was last healthy; 0 when it is. */
  readonly attempt: number
  /** When `state` began; 0 before the first start. */
  readonly since: number
  /** When the next attempt is made, in `waiting` and `unavailable`. */
  readonly nextTryAt?: number | undefined
  /** Why the last attempt ended; gone when a stream is open. */
  readonly lastError?: SyncError | undefined
}

export type ReconnectorDeps = WaitDeps

export interface ReconnectorOptions {
  /** Begins one attempt. */
  attempt(): Attempt
  /** Where the next attempt would go on. */
  lastEventId(): string | undefined
  /** The position is of no use any more. */
  dropId(because: Outcome['kind']): void
  /** Gets new credentials; `false`: there are none. */
  refreshAuth: (() => Promise<boolean>) | undefined
  /** Whether the credentials are others than those that were refused. */
  credentialsChanged(): Promise<boolean>
  /** Called after each attempt has ended, before the next state is shown. */
  ended(): void
  report(error: SyncError): void
}

export interface Reconnector {
  readonly status: ReadableStore<EventStreamStatus>
  start(): void
  stop(): void
  /** Ends a wait and tries now. Nothing happens while connecting, open or idle. */
  retryNow(): void
  /** The stream is open: it may be shown as such, and is healthy when it stays so for 30 s. */
  opened(): void
  /** The stream is healthy: it made progress. */
  healthy(): void
  /** The server's `retry:` in milliseconds. */
  retry(milliseconds: number): void
}

/** An open stream is healthy after this. */
const HEALTHY = 30_000

export function createReconnector(deps: ReconnectorDeps, options: ReconnectorOptions): Reconnector {
  const { clock, network } = deps
  const policy = createPolicy(clock, deps.random)
  const waiter: Waiter = createWaiter(deps)
  const status = createStatus(options.report)
  let lifetime: AbortController | undefined
  let current: Attempt | undefined
  let cancelHealthy: (() => void) | undefined

  function show(state: EventStreamStatus['state'], more: Pick<EventStreamStatus, 'nextTryAt' | 'lastError'>): void {
    const { state: before, since } = status.get()
    status.set({ state, attempt: policy.attempts, since: before === state ? since : clock.now(), ...more })
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      begin(policy)
      show('connecting', { lastError: status.get().lastError })
      if (signal.aborted) return
      current = options.attempt()
      const outcome = await current.ended
      if (signal.aborted) return
      cancelHealthy?.()
      current = undefined
      options.ended()
      const step = await judge(policy, options, outcome, signal)
      if (step === undefined || signal.aborted) return
      if (step.dropId) options.dropId(outcome.kind)
      if (step.report && step.error !== undefined) options.report(step.error)
      const { delay, state, error: lastError = status.get().lastError } = step
      if (delay === 0) continue
      const moved = (nextTryAt?: number) => show(state, { nextTryAt, lastError })
      moved(delay === Number.POSITIVE_INFINITY ? undefined : clock.now() + delay)
      await sit(waiter, { ...step, moved }, options.credentialsChanged, signal)
    }
  }

  return {
    status: status.store,
    start() {
      if (lifetime !== undefined) return
      lifetime = new AbortController()
      const { signal } = lifetime
      // A page that was away may hold a connection that is dead: the deadlines are looked at when it comes back.
      const look = (event: NetworkEvent) => event !== 'hidden' && event !== 'offline' && current?.check()
      signal.addEventListener('abort', network.subscribe(look))
      void run(signal)
    },
    stop() {
      if (lifetime === undefined) return
      const ending = current
      lifetime.abort()
      lifetime = undefined
      cancelHealthy?.()
      current = undefined
      ending?.end({ kind: 'aborted' })
      show('idle', {})
    },
    retryNow: waiter.end,
    opened() {
      cancelHealthy?.()
      cancelHealthy = clock.after(HEALTHY, prove)
      // Last: a subscriber may stop everything.
      show('open', {})
    },
    healthy: prove,
    retry: (milliseconds) => setRetry(policy, milliseconds),
  }

  function prove(): void {
    if (current === undefined || policy.attempts === 0) return
    cancelHealthy?.()
    forgive(policy)
    show('open', {})
  }
}

function createStatus(report: ReconnectorOptions['report']): StatusStore<EventStreamStatus> {
  return createStatusStore<EventStreamStatus>({ state: 'idle', attempt: 0, since: 0 }, (cause) =>
    report(new SyncError('usage', "A subscriber of the stream's status threw; fix it.", { cause })),
  )
}

/** Refreshes credentials where that may help, then asks the policy. Stopped meanwhile: asks nothing, a new start may use it. */
async function judge(
  policy: Policy,
  options: ReconnectorOptions,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<Step | undefined> {
  const step = (of: Outcome) => decide(policy, of, options.lastEventId())
  const expired = outcome.kind === 'bye' && outcome.bye.reason === 'auth-expired'
  if (!expired && (outcome.kind !== 'unauthorized' || policy.hasRefreshed)) return step(outcome)
  let renewed = true
  try {
    renewed = (await options.refreshAuth?.()) ?? true
  } catch (cause) {
    if (!signal.aborted)
      options.report(new SyncError('unauthorized', 'The credentials could not be refreshed.', { cause }))
    renewed = false
  }
  if (signal.aborted) return undefined
  if (outcome.kind === 'unauthorized') {
    policy.hasRefreshed = true
    if (renewed) return step({ kind: 'renewed' })
  }
  return step(outcome)
}

interface Sitting extends WaitOptions, Pick<Step, 'state'> {
  moved(until?: number): void
}

/** Waits until it is time for the next attempt: where credentials were refused, a wake-up alone does not make it so. */
async function sit(
  waiter: Waiter,
  wait: Sitting,
  credentialsChanged: ReconnectorOptions['credentialsChanged'],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const how = await waiter.wait(wait, signal)
    if (signal.aborted || how !== 'woken' || wait.state !== 'unauthorized') return
    if ((await credentialsChanged()) || signal.aborted) return
    wait.moved()
  }
}
