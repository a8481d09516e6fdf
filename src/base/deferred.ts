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
  return new LazyDeferred<T>()
}

/** A class: each write has three of them, and carries no closures for them. */
class LazyDeferred<T> implements Deferred<T> {
  outcome: { value: T } | { error: unknown } | undefined
  made: Promise<T> | undefined
  settle: (() => void) | undefined

  get promise(): Promise<T> {
    this.made ??= this.make()
    return this.made
  }

  get settled(): boolean {
    return this.outcome !== undefined
  }

  resolve(value: T): void {
    this.end({ value })
  }

  reject(error: unknown): void {
    this.end({ error })
  }

  private end(outcome: { value: T } | { error: unknown }): void {
    this.outcome ??= outcome
    this.settle?.()
  }

  make(): Promise<T> {
    const made = new Promise<T>((resolve, reject) => {
      this.settle = () => {
        const { outcome } = this
        if (outcome === undefined) return
        if ('error' in outcome) reject(outcome.error)
        else resolve(outcome.value)
      }
      this.settle()
    })
    made.catch(() => {})
    return made
  }
}
