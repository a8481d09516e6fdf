/**
 * How a write ends: confirmed, by an answer or by an event of the stream, or not, with what builds on it. Each is one
 * transition of the cache, so that no publish has the outcome without the data.
 */

import type { Cursor } from '../base/cursor'
import type { SyncErrorCode } from '../base/errors'
import { SyncError, sentence } from '../base/errors'
import { isSameId } from '../base/rows'
import type { Op, RowOp } from '../data/recipes'
import { record } from '../data/recipes'
import { rowNameOf } from '../data/verbs'
import type { Outcome } from '../evidence/evidence'
import { isOpen } from '../evidence/evidence'
import { abort, wakeUp } from './attempts'
import { currentOf } from './conflicts'
import type { QueueContext } from './context'
import { change, save } from './context'
import { answerOps, keysToRead, tell } from './functions'
import { dependentsOf } from './log'
import type { Plan } from './plans'
import type { FailureRecord } from './stored'
import type { Write } from './write'
import { hide, noteOutcome, noteResult, revise, targetOf } from './write'

/** What the answers to one attempt said. */
export interface AttemptEvidence {
  cursor: Cursor | undefined
  named: { asked: ReadonlySet<string>; reflects: ReadonlySet<string> } | undefined
}

/** The server's word on the write's id, to the cache: what waited for it is decided. Inside a transition. */
export function decide({ deps }: QueueContext, write: Write, outcome: Outcome, cursor?: Cursor | undefined): void {
  const { cache } = deps
  if (write.outcome === 'confirmed') {
    // Confirmed by something without a position, which comes now.
    if (write.confirmedAt !== undefined || cursor === undefined) return
    revise(write, { confirmedAt: cursor })
    cache.placed(write)
    return
  }
  noteOutcome(write, outcome, cache.core.tick())
  if (outcome === 'confirmed') revise(write, { confirmedAt: cursor })
  cache.decided(write)
}

/** The server has accepted it; `data` is what `mutationFn` resolved with. */
export function confirm(queue: QueueContext, write: Write, data: unknown, evidence: AttemptEvidence): void {
  const { cache, changed } = queue.deps
  const isFirst = write.outcome !== 'confirmed'
  const ops = answerOps(queue, write, data)
  const plan = planOf(queue, write, data)
  cache.core.transition(() => {
    // The stream tells where an answer without a position stands in it, or nobody does.
    const isUntold = plan === 'pushed' && (evidence.cursor ?? write.confirmedAt) === undefined
    cache.awaitReads(write, plan === 'uncovered' || isUntold ? [] : plan)
    decide(queue, write, 'confirmed', evidence.cursor)
    const unplaced = cache.answer(write, { ops, cursor: evidence.cursor, named: evidence.named, contains: true })
    cache.core.settled(() => {
      passOn(queue, write, ops)
      noteResult(write, { data, error: null })
      write.confirmed.resolve(data)
      if (isFirst) leaveAsConfirmed(queue, write)
      else if (isOver(queue, write)) forget(queue, write)
      queue.plans.add(write, plan, unplaced)
      queue.plans.run()
      changed(write, 'confirmed', () => {
        const { mutation, record } = write
        tell(queue, write, () => mutation?.onSuccess?.(data as never, record.variables as never))
        tell(queue, write, () => mutation?.onSettled?.(data as never, null, record.variables as never))
      })
    })
    cache.core.afterwards(queue.pump)
  })
}

function planOf(queue: QueueContext, write: Write, data: unknown): Plan {
  const keys = keysToRead(queue, write, data)
  if (keys !== undefined) return keys
  if (write.ops.length > 0) return 'uncovered'
  return queue.deps.isPushed() ? 'pushed' : 'all'
}

// Changes of a row that were made on top of this one are not in conflict with it: they go on from what it became.
function passOn({ log }: QueueContext, { record: { baseVersion } }: Write, ops: readonly Op[]): void {
  for (const op of ops) {
    const version = op.kind === 'upsert' ? op.entity.versionOf(op.row) : undefined
    if (op.kind !== 'upsert' || version === undefined) continue
    for (const other of log.writes.values()) {
      const target = targetOf(other)
      if (other.record.sent || other.record.baseVersion !== baseVersion || target === undefined) continue
      if (rowNameOf(target) !== rowNameOf(op)) continue
      revise(other, { baseVersion: version, before: op.row })
    }
  }
}

/** Settled for the queue: its scope goes on. Listed until it is reflected, and its answer is there. */
export function leaveAsConfirmed(queue: QueueContext, write: Write): void {
  const { log, deps } = queue
  const { core } = deps.cache
  leaveScope(queue, write)
  revise(write, { status: 'confirmed' })
  const isNews = log.noteOwn(core.ownAt)
  if (!core.layers.includes(write)) write.reflected.resolve()
  if (isOver(queue, write)) {
    forget(queue, write)
    if (isNews) void save(queue)
  } else {
    log.stay(write)
    void save(queue, write)
  }
}

function leaveScope({ log }: QueueContext, write: Write): void {
  log.leaveScope(write)
  wakeUp(write.attempts)
}

/** Whether nothing more is to come: nobody lacks it, and no request of it is on its way. */
export function isOver({ deps }: QueueContext, write: Write): boolean {
  return write.attempts.request === undefined && !deps.cache.core.layers.includes(write)
}

/** Forgets a write that nothing lacks any more. Before the log is read it has no row: its place may be an earlier page's. */
export function forget({ log, flow, deps }: QueueContext, write: Write): void {
  if (log.forget(write) && flow.state.isLoaded) deps.outbox.remove(write.record).catch(deps.report)
}

/** Why a write ends without the server's yes. */
export type End =
  /** The server said no, or it could not be sent at all. */
  | 'refused'
  /** No word of the server's will come: it may have been applied all the same, and keeps its key for a retry. */
  | 'given-up'
  /** What it builds on has ended so. */
  | 'dependency'
  /** Somebody cancelled or discarded it. */
  | 'taken-back'

/**
 * It is over: its layer leaves, what builds on it follows (or waits, if it says so), who waits for it hears why. But for
 * what was taken back it is kept among the failed ones.
 */
export function end(queue: QueueContext, write: Write, kind: End, error: SyncError): void {
  const { cache } = queue.deps
  const dependents = dependentsOf(queue.log, write)
  const mayBeApplied = kind === 'given-up' || (kind === 'taken-back' && isOpen(write))
  cache.core.transition(() => {
    decide(queue, write, 'rejected')
    if (mayBeApplied) cache.invalidateUncovered(write)
    takeCurrent(queue, write, error)
    for (const each of [write, ...dependents]) {
      if (each !== write && staysBlocked(each)) continue
      hide(each)
      cache.drop(each)
    }
    cache.core.settled(() => {
      settle(queue, write, kind, error)
      for (const dependent of dependents) {
        if (staysBlocked(dependent)) block(queue, dependent)
        else settle(queue, dependent, 'dependency', notSent(dependent, kind, error))
      }
      queue.plans.run()
    })
    cache.core.afterwards(queue.pump)
  })
}

/** Whether it waits for the application when what it builds on has ended. */
function staysBlocked({ mutation }: Write): boolean {
  return mutation?.onDependencyRejected === 'keep'
}

/** Not sent again by itself: the application decides (`retry` or `discard`). */
export function block(queue: QueueContext, write: Write, error?: SyncError): void {
  change(queue, write, { status: 'blocked', ...(error === undefined ? undefined : { failure: failureOf(error) }) })
  void save(queue, write)
}

function notSent({ mutationKey }: Write, kind: End, cause: SyncError): SyncError {
  const why =
    kind === 'taken-back' ? 'the change it builds on was given up.' : `what it builds on was refused: ${cause.message}`
  return new SyncError('dependency-rejected', sentence(`Not sent: ${why}`), { mutationKey, cause })
}

function settle(queue: QueueContext, write: Write, kind: End, error: SyncError): void {
  const { mutation } = write
  leaveScope(queue, write)
  abort(write.attempts)
  if (kind === 'taken-back') {
    forget(queue, write)
    refuse(queue, write, error)
    return
  }
  keep(queue, write, { ...failureOf(error), ...(kind === 'given-up' ? { mayBeApplied: true } : undefined) })
  refuse(queue, write, error, () => {
    const { variables } = write.record
    tell(queue, write, () => mutation?.onError?.(error, variables as never))
    tell(queue, write, () => mutation?.onSettled?.(undefined, error, variables as never))
  })
}

/** Out of the log, into the list of the failed ones. */
function keep({ log, flow, deps, options }: QueueContext, write: Write, failure: FailureRecord): void {
  log.forget(write)
  revise(write, { failure })
  const { record } = write
  const dropped = log.ended.fail(record, options.keepFailed)
  deps.outbox.remove(flow.state.isLoaded ? record : undefined, record).catch(deps.report)
  for (const { id } of dropped) deps.outbox.removeFailed(id).catch(deps.report)
}

/** Whoever waits for the write hears why it is over. Inside a transition. */
export function refuse(
  { deps }: Pick<QueueContext, 'deps'>,
  write: Write,
  error: SyncError,
  callbacks: () => void = () => {},
): void {
  noteResult(write, { data: undefined, error })
  for (const promise of [write.durable, write.confirmed, write.reflected]) promise.reject(error)
  deps.changed(write, 'rejected', callbacks)
}

/** Data that came with a refusal is base data. Without a row it is not known where it belongs: what the write touches is stale. */
export function takeCurrent({ deps }: QueueContext, write: Write, { problem, status, code }: SyncError): void {
  const { cache } = deps
  const { value } = currentOf(problem)
  const isNewer = value !== undefined || (code === 'conflict' && status !== undefined)
  if (!isNewer) return
  const target = targetOf(write)
  const cursor = typeof problem?.cursor === 'string' ? problem.cursor : undefined
  if (target !== undefined && cursor !== undefined && isOf(target, value)) {
    const ops = record((base) => base.upsert(target.entity, value), cache.core.hashKey)
    cache.invalidateUnplaced(write, cache.answer(write, { ops, cursor, named: undefined, contains: false }))
  } else cache.invalidateUncovered(write)
}

function isOf({ entity, id }: RowOp, row: unknown): boolean {
  return row !== undefined && isSameId(entity.idOf(row), id)
}

/** The error as plain data. */
export function failureOf({ code, message, status, problem }: SyncError): FailureRecord & { code: SyncErrorCode } {
  return { code, message, status, problem }
}
