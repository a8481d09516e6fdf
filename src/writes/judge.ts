/** What the failure of an attempt means, with what the attempt has seen, and the error that says so. */
import { isSyncError, SyncError, sentence } from '../base/errors'
import { isError, messageOf } from '../base/kinds'
import type { Meaning } from '../base/meaning'
import { MEANINGS, meaningOf, problemOf, saidBy, statusOf } from '../base/meaning'
import { isCutShort } from '../platform/http'
import { countVague } from './attempts'
import type { QueueContext } from './context'
import { thrownOf } from './unread'
import type { Write } from './write'

/** So often an answer that says too little is asked for again. */
const VAGUE_MAX = 3

/**
 * A refusal whose words were cut off: the server repeats them under the same key. And a 409 without a body that anybody could read. It may be a conflict, and it may be 'in progress': a request before is at
 * work, or was applied, and another key would apply it twice. Of a first attempt too: browsers send a request again by themselves.
 */
function isVague({ attempts }: Write, meaning: Meaning, error: unknown): boolean {
  const isWordless = meaning === 'conflict' && statusOf(error) === 409 && problemOf(error) === undefined
  if (!isWordless && !(meaning === 'refused' && isCutShort(error))) return false
  return countVague(attempts) <= VAGUE_MAX
}

/** What the failure of an attempt means, with what the attempt has seen. */
export function judge({ options }: QueueContext, write: Write, error: unknown, accepted: boolean): Meaning {
  const meaning = meaningOf(error, options.isNetworkError)
  if (isVague(write, meaning, error)) return 'in-progress'
  if (!accepted || isSyncError(error)) return meaning
  // Said yes, and then the caller could not use the answer, or could not read it to its end.
  if (meaning === 'bug' || meaning === 'unclear') return 'applied'
  return meaning === 'unanswered' ? 'cut' : meaning
}

/** The answer says that the write did not happen (too many, too early, busy) or that it is happening. */
export function isUntouched(status: number | undefined, meaning: Meaning): boolean {
  return meaning === 'in-progress' || status === 425 || status === 429 || status === 503
}

export function toSyncError(error: unknown, meaning: Meaning, mutationKey: readonly unknown[]): SyncError {
  const status = statusOf(error)
  const message = saidBy(error) ?? messageOf(error)
  const { retryAfter } = (error ?? {}) as { retryAfter?: unknown }
  const details = {
    status,
    problem: problemOf(error),
    mutationKey,
    cause: thrownOf(error),
    retryAfter: typeof retryAfter === 'number' ? retryAfter : undefined,
  }
  const { code } = MEANINGS[meaning]
  switch (meaning) {
    case 'conflict':
      return new SyncError(code, sentence(`The server has a newer version: ${message}`), details)
    case 'bug':
      return new SyncError(
        code,
        sentence(isError(error) && !isSyncError(error) ? `"mutationFn" threw: ${message}` : message),
        details,
      )
    case 'unanswered':
      if (status !== undefined) return new SyncError('http', message, details)
      return new SyncError(isSyncError(error, 'timeout') ? 'timeout' : code, sentence(message), details)
    default:
      return new SyncError(code, message, details)
  }
}
