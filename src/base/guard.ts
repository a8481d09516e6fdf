/** Other people's functions, called so that what they throw cannot break a stream. */
import type { SyncError } from './errors'
import { isThenable } from './kinds'

/** A reporter that cannot break what it watches. */
export function guardedReport(report: (error: SyncError) => void): (error: SyncError) => void {
  return (error) => {
    try {
      report(error)
    } catch (cause) {
      console.error(cause)
    }
  }
}

/** Runs a handler: a promise that it returns is waited for, what it throws or rejects with is handed on. */
export function guard(run: () => unknown, failed: (cause: unknown) => void): void | Promise<void> {
  try {
    const result = run()
    if (isThenable(result)) return Promise.resolve(result).then(ignore, failed)
  } catch (cause) {
    failed(cause)
  }
  return undefined
}

function ignore(): void {}
