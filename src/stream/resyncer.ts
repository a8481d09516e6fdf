/**
 * Resyncs: what is cached is marked stale at once, so that the position may move on; refetching is spread, and backs
 * off when resyncs follow one another. Events wait for the reads, for a while.
 */
import { createBackoff } from '../base/backoff'
import type { Cursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import type { QueryKey } from '../base/key'
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'

export interface ResyncRequest {
  /** Why: `fresh`, `reset`, `gap`, `epoch`, `protocol`, `overflow`, `expired`, `poison`, `reconnected`, or the server's own word. */
  reason: string
  /** The stream's position after it, if known. */
  cursor?: Cursor | undefined
  /** Only these keys; all when absent. */
  keys?: readonly QueryKey[] | undefined
  /** Milliseconds over which to spread the reads. */
  spread?: number | undefined
}

export interface Resyncer {
  /** Asks for a resync; resolves when events may be processed again. Never rejects. */
  resync(request: ResyncRequest): Promise<void>
  /** Whether one is going on. */
  isRunning(): boolean
  /** Lets go of what waits. */
  release(): void
}

export interface ResyncerDeps {
  clock: Clock
  random: Random
  resync(request: ResyncRequest): Promise<void>
  report(error: SyncError): void
  /** `isRunning` has changed. */
  changed(): void
}

/** Events wait so long for the reads of a resync, in milliseconds. */
const HOLD = 10_000
/** Resyncs further apart than this are strangers. */
const APART = 60_000

export function createResyncer({ clock, random, resync, report, changed }: ResyncerDeps): Resyncer {
  const backoff = createBackoff({ base: 1_000, cap: APART }, random.next)
  const releases = new Set<() => void>()
  let last: number | undefined
  let running = 0

  function spreadOf(request: ResyncRequest): number | undefined {
    const now = clock.now()
    const isAgain = last !== undefined && Math.abs(now - last) < APART
    last = now
    if (!isAgain) backoff.reset()
    return isAgain ? Math.max(request.spread ?? 0, Math.round(backoff.next())) : request.spread
  }

  async function ask(request: ResyncRequest): Promise<void> {
    running++
    changed()
    try {
      await resync(request)
    } catch (cause) {
      report(new SyncError('protocol', 'A resync failed; what is cached may be old until it is read again.', { cause }))
    }
    running--
    changed()
  }

  return {
    resync(request) {
      const spread = spreadOf(request)
      const reads = ask(spread === undefined ? request : { ...request, spread })
      return new Promise((resolve) => {
        const release = () => {
          cancel()
          releases.delete(release)
          resolve()
        }
        const cancel = clock.after(HOLD, release)
        releases.add(release)
        void reads.then(release)
      })
    },
    isRunning: () => running > 0,
    release() {
      for (const release of releases) release()
    },
  }
}
