/** A token bucket for each principal. */
import type { ServerClock } from './clock'
import type { Limits } from './options'
import { refuse } from './problem'

export interface RateLimit {
  /** Takes tokens, or refuses with 429 and the time until there are enough. */
  take(principal: string, tokens?: number): void
}

interface Bucket {
  tokens: number
  at: number
}

/** Buckets that nobody needs any more are forgotten from this number on. */
const SWEEP_FROM = 10_000

export function createRateLimit(rate: Limits['rate'], clock: ServerClock): RateLimit {
  if (rate === false) return { take() {} }
  const { burst, perSecond } = rate
  const buckets = new Map<string, Bucket>()
  const filled = ({ tokens, at }: Bucket, now: number) => Math.min(burst, tokens + ((now - at) / 1000) * perSecond)
  return {
    take(principal, tokens = 1) {
      const now = clock.now()
      const old = buckets.get(principal)
      const have = old === undefined ? burst : filled(old, now)
      // A batch that is larger than a full bucket passes when the bucket is full, and leaves a debt.
      const need = Math.min(tokens, burst)
      if (have < need) {
        buckets.set(principal, { tokens: have, at: now })
        throw refuse('too-many-requests', `at most ${perSecond} a second`, {}, ((need - have) / perSecond) * 1000)
      }
      buckets.set(principal, { tokens: have - tokens, at: now })
      if (buckets.size < SWEEP_FROM) return
      for (const [id, bucket] of buckets) if (filled(bucket, now) >= burst) buckets.delete(id)
    },
  }
}
