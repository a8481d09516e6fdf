/**
 * Decorrelated jitter: `delay = min(cap, random(base, previous × 3))`, and `Retry-After`.
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015; RFC 9110 section 10.2.3.
 */

export interface BackoffOptions {
  /** First and smallest delay in milliseconds; a function is asked each time. */
  base: number | (() => number)
  /** Largest delay in milliseconds; a function is asked each time. */
  cap: number | (() => number)
}

export interface Backoff {
  /** The next delay in milliseconds; grows with every call. */
  next(): number
  /** The next delay starts at `base` again. */
  reset(): void
}

/** `random` returns a number in [0, 1). */
export function createBackoff(options: BackoffOptions, random: () => number): Backoff {
  const base = typeof options.base === 'function' ? options.base : constant(options.base)
  const cap = typeof options.cap === 'function' ? options.cap : constant(options.cap)
  let previous = 0
  return {
    next() {
      const least = base()
      previous = Math.min(cap(), least + random() * (Math.max(previous, least) * 3 - least))
      return previous
    },
    reset() {
      previous = 0
    },
  }
}

function constant(value: number): () => number {
  return () => value
}

/** Longest `Retry-After` that is believed: 1 h. */
const RETRY_AFTER_CAP: number = 3_600_000

/** `Retry-After` (seconds or an HTTP date) in milliseconds, capped at 1 h; `undefined` when absent or unreadable. */
export function parseRetryAfter(value: string | null | undefined, now: number): number | undefined {
  if (value === null || value === undefined) return undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, RETRY_AFTER_CAP)
  if (!/^[A-Za-z]{3}/.test(text)) return undefined
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), RETRY_AFTER_CAP)
}
