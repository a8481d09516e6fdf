/** A promise with its handles outside. Nobody listening is not an unhandled rejection: failures here also travel as data. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  /** `true` once resolved or rejected. */
  readonly settled: boolean
  resolve(value: T): void
  reject(error: unknown): void
}

export function createDeferred<T>(): Deferred<T> {
  let settled = false
  let onResolve!: (value: T) => void
  let onReject!: (error: unknown) => void
  const promise = new Promise<T>((resolve, reject) => {
    onResolve = resolve
    onReject = reject
  })
  promise.catch(() => {})
  return {
    promise,
    get settled() {
      return settled
    },
    resolve(value) {
      settled = true
      onResolve(value)
    },
    reject(error) {
      settled = true
      onReject(error)
    },
  }
}
