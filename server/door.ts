/** The one way from an author's function to the store: checks names, notes failures, and closes when the time is over. */
import { isStoreError } from './store'

export interface Door {
  /** A failure of the store, however it was dealt with. */
  failure: Error | undefined
  hasEffects: boolean
  pass<T>(use: () => Promise<T>): Promise<T>
  check(): void
  end(): void
}

/** Keeps what is behind it from being used late, and remembers a failure of the store. */
export function createDoor(): Door {
  let ended = false
  const door: Door = {
    failure: undefined,
    hasEffects: false,
    check() {
      if (ended) throw new Error('this transaction has ended: await everything before the function returns')
    },
    async pass(use) {
      door.check()
      try {
        return await use()
      } catch (error) {
        if (isStoreError(error)) door.failure ??= error
        throw error
      }
    },
    end() {
      ended = true
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
