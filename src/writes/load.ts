/** What an earlier page left, back into the queue: in its order, behind nothing of this page, and never overwritten. */
import { SyncError } from '../base/errors'
import { canonical } from '../base/key'
import type { Add, Load, QueueContext, QueueDeps } from './context'
import type { AnyMutation } from './definition'
import { forget } from './outcome'
import type { StoredOutbox, WriteRecord } from './stored'
import { noteAppended } from './write'

/** What an earlier page left: back into the log, in order; what cannot be understood is set aside, never dropped. */
export const loadFrom =
  (outbox: StoredOutbox): Load =>
  (queue, add) =>
    load(outbox, queue, add)

async function load(outbox: StoredOutbox, queue: QueueContext, add: Add): Promise<void> {
  const { deps, options, log, flow } = queue
  try {
    const found = await outbox.load()
    if (flow.state.isClosed) return
    if (found.meta !== undefined) {
      // Changes made before the log was read come after everything in it.
      log.continueFrom(found.meta)
      deps.cache.core.sawOwn(found.meta.ownAt)
    }
    flow.set({ isLoaded: true }) // places are known: rows may go
    if (found.damaged.length > 0) reportDamaged(deps, found.damaged)
    const aside = new Set<string>()
    for (const record of found.entries) {
      const mutation = options.mutations.get(canonical(record.mutationKey))
      const brought = mutation === undefined ? undefined : bringUpToDate(record, mutation)
      // What builds on something that is set aside is set aside with it: alone it would be refused.
      if (brought !== undefined && !record.deps.some((id) => aside.has(id))) restore(queue, add, brought, mutation)
      else {
        aside.add(record.id)
        log.ended.quarantine(record)
      }
    }
    // One that is sent again under its key may stand in both lists, if the page ended in between.
    log.ended.restore(found.failed.filter(({ id }) => !log.writes.has(id)))
  } catch (cause) {
    deps.report(
      new SyncError(
        'storage',
        'The outbox of an earlier page could not be read; it is left as it is, and changes are kept in memory only.',
        { cause },
      ),
    )
  }
  flow.set({ isLoaded: true })
  deps.changed()
}

function reportDamaged(deps: QueueDeps, keys: readonly string[]): void {
  deps.report(
    new SyncError(
      'storage',
      `Rows of the outbox of an earlier page could not be understood and are left as they are: ${keys.join(', ')}.`,
    ),
  )
}

function restore(queue: QueueContext, add: Add, record: WriteRecord, mutation: AnyMutation | undefined): void {
  const write = add({ ...record, status: statusAfter(record, mutation) }, mutation)
  noteAppended(write)
  write.durable.resolve()
  if (write.record.status !== 'confirmed') return
  write.confirmed.resolve(undefined)
  queue.log.leaveScope(write)
  queue.log.stay(write)
  const { core } = queue.deps.cache
  if (core.layers.includes(write)) core.checkLayers()
  else forget(queue, write)
}

/** A page that was closed in mid-flight does not know; one that lacked credentials may have them now. */
function statusAfter({ status }: WriteRecord, mutation: AnyMutation | undefined): WriteRecord['status'] {
  if (status === 'sending') return mutation?.idempotent === false ? 'blocked' : 'uncertain'
  return status === 'paused' ? 'uncertain' : status
}

function bringUpToDate(record: WriteRecord, mutation: AnyMutation): WriteRecord | undefined {
  const version = mutation.version ?? 1
  if (record.version === version) return record
  const migrate = mutation.migrate as ((variables: unknown, version: number) => unknown) | undefined
  if (migrate === undefined) return undefined
  try {
    return { ...record, variables: migrate(record.variables, record.version), version }
  } catch {
    return undefined
  }
}
