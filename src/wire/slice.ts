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
  let resting: { promise: Promise<void>; end: () => void } | undefined
  let cancelled = false
  const begin = () => {
    began = clock.now()
  }

  function start(): Promise<void> {
    let end = begin
    const promise = new Promise<void>((resolve) => {
      end = () => {
        cancel()
        resting = undefined
        begin()
        resolve()
      }
      const cancel = clock.after(0, end)
    })
    resting = { promise, end }
    return promise
  }

  return {
    begin,
    isOver() {
      const spent = clock.now() - began
      return spent >= LENGTH || spent < 0
    },
    rest: () => (cancelled ? Promise.resolve() : (resting?.promise ?? start())),
    cancel() {
      cancelled = true
      resting?.end()
    },
  }
}
