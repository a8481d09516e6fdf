/**
 * Proof of life: any byte counts. Deadlines are by the wall clock, read again when a timer fires, because a timer of a
 * hidden or sleeping page fires late.
 */
import type { Clock } from '../platform/clock'

export interface WatchdogOptions {
  /** Longest silence in milliseconds; `false` for no limit. */
  silence: number | false
  /** Longest time in milliseconds that one line may take; `false` for no limit. */
  line: number | false
  /** Called once, when a deadline has passed. */
  expired(what: 'silence' | 'line'): void
}

export interface Watchdog {
  /** Bytes arrived; `lineOpen`: they end in the middle of a line. */
  fed(lineOpen: boolean): void
  /** Nothing is read on purpose: silence does not count until `resume`. */
  pause(): void
  resume(): void
  /** Looks now instead of when the timer fires: the page woke up, or the network changed. */
  check(): void
  /** Changes the longest silence. */
  allow(silence: number | false): void
  stop(): void
}

/** A timer that fires later than this was held up: what arrived meanwhile gets a moment to be read. */
const LATE = 1_000

export function createWatchdog(clock: Clock, options: WatchdogOptions): Watchdog {
  let silence = options.silence
  let lastByte = clock.now()
  let lineBegan: number | undefined
  let paused = false
  let stopped = false
  let due = 0
  let cancel: (() => void) | undefined

  const left = (): { what: 'silence' | 'line'; time: number } => {
    const now = clock.now()
    // The wall clock was set back: count from here.
    if (now < lastByte) lastByte = now
    if (lineBegan !== undefined && now < lineBegan) lineBegan = now
    const quiet = silence === false || paused ? Number.POSITIVE_INFINITY : lastByte + silence - now
    const slow =
      options.line === false || lineBegan === undefined || paused
        ? Number.POSITIVE_INFINITY
        : lineBegan + options.line - now
    return quiet <= slow ? { what: 'silence', time: quiet } : { what: 'line', time: slow }
  }

  const arm = (time: number) => {
    cancel?.()
    cancel = undefined
    if (stopped || time === Number.POSITIVE_INFINITY) return
    due = clock.now() + time
    cancel = clock.after(time, () => look(clock.now() - due > LATE))
  }

  const look = (late: boolean) => {
    if (stopped) return
    const { what, time } = left()
    if (time > 0) return arm(time)
    if (late) return arm(LATE)
    stopped = true
    cancel?.()
    options.expired(what)
  }

  arm(left().time)
  return {
    fed(lineOpen) {
      lastByte = clock.now()
      if (!lineOpen) lineBegan = undefined
      else if (lineBegan === undefined) {
        lineBegan = lastByte
        if (options.line !== false && (cancel === undefined || due > lastByte + options.line)) arm(left().time)
      }
    },
    pause() {
      paused = true
    },
    resume() {
      paused = false
      lastByte = clock.now()
      if (lineBegan !== undefined) lineBegan = lastByte
      arm(left().time)
    },
    check: () => look(false),
    allow(value) {
      silence = value
      arm(left().time)
    },
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
