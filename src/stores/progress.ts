/** An entry's way to its outcome in the words of TanStack's mutations: paused, failed so often, why. */
import type { SyncErrorCode } from '../base/errors'
import { SyncError } from '../base/errors'
import type { Entry } from '../queue/outbox'
import type { QueueState } from '../queue/state'

/** Whether the queue sends nothing now, whatever waits: offline, `pause()`, or a 401 without new credentials. */
export function isHeldBack({ paused, needsAuth, deps }: QueueState): boolean {
  return paused || needsAuth || !deps.network.isOnline()
}

/** Whether the entry waits for something that only the network or a person can bring. */
export function isPausedEntry({ status }: Entry, heldBack: boolean): boolean {
  return status === 'paused' || (heldBack && (status === 'queued' || status === 'uncertain'))
}

/** Attempts that failed so far; the one on its way does not count. */
export function failuresOf({ failure, status, attempt }: Entry): number {
  return failure === undefined ? 0 : status === 'sending' ? attempt - 1 : attempt
}

/** The last failure as an error. */
export function reasonOf({ failure, mutationKey }: Entry): SyncError | null {
  if (failure === undefined) return null
  const { code, message, status, problem } = failure
  return new SyncError(code as SyncErrorCode, message, { status, problem, mutationKey })
}
