/** What an event of the stream says of own mutations. Runs inside the transition that applied the event's data. */
import type { Cursor } from '../base/cursor'
import type { Problem } from '../base/errors'
import { SyncError } from '../base/errors'
import { meaningOfStatus } from '../base/meaning'
import type { MutationOutcome } from '../base/messages'
import { wordsOf } from '../base/words'
import type { QueueContext } from './context'
import { confirm, decide, end, leaveAsConfirmed } from './outcome'
import type { Write } from './write'

export function takeOutcomes(
  queue: QueueContext,
  outcomes: readonly MutationOutcome[],
  cursor: Cursor | undefined,
): void {
  const { cache } = queue.deps
  for (const { id, status, problem } of outcomes) {
    const write = queue.log.writes.get(id)
    if (write === undefined || write.outcome !== undefined) continue
    if (status === 'rejected') {
      refused(queue, write, (problem ?? {}) as Problem)
      continue
    }
    if (write.ops.length === 0 && cursor !== undefined) cache.awaitReads(write, 'pushed')
    decide(queue, write, 'confirmed', cursor)
    // The request may still be on its way: its answer only delivers the result.
    cache.core.settled(() => (write.attempts.request === undefined ? finish(queue, write) : leaveEarly(queue, write)))
  }
}

/** Says what the answer would say. A conflict waits for the answer, or for that of the next send: it is the policy's. */
function refused(queue: QueueContext, write: Write, problem: Problem): void {
  const { status } = problem
  if (status !== undefined && meaningOfStatus(status, problem) === 'conflict') return
  const { mutationKey } = write
  const message = wordsOf(problem) ?? 'The server refused the change.'
  end(queue, write, 'refused', new SyncError('rejected', message, { status, problem, mutationKey }))
}

function finish(queue: QueueContext, write: Write): void {
  leaveAsConfirmed(queue, write)
  confirm(queue, write, undefined, { cursor: write.confirmedAt, named: undefined })
}

function leaveEarly(queue: QueueContext, write: Write): void {
  leaveAsConfirmed(queue, write)
  queue.plans.add(write, 'uncovered')
  queue.plans.run()
  queue.deps.changed()
  queue.deps.cache.core.afterwards(queue.pump)
}
