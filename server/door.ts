/**
 * The one way from an author's function to the store: checks names, notes failures, counts what is in use, and closes when
 * the time is over. A use that nobody awaits is found out, and never ends the process.
 */
import { isStoreError } from './store'

export interface Door {
  /** A failure of the store, however it was dealt with. */
  failure: Error | undefined
  hasEffects: boolean
  pass<T>(use: () => Promise<T>): Promise<T>
  /** Whether it is open. Who comes late is told to `onLate`, and nothing of it happens. */
  isOpen(): boolean
  /** Why the function has not ended well though it returned: it left a use behind. */
  leftBehind(): Error | undefined
  /** Closes, and waits for the uses that are under way. */
  end(): Promise<void>
}

const FORGOTTEN = 'this transaction has ended: await everything before the function returns'

/** A promise that knows whether somebody waits for it: `await` calls `then` of what is no plain promise. */
class Use<T> extends Promise<T> {
  isAwaited = false
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }
  // biome-ignore lint/suspicious/noThenProperty: to be told of being awaited is what it is for
  override then<A = T, B = never>(
    done?: ((value: T) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isAwaited = true
    return super.then(done, failed)
  }
}

/** Keeps what is behind it from being used late, and remembers a failure of the store. */
export function createDoor(onLate: (error: Error) => void): Door {
  let ended = false
  const running = new Set<Promise<void>>()
  const failed: { use: Use<unknown>; error: unknown }[] = []

  function late(): void {
    onLate(new Error(FORGOTTEN))
  }

  async function guarded<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use()
    } catch (error) {
      if (isStoreError(error)) door.failure ??= error
      throw error
    }
  }

  const door: Door = {
    failure: undefined,
    hasEffects: false,
    isOpen() {
      if (ended) late()
      return !ended
    },
    pass<T>(use: () => Promise<T>): Promise<T> {
      // It was left behind by a function that nobody waits for: to reject would end the process, not the mistake.
      if (!door.isOpen()) return new Promise(() => {})
      const work = guarded(use)
      const given = new Use<T>((resolve, reject) => void work.then(resolve, reject))
      const over: Promise<void> = work.then(
        () => {},
        (error: unknown) => void failed.push({ use: given, error }),
      )
      running.add(over)
      void over.then(() => running.delete(over))
      Promise.prototype.then.call(given, undefined, () => {}) // handled: who awaits it hears of it all the same
      return given
    },
    leftBehind() {
      if (running.size > 0) return new Error(FORGOTTEN)
      const unheard = failed.find(({ use }) => !use.isAwaited)
      return unheard && new Error(FORGOTTEN, { cause: unheard.error })
    },
    async end() {
      ended = true
      while (running.size > 0) await Promise.all(running)
    },
  }
  return door
}

/** What a row is called. Checked here, so that a slip of a mutation is not taken for a failure of the store. */
export function assertName(type: unknown, id: unknown): void {
  if (typeof type !== 'string' || type === '') throw new TypeError(`a row's type must be a text: ${String(type)}`)
  if (typeof id === 'string' || Number.isSafeInteger(id)) return
  throw new TypeError(`the id of a "${type}" must be a text or an integer: ${String(id)}`)
}
