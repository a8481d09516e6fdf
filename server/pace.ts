/** Whether one reader keeps up: what it takes is compared with what there is, and with what it was told. */
import type { Feed } from './feed'
import type { ResolvedOptions } from './options'
import type { Ring } from './ring'

/**
 * Milliseconds after which a reader is told that the log has moved, though nothing of it was for it: a client whose reads are
 * ahead of its stream for longer takes the stream for held back.
 */
export const PROGRESS = 3_000

export interface Pace {
  /** It has taken something. */
  took(): void
  /** Behind is who has not passed, for `limits.lag`, where the end of the ring once was. */
  isTooFarBehind(now: number, isWaiting: boolean): boolean
  /** Whether it has heard nothing for so long that it is told where the log is. */
  isPingDue(now: number): boolean
}

export function createPace(
  { clock, limits, stream: times }: Pick<ResolvedOptions, 'clock' | 'limits' | 'stream'>,
  ring: Ring,
  feed: Feed,
): Pace {
  const { place } = feed
  let lastTake = clock.now()
  /** Since when the log is looked through further than the reader was told. */
  let untoldSince: number | undefined
  let behind: { since: number; mark: number } | undefined

  return {
    took() {
      lastTake = clock.now()
    },
    isTooFarBehind(now, isWaiting) {
      const { next } = place
      if (feed.replay !== undefined && !isWaiting) return now - lastTake >= limits.lag
      if (isWaiting || (next >= ring.end && feed.bye === undefined)) behind = undefined
      else if (behind === undefined || next >= behind.mark) behind = { since: now, mark: Math.max(ring.end, next + 1) }
      return behind !== undefined && now - behind.since >= limits.lag
    },
    isPingDue(now) {
      untoldSince = place.seen === place.sent ? undefined : (untoldSince ?? now)
      return now - lastTake >= times.heartbeat || now - (untoldSince ?? now) >= PROGRESS
    },
  }
}
