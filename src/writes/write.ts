/**
 * One write: the record that is kept, and what is known of it while this page lives. The queue sends it, the cache folds
 * it (it is a `Layer`), stores and mirrors show it: all of them look at this one object, and it changes in this file alone.
 */
import type { Cursor } from '../base/cursor'
import type { Deferred } from '../base/deferred'
import { createDeferred } from '../base/deferred'
import type { SyncError } from '../base/errors'
import type { Op, RowOp } from '../data/recipes'
import { isOfExisting, rowsMadeBy } from '../data/verbs'
import type { Layer, Outcome, RowCopy } from '../evidence/evidence'
import type { Attempts } from './attempts'
import type { AnyMutation } from './definition'
import type { WriteRecord } from './stored'

export interface Write extends Layer {
  /** Plain and durable. Never changed: another state of the write is another record. */
  readonly record: WriteRecord
  readonly mutation: AnyMutation | undefined
  /** Names of the rows that it creates. */
  readonly creates: ReadonlySet<string>
  readonly attempts: Attempts
  /** Its row is on disk, or could not be: it may be sent. */
  readonly isAppended: boolean
  /** It could not be written down: it lives in memory only. */
  readonly isVolatile: boolean
  /** How it ended for whoever called `mutate`: what the server said, or why it was not asked. */
  readonly result: Result | undefined
  readonly durable: Deferred<void>
  readonly confirmed: Deferred<unknown>
  readonly reflected: Deferred<void>
}

export interface Result {
  readonly data: unknown
  readonly error: SyncError | null
}

/** A class for its getters: what a record says is not said a second time, and no write carries closures of its own. */
class LivingWrite implements Write {
  record: WriteRecord
  readonly mutation: AnyMutation | undefined
  ops: readonly Op[]
  readonly creates: ReadonlySet<string>
  readonly attempts: Attempts
  isAppended = false
  isVolatile = false
  result: Result | undefined = undefined
  outcome: Outcome | undefined
  confirmedTick = 0
  firstSendTick = 0
  resent: boolean
  /** The record says so before it leaves, so that no crash in between can deny it. */
  sent: boolean
  live = true
  readonly copies: Map<string, RowCopy>
  readonly durable: Deferred<void> = createDeferred<void>()
  readonly confirmed: Deferred<unknown> = createDeferred<unknown>()
  readonly reflected: Deferred<void> = createDeferred<void>()

  constructor(record: WriteRecord, mutation: AnyMutation | undefined, ops: readonly Op[], attempts: Attempts) {
    const { status, sent, rounds } = record
    this.record = record
    this.mutation = mutation
    this.ops = ops
    this.creates = new Set(rowsMadeBy(ops))
    this.attempts = attempts
    this.copies = new Map(record.copies)
    this.outcome = status === 'confirmed' ? 'confirmed' : status === 'conflicted' ? 'conflict' : undefined
    this.sent = sent
    this.resent = sent || rounds > 0
  }

  get id(): string {
    return this.record.id
  }

  get pos(): number {
    return this.record.pos
  }

  get scope(): string {
    return this.record.scope
  }

  get mutationKey(): readonly unknown[] {
    return this.record.mutationKey
  }

  get namesReads(): boolean {
    return this.mutation?.invalidates !== undefined
  }

  get confirmedAt(): Cursor | undefined {
    return this.record.confirmedAt
  }
}

export function createWrite(
  record: WriteRecord,
  mutation: AnyMutation | undefined,
  ops: readonly Op[],
  attempts: Attempts,
): Write {
  return new LivingWrite(record, mutation, ops, attempts)
}

/** The one who may change it. */
const own = (write: Write): LivingWrite => write as LivingWrite

/** Another state of the same write: the record with these fields in place of what it said. */
export function revise(write: Write, change: Partial<WriteRecord>): void {
  own(write).record = { ...write.record, ...change }
}

/** Its row is written, or, with `isVolatile`, could not be. */
export function noteStored(write: Write, isVolatile: boolean): void {
  own(write).isVolatile = isVolatile
}

/** It may be sent. */
export function noteAppended(write: Write): void {
  own(write).isAppended = true
}

/** A request with its id leaves; `isFirst`: none has before. */
export function noteLeft(write: Write, tick: number, isFirst: boolean): void {
  const owned = own(write)
  if (isFirst) owned.firstSendTick = tick
  else owned.resent = true
  owned.sent = true
}

/** The first request with its id did not leave after all. */
export function noteNotLeft(write: Write): void {
  own(write).sent = false
}

/** The server's word on its id. `tick`: when it was heard. */
export function noteOutcome(write: Write, outcome: Outcome, tick: number): void {
  const owned = own(write)
  owned.outcome = outcome
  if (outcome === 'confirmed') owned.confirmedTick = tick
}

/** It is shown no more. */
export function hide(write: Write): void {
  own(write).live = false
}

/** Rows that it changes, as a base has, or had, them. */
export function noteCopies(write: Write, copies: ReadonlyArray<readonly [row: string, copy: RowCopy]>): void {
  const owned = own(write)
  for (const [row, copy] of copies) owned.copies.set(row, copy)
  revise(write, { copies: [...owned.copies] })
}

/** What became of it for its caller. */
export function noteResult(write: Write, result: Result): void {
  own(write).result = result
}

/** A changed payload, as a new id that nobody has sent yet, and with what it shows now. */
export function renew(write: Write, record: WriteRecord, ops: readonly Op[]): void {
  const owned = own(write)
  owned.record = record
  owned.ops = ops
  owned.outcome = undefined
  owned.sent = false
  owned.resent = true
  owned.live = true
}

/** The row that the change is of, as far as it is of one that exists. */
export function targetOf({ ops }: Layer): RowOp | undefined {
  return ops.find(isOfExisting)
}
