/** The ways into the log: a new call, and one whose outcome nobody knows; written down before anything of it leaves. */
import type { SyncError } from '../base/errors'
import type { QueueContext } from './context'
import { addWrite, newRecord } from './create'
import type { AnyMutation } from './definition'
import type { MutationHandle } from './handle'
import { handleOf } from './handle'
import type { WriteRecord } from './stored'
import type { Write } from './write'
import { noteAppended, noteStored } from './write'

/** How a write comes into the log. */
export interface Ways {
  create(mutation: AnyMutation, variables: unknown, replaces?: string): MutationHandle<never>
  /** Nobody knows whether it was applied: the same key, so that it is applied once. */
  resume(record: WriteRecord, mutation: AnyMutation): MutationHandle<never>
  /** The log of an earlier page has been read. */
  loaded(): Promise<void>
}

export function createWays(queue: QueueContext): Ways {
  const { deps, log } = queue
  let loading: Promise<void> | undefined
  const loaded = (): Promise<void> => {
    loading ??= deps.load(queue, (record, mutation) => addWrite(queue, record, mutation, 'restored'))
    return loading
  }
  // Not before the log of an earlier page is read: it says which places, and which sequences, are taken.
  async function append(write: Write): Promise<void> {
    await loaded()
    try {
      if (log.writes.get(write.id) === write) await deps.outbox.save([write.record], log.meta)
      write.durable.resolve()
    } catch (error) {
      // The entry lives on in memory: it is sent all the same, it just does not survive this page.
      noteStored(write, true)
      write.durable.reject(error)
      deps.changed()
      deps.report(error as SyncError)
    }
    noteAppended(write)
    queue.pump()
  }
  function take(write: Write): MutationHandle<never> {
    void append(write)
    return handleOf(queue, write) as MutationHandle<never>
  }
  return {
    loaded,
    create: (mutation, variables, replaces) =>
      take(addWrite(queue, newRecord(queue, mutation, variables, replaces), mutation, 'added')),
    resume(record, mutation) {
      const { id, variables } = record
      const fresh = newRecord(queue, mutation, variables, undefined)
      const write = addWrite(queue, { ...fresh, id, status: 'uncertain', sent: true }, mutation, 'added')
      write.durable.promise.then(() => deps.outbox.removeFailed(id)).catch(() => {})
      return take(write)
    },
  }
}
