/**
 * Timers that outlive the functions that made them. Fake timers (Jest, vitest, Sinon) are taken away together with what
 * waits in them: a retry or a reconnect that was armed meanwhile would never come. So each timer that waits is armed
 * once more as soon as the platform's functions are others; whichever fires first counts, and only once.
 */

/** The platform's own functions, looked up at each use. */
export interface PlatformTimers {
  setTimeout(): (callback: () => void, delay: number) => unknown
  clearTimeout(): (timer: never) => void
}

export interface Timers {
  /** Calls `callback` after `delay` milliseconds, cut to what the platform can wait. Returns a function that cancels it. */
  after(delay: number, callback: () => void): () => void
  /** To be called when anything happens: arms again what was lost. */
  look(): void
}

interface Waiting {
  readonly delay: number
  readonly fire: () => void
  /** Clears every timer that was armed for it. */
  readonly clear: (() => void)[]
}

const LONGEST = 2 ** 31 - 1

export function createTimers(platform: PlatformTimers): Timers {
  const waiting = new Set<Waiting>()
  let armedWith: unknown

  const arm = (each: Waiting): void => {
    const timer = platform.setTimeout()(each.fire, each.delay)
    const clear = platform.clearTimeout()
    each.clear.push(() => clear(timer as never))
  }
  const look = (): void => {
    const current = platform.setTimeout()
    if (current === armedWith) return
    armedWith = current
    for (const each of [...waiting]) arm(each)
  }
  return {
    look,
    after(delay, callback) {
      look()
      const end = (): void => {
        waiting.delete(each)
        for (const clear of each.clear.splice(0)) clear()
      }
      const each: Waiting = {
        delay: Math.min(Math.max(0, delay), LONGEST),
        clear: [],
        fire() {
          if (!waiting.has(each)) return
          end()
          callback()
        },
      }
      waiting.add(each)
      arm(each)
      return end
    },
  }
}
