/**
 * The one error class. Told apart by `code`, never by `instanceof`: a page may load the module twice.
 * Expected failures travel as data; only `usage` is thrown at once.
 */

/** What went wrong. `usage` is the caller's mistake; all others happen to a right program. */
export type SyncErrorCode =
  | 'network'
  | 'timeout'
  | 'http'
  | 'rejected'
  | 'conflict'
  | 'dependency-rejected'
  | 'unauthorized'
  | 'protocol'
  | 'storage'
  | 'recipe'
  | 'stopped'
  | 'usage'

/** Problem details of an HTTP answer (RFC 9457), with the extension members that Tidemark reads. */
export interface Problem {
  type?: string | undefined
  title?: string | undefined
  status?: number | undefined
  detail?: string | undefined
  instance?: string | undefined
  /** The mutation's idempotency key. */
  mutationId?: string | undefined
  /** `false`: the server says that sending again is of no use. */
  retryable?: boolean | undefined
  /** What the server has now, on a conflict. It is base data. */
  current?: unknown
  /** Position of the server's log, if the server says it. */
  cursor?: string | undefined
  /** Field errors of a validation. */
  errors?: unknown
  [member: string]: unknown
}

/** What a {@link SyncError} says beyond its code and its sentence; each where it is known. */
export interface SyncErrorOptions {
  /** HTTP status, if there was an answer. */
  status?: number | undefined
  problem?: Problem | undefined
  mutationKey?: readonly unknown[] | undefined
  queryKey?: readonly unknown[] | undefined
  /** The server's `Retry-After`, in milliseconds. */
  retryAfter?: number | undefined
  cause?: unknown
}

/** Every failure that Tidemark reports, rejects with or throws. The message says what happened and what to do. */
export class SyncError extends Error {
  override readonly name: string = 'SyncError'
  readonly code: SyncErrorCode
  readonly status: number | undefined
  readonly problem: Problem | undefined
  readonly mutationKey: readonly unknown[] | undefined
  readonly queryKey: readonly unknown[] | undefined
  readonly retryAfter: number | undefined

  constructor(code: SyncErrorCode, message: string, options: SyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status
    this.problem = options.problem
    this.mutationKey = options.mutationKey
    this.queryKey = options.queryKey
    this.retryAfter = options.retryAfter
  }
}

/** Whether `error` is a {@link SyncError}, of this `code` if one is given. Works across two copies of the module. */
export function isSyncError(error: unknown, code?: SyncErrorCode): error is SyncError {
  if (typeof error !== 'object' || error === null) return false
  const { name, code: found } = error as { name?: unknown; code?: unknown }
  return name === 'SyncError' && (code === undefined ? typeof found === 'string' : found === code)
}

/** A `usage` error: the caller's mistake, with what to do about it. */
export function usageError(message: string, options?: SyncErrorOptions): SyncError {
  return new SyncError('usage', message, options)
}

/** `text` with one full stop at its end, whatever it ended with: for messages that end in somebody else's words. */
export function sentence(text: string): string {
  const bare = text.trimEnd().replace(/\.+$/, '')
  return /[!?…]$/.test(bare) ? bare : `${bare}.`
}

/** `'; did you mean "x"?'` for the nearest of `known` (at most two edits away), else an empty string. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const best = nearest(word, known)
  return best === undefined ? '' : `; did you mean "${best}"?`
}

/** The nearest of `known`; `most` says how many edits away it may be. */
export function nearest(
  word: string,
  known: Iterable<string>,
  most: (candidate: string) => number = () => 2,
): string | undefined {
  let best: string | undefined
  let distance = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const d = editDistance(word, candidate)
    if (d < distance && d <= most(candidate)) [best, distance] = [candidate, d]
  }
  return best
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return 4
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same))
    }
    row = next
  }
  return row[b.length] ?? 0
}
