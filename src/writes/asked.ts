/** What a person asks of a write: to try again, to send something else, to forget it. */
import { SyncError } from '../base/errors'
import { canonical } from '../base/key'
import { wakeUp } from './attempts'
import type { QueueContext } from './context'
import { change } from './context'
import type { MutationHandle } from './handle'
import { handleOf } from './handle'
import { end } from './outcome'
import { copyVariables } from './variables'
import type { Ways } from './ways'

export function discard(queue: QueueContext, id: string): boolean {
  const { deps, log } = queue
  const write = log.writes.get(id)
  if (write !== undefined && write.outcome !== 'confirmed') {
    end(queue, write, 'taken-back', new SyncError('stopped', 'Discarded.', { mutationKey: write.mutationKey }))
    return true
  }
  const unknown = log.ended.quarantined.find((record) => record.id === id)
  if (unknown === undefined && !log.ended.failed.some((record) => record.id === id)) return false
  log.ended.forget(id)
  const removed = unknown === undefined ? deps.outbox.removeFailed(id) : deps.outbox.remove(unknown)
  removed.catch(deps.report)
  deps.changed()
  return true
}

export function again(
  queue: QueueContext,
  id: string,
  edited: { variables: unknown } | undefined,
  ways: Ways,
): MutationHandle | undefined {
  const { deps, options, log, flow } = queue
  if (flow.state.isClosing) return undefined
  const blocked = edited === undefined ? log.writes.get(id) : undefined
  if (blocked?.record.status === 'blocked' || blocked?.record.status === 'uncertain') {
    change(queue, blocked, { status: blocked.record.sent ? 'uncertain' : 'queued' })
    wakeUp(blocked.attempts)
    queue.pump()
    return handleOf(queue, blocked)
  }
  const record = log.ended.failed.find((each) => each.id === id)
  const mutation = record === undefined ? undefined : options.mutations.get(canonical(record.mutationKey))
  if (record === undefined || mutation === undefined) return undefined
  const { mutationKey } = record
  // Its row goes when the new one is there, so that neither is lost.
  const variables =
    edited === undefined ? record.variables : copyVariables(edited.variables, deps.serializer, mutationKey)
  log.ended.forget(id)
  if (edited === undefined && record.failure?.mayBeApplied === true) return ways.resume(record, mutation)
  return ways.create(mutation, variables, id)
}
