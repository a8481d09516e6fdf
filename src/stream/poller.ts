/** Polling while no stream is possible: at an interval, when someone looks and the device is online. */
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'
import type { Network } from '../platform/network'

export interface Poller {
  start(): void
  stop(): void
  isRunning(): boolean
}

export interface PollerDeps {
  clock: Clock
  random: Random
  network: Network
}

export interface PollerOptions {
  /** Milliseconds; `false`: never. */
  interval: number | false
  poll(): void
}

/** The first poll comes within this: many clients lose their streams at once. */
const FIRST = 5_000

export function createPoller({ clock, random, network }: PollerDeps, options: PollerOptions): Poller {
  const { interval } = options
  let running = false
  let isDue = false
  let cancel: (() => void) | undefined
  let unsubscribe: (() => void) | undefined

  const arm = (delay: number) => {
    cancel = clock.after(delay, () => {
      isDue = true
      pollIfDue()
    })
  }
  const pollIfDue = () => {
    if (!running || interval === false || !isDue || !network.isOnline() || !network.isVisible()) return
    isDue = false
    arm(interval * (0.9 + random.next() * 0.2))
    options.poll()
  }

  return {
    start() {
      if (running || interval === false) return
      running = true
      isDue = false
      unsubscribe = network.subscribe(pollIfDue)
      arm(random.next() * Math.min(interval, FIRST))
    },
    stop() {
      running = false
      cancel?.()
      unsubscribe?.()
    },
    isRunning: () => running,
  }
}
