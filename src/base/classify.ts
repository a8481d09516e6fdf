/** What a failed request means for what is sent again. The only place where retryable is decided. */
import type { Problem } from './errors'
import { isSyncError } from './errors'
import { isError } from './kinds'

/**
 * `unanswered`: nobody answered for the application; its outcome is unknown and it is tried without end.
 * `failed`: the application itself failed; tried a bounded number of times. `bug`: neither a transport's failure nor an
 * answer: the function itself threw. All others are answers and final for this id.
 */
export type Failure =
  | 'unanswered'
  | 'failed'
  | 'unauthorized'
  | 'in-progress'
  | 'conflict'
  | 'key-reused'
  | 'refused'
  | 'aborted'
  | 'bug'

const UNANSWERED = new Set([408, 425, 429, 502, 503, 504])

/** Classifies what a request rejected with: ours, `fetch`'s, or another transport's (axios, ky) by its `status`. */
export function classify(error: unknown): Failure {
  const status = statusOf(error)
  if (status !== undefined) return classifyStatus(status, problemOf(error)?.type)
  if (isSyncError(error, 'network') || isSyncError(error, 'timeout')) return 'unanswered'
  if (isSyncError(error, 'unauthorized')) return 'unauthorized'
  const { name, code, isAxiosError } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >
  if (name === 'AbortError') return 'aborted'
  if (name === 'TimeoutError' || code === 'ERR_NETWORK' || code === 'ECONNABORTED' || isAxiosError === true)
    return 'unanswered'
  return isFetchFailure(error) ? 'unanswered' : 'bug'
}

export function classifyStatus(status: number, type: string | undefined): Failure {
  const ends = (word: string) => type?.endsWith(word) === true
  if (status === 401) return 'unauthorized'
  if (UNANSWERED.has(status)) return 'unanswered'
  if (status >= 500) return 'failed'
  if (status === 409 && ends('in-progress')) return 'in-progress'
  if (status === 409 || status === 412) return 'conflict'
  if (status === 422 && ends('key-reused')) return 'key-reused'
  return 'refused'
}

/** The HTTP status of an error: its own `status`, or that of its `response`. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { status, response } = error as { status?: unknown; response?: { status?: unknown } | undefined }
  const found = typeof status === 'number' ? status : response?.status
  return typeof found === 'number' && found >= 300 ? found : undefined
}

export function problemOf(error: unknown): Problem | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { problem, response } = error as { problem?: Problem; response?: { data?: unknown } | undefined }
  if (problem !== undefined) return problem
  const data = response?.data
  return typeof data === 'object' && data !== null ? (data as Problem) : undefined
}

// The Fetch standard rejects with a TypeError for a network error, and every engine words it differently; a TypeError of
// the caller's own code ("x is not a function") must not be taken for one.
function isFetchFailure(error: unknown): boolean {
  if (!isError(error) || error.name !== 'TypeError') return false
  return /^(failed to fetch|fetch failed|load failed|networkerror|network error|network request failed|terminated|cancelled|error in (input|body) stream|the internet connection|the network connection|could not connect|the request timed out|a server with the specified hostname)/i.test(
    error.message,
  )
}
