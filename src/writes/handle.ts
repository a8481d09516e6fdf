/** What the caller of a mutation holds. */
import { SyncError } from '../base/errors'
import type { QueueContext } from './context'
import { end } from './outcome'
import type { Write } from './write'

/** What the caller of `mutate` holds. Nobody has to listen: a failure is never an unhandled rejection. */
export interface MutationHandle<TData = unknown> {
  /** The idempotency key of the first attempt, and the id in the outbox until a resolved conflict gives it another. */
  readonly id: string
  /**
   * It is in the storage. Whether that survives a reload is the storage's to say (`durable`); `memoryStorage` does not.
   * Rejects when it could not be written; the entry then lives on in memory.
   */
  readonly durable: Promise<void>
  /** The server accepted it: what `mutationFn` resolved with. Rejects with a `SyncError` when it was refused. */
  readonly confirmed: Promise<TData>
  /** The base contains it in every watched query that has data. */
  readonly reflected: Promise<void>
  /** Takes it back. `true` if it had not been sent; otherwise nothing happens. */
  cancel(): boolean
}

export function handleOf(queue: QueueContext, write: Write): MutationHandle {
  const { id, mutationKey } = write
  return {
    id,
    get durable() {
      return write.durable.promise
    },
    get confirmed() {
      return write.confirmed.promise
    },
    get reflected() {
      return write.reflected.promise
    },
    cancel() {
      if (write.record.sent || write.outcome !== undefined || queue.log.writes.get(write.id) !== write) return false
      end(queue, write, 'taken-back', new SyncError('stopped', 'Cancelled before it was sent.', { mutationKey }))
      return true
    },
  }
}
