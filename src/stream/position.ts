/**
 * Where the stream stands: the chain of `prev` links. An event follows ours, repeats what we have, or shows that
 * something between is missing; nothing else.
 */
import type { Cursor } from '../base/cursor'
import { compareCursors, laterCursor } from '../base/cursor'

/** `next`: follows. `duplicate`: at or before ours. `gap`: something is missing. `epoch`: another log. */
export type Relation = 'next' | 'duplicate' | 'gap' | 'epoch'

export interface Position {
  /** The last id of what was received; behind it nothing is missing. */
  get(): Cursor | undefined
  /** Moves on with an event. */
  move(cursor: Cursor): void
  /** Begins anew, before the first event of a connection. */
  begin(cursor: Cursor | undefined): void
  relate(prev: Cursor | null | undefined, id: Cursor | undefined): Relation
  /** Where what a gap, or another log, hides ends. The event that showed it comes after it. */
  end(relation: 'gap' | 'epoch', prev: Cursor | null | undefined, id: Cursor | undefined): Cursor | undefined
}

export function createPosition(initial: Cursor | undefined): Position {
  let position = initial
  let isFirst = true
  return {
    get: () => position,
    move(cursor) {
      position = cursor
      isFirst = false
    },
    begin(cursor) {
      position = cursor
      isFirst = true
    },
    end: (relation, prev, id) => (relation === 'epoch' ? id : laterCursor(position, prev ?? undefined)),
    relate(prev, id) {
      if (position === undefined) return 'next'
      if (id !== undefined) {
        const order = compareCursors(id, position)
        if (order === undefined) return 'epoch'
        if (order <= 0) return 'duplicate'
      }
      if (prev === undefined) return 'next'
      // `null`: the first that was ever sent to this subscriber. True only before anything was received.
      if (prev === null) return isFirst ? 'next' : 'gap'
      return compareCursors(prev, position) === 0 ? 'next' : 'gap'
    },
  }
}
