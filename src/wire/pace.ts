/**
 * How fast attempts follow one another. Decorrelated jitter, reset by a healthy while and never by an open connection; at
 * most 8 a minute of what opens and does not last.
 */
import type { Backoff } from '../base/backoff'
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'

export interface Pace {
  readonly clock: Clock
  readonly random: Random
  readonly backoff: Backoff
  /** Attempts since the stream was last healthy. */
  attempts: number
  /** When the last of them began. */
  starts: readonly number[]
  /** The server's `retry:`, if it sent one. */
  retry?: number
}

/** `retry:` is believed between these two. */
const RETRY_MIN = 250
const RETRY_MAX = 300_000
/** The first attempt after a healthy connection waits for a random part of this, unless the server says otherwise. */
export const SPREAD = 2_000
/** The storm guard: so many unhealthy attempts in so many milliseconds. */
const STORM_COUNT = 8
const STORM_TIME = 60_000
const STORM_JITTER = 1_000

/** An attempt begins. */
export function begin(pace: Pace): void {
  pace.attempts++
  pace.starts = [...pace.starts.slice(1 - STORM_COUNT), pace.clock.now()]
}

/** The connection has proved itself. */
export function prove(pace: Pace): void {
  pace.attempts = 0
  pace.starts = []
  pace.backoff.reset()
}

/** The server's `retry:`, in milliseconds; any number. */
export function setRetry(pace: Pace, milliseconds: number): void {
  pace.retry = Math.min(RETRY_MAX, Math.max(RETRY_MIN, milliseconds))
}

/** How long the storm guard keeps the next attempt back. */
export function guard({ starts, clock, random }: Pace): number {
  const oldest = starts.at(-STORM_COUNT)
  if (oldest === undefined) return 0
  const left = Math.min(STORM_TIME, Math.max(0, oldest + STORM_TIME - clock.now()))
  return left + (1 - random.next()) * STORM_JITTER
}

/** How long to wait after a connection that was open. */
export function afterLoss({ attempts, retry: least = 0, random, backoff }: Pace): number {
  return attempts === 0 ? least + random.next() * SPREAD : Math.max(least, backoff.next())
}
