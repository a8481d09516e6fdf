/**
 * The streams that are open on this node: wakes them in rounds, looks at each once a second, and says when none is left.
 * Nothing is scheduled while there is none.
 */
import type { HelloMessage } from '../src/base/messages'
import type { ServerClock } from './clock'
import type { Principal } from './functions'
import type { Metrics } from './metrics'
import type { Subscriber } from './subscriber'

/** Milliseconds between two looks at every stream. */
export const SWEEP = 1_000
/**
 * Milliseconds per stream between two rounds of waking. A round costs some 10 µs a stream whatever it brings, so under
 * load fewer rounds with more in each bring more; the first after a pause is immediate.
 */
const ROUND = 0.03
/** Below so many streams a round costs nothing worth saving. */
const FEW = 100

export interface Subscribers<P extends Principal> {
  readonly size: number
  /** Those that match now, whatever becomes of them meanwhile. */
  matching(matches: (principal: P) => boolean): Subscriber<P>[]
  add(subscriber: Subscriber<P>, resume: HelloMessage['resume']): void
  remove(subscriber: Subscriber<P>, reason: string): void
  /** Wakes every stream: at once, or when the round before is long enough ago. */
  wake(): void
  /** Resolves when no stream is open any more. */
  idle(): Promise<void>
}

export function createSubscribers<P extends Principal>(clock: ServerClock, metrics: Metrics): Subscribers<P> {
  const all = new Set<Subscriber<P>>()
  const rounds = createRounds(clock, all)
  const onIdle: (() => void)[] = []
  let cancelSweep: (() => void) | undefined

  function sweep(): void {
    cancelSweep = undefined
    const now = clock.now()
    metrics.gauge('lag_events', Math.max(0, ...[...all].map(({ lag }) => lag)))
    for (const subscriber of [...all]) subscriber.sweep(now)
    schedule()
  }
  function schedule(): void {
    if (all.size > 0) cancelSweep ??= clock.after(SWEEP, sweep)
  }

  return {
    get size() {
      return all.size
    },
    matching: (matches) => [...all].filter(({ principal }) => matches(principal)),
    add(subscriber, resume) {
      all.add(subscriber)
      metrics.count(`streams_opened{${resume}}`)
      metrics.gauge('streams', all.size)
      schedule()
    },
    remove(subscriber, reason) {
      if (!all.delete(subscriber)) return
      metrics.count(`streams_closed{${reason}}`)
      metrics.gauge('streams', all.size)
      if (all.size > 0) return
      cancelSweep?.()
      cancelSweep = undefined
      rounds.cancel()
      for (const resolve of onIdle.splice(0)) resolve()
    },
    wake: rounds.wake,
    idle: () => (all.size === 0 ? Promise.resolve() : new Promise((resolve) => onIdle.push(resolve))),
  }
}

/** One round of waking at a time: what comes before the next is due, comes with it. */
function createRounds<P extends Principal>(clock: ServerClock, all: ReadonlySet<Subscriber<P>>) {
  let cancelRound: (() => void) | undefined
  let isDue = false

  function wake(): void {
    if (cancelRound !== undefined) {
      isDue = true
      return
    }
    for (const subscriber of all) subscriber.wake()
    if (all.size < FEW) return
    cancelRound = clock.after(all.size * ROUND, () => {
      cancelRound = undefined
      if (isDue) wake()
      isDue = false
    })
  }
  return {
    wake,
    cancel(): void {
      cancelRound?.()
      cancelRound = undefined
      isDue = false
    },
  }
}
