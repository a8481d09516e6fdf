/**
 * An entry's way to its outcome in the words of TanStack's mutations: pending, paused, failed so often, why, and how it
 * ended. A store of it is published with the transition that changed the views.
 */
import type { SyncErrorCode } from '../base/errors'
import { SyncError } from '../base/errors'
import type { Item, QueueState } from '../writes/log'
import type { Entry } from '../writes/stored'
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
  moved(item: Item): void
  /** The network, or a switch of the queue, may have changed. */
  changed(): void
}

export function createProgressStores(queue: () => QueueState, announce: Announce): ProgressStores {
  const stores = new Map<Item, LiveStore<Progress>>()
  let wasHeld = false
  return {
    of(id) {
      const item = queue().items.get(id)
      if (item === undefined) return undefined
      const known =
        stores.get(item) ?? createLiveStore((before?: Progress) => progressOf(queue(), item, before), announce)
      stores.set(item, known)
      return known.store
    },
    moved(item) {
      stores.get(item)?.changed(true)
      if (item.outcome !== undefined) stores.delete(item)
    },
    changed() {
      const isHeld = isHeldBack(queue())
      if (isHeld === wasHeld) return
      wasHeld = isHeld
      for (const store of stores.values()) store.changed(true)
    },
  }
}

/** The same object while nothing that it says has changed. */
function progressOf(queue: QueueState, { entry, outcome }: Item, before: Progress | undefined): Progress {
  const { variables, createdAt: submittedAt } = entry
  const failures = failuresOf(entry)
  if (outcome !== undefined) {
    const { data, error } = outcome
    const status = error === null ? 'success' : 'error'
    const failureCount = error === null ? 0 : failures + 1
    return { status, data, error, variables, submittedAt, isPaused: false, failureCount, failureReason: error }
  }
  const isPaused = isPausedEntry(entry, isHeldBack(queue))
  const isAsBefore = before?.failureCount === failures && before.variables === variables
  if (isAsBefore && before.isPaused === isPaused) return before
  const failureReason = before?.failureCount === failures ? before.failureReason : reasonOf(entry)
  const open = { status: 'pending', data: undefined, error: null } as const
  return { ...open, variables, submittedAt, isPaused, failureCount: failures, failureReason }
}

/** Whether the queue sends nothing now, whatever waits: offline, `pause()`, or a 401 without new credentials. */
export function isHeldBack({ paused, needsAuth, doubtful, deps }: QueueState): boolean {
  return paused || needsAuth || !(doubtful || deps.network.isOnline())
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
