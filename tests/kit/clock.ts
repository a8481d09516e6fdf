// Virtual time: timers fire when the test says so, in order, with everything that follows from each before the next.
import type { Clock } from '../../src/platform/clock'

export interface VirtualClock extends Clock {
  /** Lets all promises run that can run now. */
  settle(): Promise<void>
  /** Moves time on, firing what is due on the way. */
  advance(milliseconds: number): Promise<void>
  /** Timers that have not fired. */
  pending(): number
  /** Moves the wall clock only: no timer fires earlier or later for it. */
  shift(milliseconds: number): void
}

export function virtualClock(start = 1_700_000_000_000): VirtualClock {
  let time = 0
  let wall = start
  let next = 0
  const timers = new Map<number, { at: number; run: () => void }>()
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  const due = (until: number) =>
    [...timers].filter(([, { at }]) => at <= until).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0]
  return {
    now: () => wall + time,
    after(delay, run) {
      const id = next++
      timers.set(id, { at: time + Math.max(0, delay), run })
      return () => void timers.delete(id)
    },
    soon: (run) => queueMicrotask(run),
    settle,
    async advance(milliseconds) {
      const until = time + milliseconds
      await settle()
      for (let timer = due(until); timer !== undefined; timer = due(until)) {
        timers.delete(timer[0])
        time = Math.max(time, timer[1].at)
        timer[1].run()
        await settle()
      }
      time = until
    },
    pending: () => timers.size,
    shift: (milliseconds) => {
      wall += milliseconds
    },
  }
}
