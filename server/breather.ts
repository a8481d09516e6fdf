/**
 * Writes from inside the process await nothing but promises, so a row of them lets no timer and no socket in. After a slice of
 * time the next one waits until the platform has had its turn.
 */
import type { ServerClock } from './clock'

/** Milliseconds that writes may go on without letting go. */
const SLICE = 10

/** Call it before each write: what it returns is to be awaited, if anything. */
export function createBreather(clock: ServerClock): () => Promise<void> | undefined {
  let begun: { at: number; turn: Promise<void> } | undefined
  return () => {
    begun ??= {
      at: clock.now(),
      turn: new Promise((resolve) => {
        clock.after(0, () => {
          begun = undefined
          resolve()
        })
      }),
    }
    return clock.now() - begun.at < SLICE ? undefined : begun.turn
  }
}
