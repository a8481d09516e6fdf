/**
 * A promise with its handles outside. Nobody listening is not an unhandled rejection: failures here also travel as data.
 * The promise is made when it is first asked for; most never are.
 */
export interface Deferred<T> {
  readonly promise: Promise<T>
  /** `true` once resolved or rejected. */
  readonly settled: boolean
  resolve(value: T): void
  reject(error: unknown): void
}

export function createDeferred<T>(): Deferred<T> {
  let outcome: { value: T } | { error: unknown } | undefined
  let promise: Promise<T> | undefined
  let settle: (() => void) | undefined

  function make(): Promise<T> {
    const made = new Promise<T>((resolve, reject) => {
      settle = () => {
        if (outcome === undefined) return
        if ('error' in outcome) reject(outcome.error)
        else resolve(outcome.value)
      }
      settle()
    })
    made.catch(() => {})
    return made
  }

  return {
    get promise() {
      promise ??= make()
      return promise
    },
    get settled() {
      return outcome !== undefined
    },
    resolve(value) {
      outcome ??= { value }
      settle?.()
    },
    reject(error) {
      outcome ??= { error }
      settle?.()
    },
  }
}
