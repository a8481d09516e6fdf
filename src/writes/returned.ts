/**
 * What `mutationFn` resolves with counts as the server's yes. A whole `Response` may be a no: that of a `fetch` of the
 * application's own, which does not reject for a 500. It is told by its shape, for it may come from another realm.
 */
import { SyncError } from '../base/errors'

/** Whether it looks like the answer of a `fetch`, of whatever realm or library. */
export function isResponse(value: unknown): value is Response {
  if (typeof value !== 'object' || value === null) return false
  const { ok, status, headers, json } = value as Partial<Response>
  return (
    typeof ok === 'boolean' &&
    typeof status === 'number' &&
    typeof headers?.get === 'function' &&
    typeof json === 'function'
  )
}

/** Passes on what was resolved; throws an answered failure for a `Response` whose status is one. */
export function refuseFailedAnswer<T>(data: T): T {
  if (!isResponse(data) || data.status < 400) return data
  const { status } = data
  throw new SyncError('http', `The server answered ${status}, and "mutationFn" resolved with that answer.`, { status })
}
