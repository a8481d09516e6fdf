/**
 * Whether an open stream is current. Reads and writes are told positions too: one that the stream does not reach in time says
 * that it is held back somewhere, whatever its socket says.
 */
import type { Cursor } from '../base/cursor'
import { compareCursors, laterCursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import type { Clock } from '../platform/clock'

export interface Health {
  /** The stream should reach this position soon. */
  expect(cursor: Cursor, isOwn: boolean): void
  /** The stream may have reached what was expected. */
  look(): void
  /** The connection is another one: nothing is expected of it yet. */
  forget(): void
  error(): SyncError | undefined
}

export interface HealthDeps {
  clock: Clock
  /** Milliseconds within which the server tells a position that has moved, whoever moved it. */
  progress(): number
  cursor(): Cursor | undefined
  isOpen(): boolean
  /** Events have arrived and wait here: for the reads of a resync, or for their turn. */
  isHeld(): boolean
  report(error: SyncError): void
  changed(): void
}

/** Milliseconds in which the stream tells of an own write. */
const OWN = 5_000

export function createHealth({ clock, progress, cursor, isOpen, isHeld, report, changed }: HealthDeps): Health {
  /** What was told last, and what the deadline that runs is for: it is not moved on by who writes all the time. */
  let expected: Cursor | undefined
  let due: { cursor: Cursor; isOwn: boolean; cancel: () => void } | undefined
  let error: SyncError | undefined
  let isSaid = false

  function isReached(position: Cursor): boolean {
    const ours = cursor()
    if (ours === undefined) return true
    const order = compareCursors(ours, position)
    return order === undefined || order >= 0 // of another log nothing can be said
  }

  function forget(): void {
    due?.cancel()
    due = undefined
    expected = undefined
    error = undefined
  }

  function look(): void {
    if (expected === undefined || !isReached(expected)) return
    const wasBehind = error !== undefined
    forget()
    if (wasBehind) changed()
  }

  function wait(position: Cursor, isOwn: boolean): void {
    due?.cancel()
    // What others did where this stream does not listen moves it with a ping only.
    due = { cursor: position, isOwn, cancel: clock.after(isOwn ? OWN : progress() + OWN, late) }
  }

  function late(): void {
    const waited = due
    due = undefined
    look()
    if (expected === undefined || waited === undefined || !isOpen()) return
    if (isHeld() || isReached(waited.cursor)) {
      wait(expected, waited.isOwn)
      return
    }
    error = new SyncError(
      'protocol',
      'The stream is open, but behind what reads and writes were told: a proxy may hold it back, so what is watched is polled (pollInterval); let the server send "Cache-Control: no-transform" and "X-Accel-Buffering: no".',
    )
    if (!isSaid) report(error)
    isSaid = true
    changed()
  }

  return {
    expect(position, isOwn) {
      if (!isOpen()) return
      expected = laterCursor(expected, position)
      if (isReached(position)) return look()
      if (error === undefined && (due === undefined || (isOwn && !due.isOwn))) wait(position, isOwn)
    },
    look,
    forget,
    error: () => error,
  }
}
