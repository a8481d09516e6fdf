/** Time. Everything that waits or asks for the time is handed a `Clock`, so that a test can drive it. */

export interface Clock {
  /** Wall clock in milliseconds since the epoch. Never decides correctness: a device's clock may be wrong by years. */
  now(): number
  /** Calls `callback` after `delay` milliseconds (at least 0, at most 2^31 - 1). Returns a function that cancels it. */
  after(delay: number, callback: () => void): () => void
  /** Calls `callback` in a microtask. */
  soon(callback: () => void): void
}

const LONGEST = 2 ** 31 - 1

/** The platform's own timers. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    after(delay, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(0, delay), LONGEST))
      return () => clearTimeout(timer)
    },
    soon: (callback) => queueMicrotask(callback),
  }
}
