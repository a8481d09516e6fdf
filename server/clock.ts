/** Time and chance as the kit sees them. Tests and simulations hand in their own; nothing else here asks the platform. */

import { createTimers } from '../src/base/timers'

/** A source of time. The client's own clock has the same shape, so one virtual clock can drive both ends. */
export interface ServerClock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls `callback` after `delay` milliseconds. Returns a function that cancels it. */
  after(delay: number, callback: () => void): () => void
}

/** The platform's own timers, also when a test has replaced them for a while. */
export function systemServerClock(): ServerClock {
  const timers = createTimers({ setTimeout: () => setTimeout, clearTimeout: () => clearTimeout })
  return {
    now() {
      timers.look()
      return Date.now()
    },
    after: timers.after,
  }
}

/** Settles as `work` does, or rejects with what `late` makes once `limit` milliseconds have passed. */
export function withTimeLimit<T>(clock: ServerClock, limit: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limit, () => reject(late()))
    work.then(resolve, reject).finally(cancel)
  })
}

/** Waits for `work` to settle, but not longer than `limit` milliseconds. Whether it settled in time. Never rejects. */
export function settlesWithin(clock: ServerClock, limit: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(limit, () => resolve(false))
    const done = () => {
      cancel()
      resolve(true)
    }
    work.then(done, done)
  })
}
