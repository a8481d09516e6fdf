/** What the stream brings goes to a target, which is the cache. */
import type { Cursor } from '../base/cursor'
import type { QueryKey } from '../base/key'
import type { AckMessage, InvalidateMessage, MutationOutcome, PatchMessage, StateMessage } from '../base/messages'

export type ChangeMessage = InvalidateMessage | PatchMessage | StateMessage | AckMessage

/** What the stream works on: the cache. Its functions are called one at a time, in order, and never after `stop()`. */
export interface StreamTarget {
  /**
   * One whole transaction (all its parts, in order), new to this client; applied by the target in one synchronous
   * transition. Invalidations that waited one behind the other come together. `cursor` is the position of the last
   * event; undefined for streams without ids.
   */
  apply(messages: readonly ChangeMessage[], cursor: Cursor | undefined): void
  /** Outcomes carried by an event that is a duplicate (position <= ours) or skipped: only its `mutations` are taken. */
  outcomes(mutations: readonly MutationOutcome[], cursor: Cursor | undefined): void
  /** A position that was reached without a change (hello continued, ping with a cursor). */
  reached(cursor: Cursor): void
  /**
   * Continuity is lost, or was never there (`fresh`: the first connection): everything (or `keys`) that is cached may be
   * stale. Mark it stale before returning, refetch what is watched, spread over `spread` ms. Resolves when the reads
   * that were started are back (success or failure). `cursor`: the stream's position after it, if known.
   */
  resync(request: {
    reason: string
    cursor?: Cursor | undefined
    keys?: readonly QueryKey[] | undefined
    spread?: number | undefined
  }): Promise<void>
  /** Refetch what is watched: the fallback while no stream is possible. */
  poll(): void
  /** Query topics to ask for now (joined into `?topics=`). */
  topics?(): readonly string[]
}
