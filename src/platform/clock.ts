/** Time. Everything that waits or asks for the time is handed a `Clock`, so that a test can drive it. */
import { createTimers } from '../base/timers'

/** Time, for whoever drives it: a test, a simulation. */
export interface Clock {
  /** Wall clock in milliseconds since the epoch. Never decides correctness: a device's clock may be wrong by years. */
  now(): number
  /** Calls `callback` after `delay` milliseconds (at least 0, at most 2^31 - 1). Returns a function that cancels it. */
  after(delay: number, callback: () => void): () => void
  /** Calls `callback` in a microtask. */
  soon(callback: () => void): void
}

/** The platform's own timers, also when a test has replaced them for a while. */
export function systemClock(): Clock {
  const timers = createTimers({ setTimeout: () => setTimeout, clearTimeout: () => clearTimeout })
  return {
    now() {
      timers.look()
      return Date.now()
    },
    after: timers.after,
    // Not `queueMicrotask`: Jest's fake timers take it away, and what waits in it never comes.
    soon(callback) {
      timers.look()
      void Promise.resolve().then(callback)
    },
  }
}
