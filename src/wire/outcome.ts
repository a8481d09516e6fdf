/**
 * How one attempt to hold a connection ended, and what an HTTP answer to it means. The table of outcomes is here; what
 * is done about each is in `policy.ts`.
 */
import { parseRetryAfter } from '../base/backoff'
import { SyncError } from '../base/errors'
import { meaningOfStatus } from '../base/meaning'
import type { Network } from '../platform/network'

/** Why a server ended a stream on purpose. */
export interface Farewell {
  reason: string
  /** Milliseconds to stay away at least. */
  after?: number | undefined
  /** Milliseconds over which to spread the return. */
  spread?: number | undefined
}

/** Why an error is of a stream that something on the way holds back. */
const HELD_BACK = Symbol.for('tidemark.held-back')

/** No answer or no greeting came in time: a proxy may collect the answer before it hands it on, if there is a network at all. */
export function heldBack(what: string, network: Network): SyncError {
  if (!network.isOnline()) return new SyncError('timeout', `${what}.`)
  return new SyncError(
    'timeout',
    `${what}: a proxy may hold it back, so what is watched is polled (pollInterval); let the server send "Cache-Control: no-transform" and "X-Accel-Buffering: no".`,
    { cause: HELD_BACK },
  )
}

export function isHeldBack(error: SyncError | undefined): boolean {
  return error?.cause === HELD_BACK
}

/** How an attempt ended. Every kind has one row in the policy. */
export type Outcome =
  /** A stream that was open ended or broke. */
  | { kind: 'lost'; error: SyncError }
  /** It may pass: a status that says so, no network, no answer. `retryAfter` is in milliseconds; `isUnanswered`: `fetch` rejected. */
  | { kind: 'failed'; error: SyncError; retryAfter?: number | undefined; isUnanswered?: true }
  /** An answer that is no event stream, or a stream that does not speak: a login page, a buffering proxy. */
  | { kind: 'unfit'; error: SyncError }
  /** There is no stream here: 404, 405, 406, 501. */
  | { kind: 'absent'; error: SyncError }
  | { kind: 'unauthorized'; error: SyncError }
  /** Refused for good: 403, or a request that the server calls malformed. */
  | { kind: 'forbidden'; error: SyncError }
  /** Requests of ours wait for a connection, and this is one of the few that there are. */
  | { kind: 'crowded'; error: SyncError }
  /** 400, 414, 422 or 431 while an event id was sent: it may be the id. */
  | { kind: 'id-refused'; error: SyncError }
  /** 409, 410 or 412: the position is gone from the server's log. */
  | { kind: 'id-expired'; error: SyncError }
  /** A limit was broken: a poison event. */
  | { kind: 'oversized'; error: SyncError }
  | { kind: 'bye'; bye: Farewell }
  /** The server says that there is nothing more: 204, or a farewell for good. */
  | { kind: 'ended' }
  /** Ended from this side, to connect again at once. */
  | { kind: 'renewed' }
  | { kind: 'aborted' }

/** What an answer's status and type mean; `undefined` when it is an event stream. `now` is in milliseconds. */
export function classifyAnswer(response: Response, sentId: boolean, now: number): Outcome | undefined {
  const { status } = response
  if (status === 200) {
    const type = response.headers.get('content-type')
    if (isEventStream(type)) return undefined
    return { kind: 'unfit', error: answered(response, `is ${type ?? 'without a type'} instead of text/event-stream`) }
  }
  if (status === 204) return { kind: 'ended' }
  if (status < 400) return { kind: 'unfit', error: answered(response, 'is no event stream') }
  const error = answered(response, 'is an error', parseRetryAfter(response.headers.get('retry-after'), now))
  if (status === 401) return { kind: 'unauthorized', error }
  if (status === 403) return { kind: 'forbidden', error }
  if (status === 400 || status === 422) return { kind: sentId ? 'id-refused' : 'forbidden', error }
  if (status === 409 || status === 410 || status === 412) return { kind: sentId ? 'id-expired' : 'failed', error }
  // A position makes the address or the head longer, so it may be what is too long.
  if ((status === 414 || status === 431) && sentId) return { kind: 'id-refused', error }
  const meaning = meaningOfStatus(status)
  const mayPass = meaning === 'unanswered' || (meaning === 'failed' && status !== 501)
  return mayPass ? { kind: 'failed', error, retryAfter: error.retryAfter } : { kind: 'absent', error }
}

/** Whether a `Content-Type` is `text/event-stream`, with whatever parameters. */
function isEventStream(type: string | null): boolean {
  return type !== null && type.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream'
}

function answered(response: Response, what: string, retryAfter?: number): SyncError {
  const code = response.status === 401 ? 'unauthorized' : 'http'
  return new SyncError(code, `The stream's answer (status ${response.status}) ${what}.`, {
    status: response.status,
    retryAfter,
  })
}
