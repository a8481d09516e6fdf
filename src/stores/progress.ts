/**
 * An entry's way to its outcome in the words of TanStack's mutations: pending, paused, failed so often, why, and how it
 * ended. A store of it is published with the transition that changed the views.
 */
import type { SyncErrorCode } from '../base/errors'
import { SyncError } from '../base/errors'
import type { WriteRecord } from '../writes/stored'
import type { Write } from '../writes/write'
import type { Queue } from '../writes/writes'
import type { Announce, LiveStore, ReadonlyStore } from './live'
import { createLiveStore } from './live'

/** One write, from the call to the server's word. */
export interface Progress {
  readonly status: 'pending' | 'success' | 'error'
  /** What `mutationFn` resolved with. */
  readonly data: unknown
  readonly error: SyncError | null
  readonly variables: unknown
  /** Wall clock milliseconds of the call. */
  readonly submittedAt: number
  /** It waits for the network, for credentials, or for `resume()`. */
  readonly isPaused: boolean
  /** Attempts that failed so far. */
  readonly failureCount: number
  /** Why the last one failed. */
  readonly failureReason: SyncError | null
}

export interface ProgressStores {
  /** The store of the entry of this id, or of the one that a resolved conflict puts in its place. */
  of(id: string): ReadonlyStore<Progress> | undefined
  moved(write: Write): void
  /** The network, or a switch of the queue, may have changed. */
  changed(): void
}

/** `queue` is asked late: it is made after these. */
export function createProgressStores(queue: () => Queue, announce: Announce): ProgressStores {
  const stores = new Map<Write, LiveStore<Progress>>()
  let wasHeld = false
  return {
    of(id) {
      const write = queue().log.writes.get(id)
      if (write === undefined) return undefined
      const compute = (before?: Progress): Progress => progressOf(write, queue().flow.isHeldBack(), before)
      const known = stores.get(write) ?? createLiveStore(compute, announce)
      stores.set(write, known)
      return known.store
    },
    moved(write) {
      stores.get(write)?.changed(true)
      if (write.result !== undefined) stores.delete(write)
    },
    changed() {
      const isHeld = queue().flow.isHeldBack()
      if (isHeld === wasHeld) return
      wasHeld = isHeld
      for (const store of stores.values()) store.changed(true)
    },
  }
}

/** The same object while nothing that it says has changed. */
function progressOf({ record, result }: Write, heldBack: boolean, before: Progress | undefined): Progress {
  const { variables, createdAt: submittedAt } = record
  const failures = failuresOf(record)
  if (result !== undefined) {
    const { data, error } = result
    const status = error === null ? 'success' : 'error'
    const failureCount = error === null ? 0 : failures + 1
    return { status, data, error, variables, submittedAt, isPaused: false, failureCount, failureReason: error }
  }
  const isPaused = isPausedWrite(record, heldBack)
  const isAsBefore = before?.failureCount === failures && before.variables === variables
  if (isAsBefore && before.isPaused === isPaused) return before
  const failureReason = before?.failureCount === failures ? before.failureReason : reasonOf(record)
  const open = { status: 'pending', data: undefined, error: null } as const
  return { ...open, variables, submittedAt, isPaused, failureCount: failures, failureReason }
}

/** Whether the write waits for something that only the network or a person can bring. `heldBack`: nothing is sent now. */
export function isPausedWrite({ status }: WriteRecord, heldBack: boolean): boolean {
  return status === 'paused' || (heldBack && (status === 'queued' || status === 'uncertain'))
}

/** Attempts that failed so far; the one on its way does not count. */
export function failuresOf({ failure, status, attempt }: WriteRecord): number {
  return failure === undefined ? 0 : status === 'sending' ? attempt - 1 : attempt
}

/** The last failure as an error. */
export function reasonOf({ failure, mutationKey }: WriteRecord): SyncError | null {
  if (failure === undefined) return null
  const { code, message, status, problem } = failure
  return new SyncError(code as SyncErrorCode, message, { status, problem, mutationKey })
}
