/** A time limit for what may never end by itself. */
import { SyncError } from '../base/errors'
import type { Clock } from './clock'

/**
 * Runs `run` for at most `limit` milliseconds (`Infinity`: for ever). Its signal is aborted then, and when `outer` is; the
 * promise rejects with a `timeout` error even if nobody heeds the signal.
 */
export function withLimit<T>(
  clock: Clock,
  limit: number,
  outer: AbortSignal | null | undefined,
  run: (signal: AbortSignal | null) => Promise<T>,
): Promise<T> {
  if (limit === Number.POSITIVE_INFINITY) return run(outer ?? null)
  const abort = new AbortController()
  const follow = (): void => abort.abort(outer?.reason)
  if (outer?.aborted === true) follow()
  else outer?.addEventListener('abort', follow, { once: true })
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limit, () => {
      const error = new SyncError('timeout', `No answer within ${limit / 1000} s.`)
      reject(error)
      abort.abort(error)
    })
    run(abort.signal)
      .catch((error: unknown) => {
        // Nothing of it is left to be aborted; a read that is tried again brings the same signal.
        outer?.removeEventListener('abort', follow)
        throw error
      })
      .finally(cancel)
      .then(resolve, reject)
  })
}
