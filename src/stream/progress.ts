/**
 * How far the stream is applied. The cursor moves after the apply, never before; a connection that dies takes what it had
 * half done with it, and the server sends that again.
 */
import type { Cursor } from '../base/cursor'
import { compareCursors } from '../base/cursor'
import { SyncError } from '../base/errors'
import { guard } from '../base/guard'
import type { MutationOutcome } from '../base/messages'
import type { Parts } from './parts'
import type { Position } from './position'
import type { Resyncer, ResyncRequest } from './resyncer'
import type { Run } from './runs'
import type { ChangeMessage, StreamTarget } from './target'

export interface ProgressDeps {
  target: Pick<StreamTarget, 'apply' | 'outcomes' | 'reached'>
  resyncer: Resyncer
  report(error: SyncError): void
  /** The stream came further. */
  progressed(): void
}

export interface Progress extends ProgressDeps {
  /** Of the transaction that is being received. */
  readonly parts: Parts
  /** Up to which everything is received. */
  readonly position: Position
  /** Up to which everything is applied. */
  cursor?: Cursor | undefined
  /** Received, and not applied yet. */
  run: Run
  /** The one that goes on; each is another object. */
  connection?: object | undefined
  /** Resolves when events may go on; `undefined`: now. */
  gate?: Promise<void> | undefined
}

/** A message may have to wait; then the next one waits too. */
export type Handled = void | Promise<void>

export function fail(progress: Progress, message: string, cause?: unknown): void {
  progress.report(new SyncError('protocol', message, { cause }))
}

/** Tells the target something that needs no answer. */
function tell(progress: Progress, run: () => void): void {
  void guard(run, (cause) => fail(progress, 'What the stream brought was not taken.', cause))
}

/** Nothing more comes up to there. */
export function tellReached(progress: Progress, at: Cursor): void {
  tell(progress, () => progress.target.reached(at))
}

export function tellOutcomes(progress: Progress, mutations: readonly MutationOutcome[], id: Cursor | undefined): void {
  if (mutations.length === 0) return
  void flush(progress)
  tell(progress, () => progress.target.outcomes(mutations, id))
}

/** Everything up to `at` is applied: now the position may move. Returns whether it did. */
function commit(progress: Progress, at: Cursor | undefined): boolean {
  if (at === undefined) return false
  const moved = progress.cursor === undefined || compareCursors(at, progress.cursor) !== 0
  progress.cursor = at
  progress.position.move(at)
  return moved
}

/** An event has brought the stream further, which a greeting or a resync does not. */
export function step(progress: Progress, at: Cursor | undefined): void {
  if (commit(progress, at)) progress.progressed()
}

export function apply(progress: Progress, messages: readonly ChangeMessage[], at: Cursor | undefined): Handled {
  try {
    progress.target.apply(messages, at)
  } catch (cause) {
    fail(progress, 'A transaction of the stream could not be applied; everything is read again.', cause)
    return resync(progress, { reason: 'protocol', cursor: at ?? progress.position.get() })
  }
  step(progress, at)
  return undefined
}

/** Nothing more comes in this turn: what was collected is applied. */
export function flush(progress: Progress): Handled {
  const taken = progress.run.take()
  return taken === undefined ? undefined : apply(progress, taken.messages, taken.cursor)
}

/** Continuity is lost: events wait. The target marks what is cached before it returns, so the position moves at once. */
export function resync(progress: Progress, request: ResyncRequest): Promise<void> {
  void flush(progress)
  // Whoever was called may have stopped the stream.
  if (progress.connection === undefined) return Promise.resolve()
  progress.parts.spoil()
  const mine = progress.connection
  const held = progress.resyncer.resync(request).then(() => {
    if (mine === progress.connection && progress.gate === held) progress.gate = undefined
  })
  progress.gate = held
  commit(progress, request.cursor)
  return held
}

/** Runs `then` after `wait`, unless the connection is gone by then. */
export function after(progress: Progress, wait: Promise<void>, then: () => Handled): Promise<void> {
  const mine = progress.connection
  return wait.then(() => (mine === progress.connection ? then() : undefined))
}
