/**
 * What a value is, whichever realm made it: a frame, a `vm` context and Jest each have an `Object`, a `Promise` and an
 * `Error` of their own, and a platform may lack `Request` or `ReadableStream`. So nothing here asks who made a value.
 */

/** `'Date'`, `'Map'`; `'Object'` for what has fields only. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}

export function isDate(value: unknown): value is Date {
  return kindOf(value) === 'Date'
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** A `Request`, also of a platform's own making. A URL has no method. */
export function isRequest(value: unknown): value is Request {
  const { url, method } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return typeof url === 'string' && typeof method === 'string'
}

/** A body that can be read once only: of the web, or of Node. */
export function isStream(body: unknown): boolean {
  const { getReader, pipe } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  return typeof getReader === 'function' || typeof pipe === 'function'
}

/** An error, or what behaves as one. */
export function isError(value: unknown): value is Error {
  const { name, message } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return typeof name === 'string' && typeof message === 'string'
}

/** What an error, or anything with a `message`, says; of anything else that was thrown, its text. */
export function messageOf(error: unknown): string {
  const { message } = (typeof error === 'object' && error !== null ? error : {}) as { message?: unknown }
  return typeof message === 'string' ? message : String(error)
}

/** A promise that rejects is ours to catch. A thenable of another kind may do its work when it is asked, so it is not asked. */
export function ignoreRejection(result: PromiseLike<unknown>): void {
  if (Object.prototype.toString.call(result) === '[object Promise]') result.then(undefined, () => {})
}
