/** Processing in slices: after 5 ms of work the event loop gets its turn, however much more there is. */
import type { Clock } from '../platform/clock'

export interface Slice {
  /** The event loop has just had its turn. */
  begin(): void
  /** Whether it should have its turn now. */
  isOver(): boolean
  /** Gives it its turn. */
  rest(): Promise<void>
  /** Ends a rest, for good. */
  cancel(): void
}

/** Milliseconds of work between two turns of the event loop. */
const LENGTH = 5

export function createSlice(clock: Clock): Slice {
  let began = clock.now()
  let wake: (() => void) | undefined
  let cancelled = false
  const begin = () => {
    began = clock.now()
  }
  return {
    begin,
    isOver() {
      const spent = clock.now() - began
      return spent >= LENGTH || spent < 0
    },
    async rest() {
      if (cancelled) return
      await new Promise<void>((resolve) => {
        const stop = clock.after(0, resolve)
        wake = () => {
          stop()
          resolve()
        }
      })
      begin()
    },
    cancel() {
      cancelled = true
      wake?.()
    },
  }
}
