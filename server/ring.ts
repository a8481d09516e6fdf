/**
 * The newest part of the log, encoded, shared by every reader of this node. A reader is an index into it; what a slow
 * reader costs is that index, and what falls out at the old end is gone for it.
 */
import type { Frame } from './frames'
import type { Position } from './store'
import { comparePositions } from './store'

export interface RingLimits {
  ringEvents: number
  ringSize: number
}

export interface Ring {
  /** Index of the oldest frame, and one past the newest. They only rise. */
  readonly start: number
  readonly end: number
  /** Position before the oldest frame, and of the newest (or before the first). */
  readonly startPosition: Position
  readonly endPosition: Position
  /** Characters held. */
  readonly size: number
  at(index: number): Frame | undefined
  push(frame: Frame): void
  /** Index of the first frame after a position; `undefined` if frames between have fallen out. */
  indexAfter(position: Position): number | undefined
  /** Forgets everything and goes on from a position. Readers behind find that they have fallen out. */
  reset(position: Position): void
}

export function createRing({ ringEvents, ringSize }: RingLimits, position: Position): Ring {
  let frames: (Frame | undefined)[] = []
  let dropped = 0
  let first = 0
  let startPosition = position
  let size = 0
  const end = () => first + frames.length
  const start = () => first + dropped

  function drop(): void {
    const frame = frames[dropped]
    if (frame === undefined) return
    startPosition = frame.entry.position
    size -= frame.size
    frames[dropped++] = undefined
    // Shifting an array for every frame would cost its length; so it is cut when much of it is gone.
    if (dropped < 1024 && dropped < frames.length) return
    frames = frames.slice(dropped)
    first += dropped
    dropped = 0
  }
  return {
    get start() {
      return start()
    },
    get end() {
      return end()
    },
    get startPosition() {
      return startPosition
    },
    get endPosition() {
      return frames.at(-1)?.entry.position ?? startPosition
    },
    get size() {
      return size
    },
    at: (index) => (index < start() ? undefined : frames[index - first]),
    push(frame) {
      frames.push(frame)
      size += frame.size
      while (end() - start() > ringEvents || (size > ringSize && end() - start() > 1)) drop()
    },
    indexAfter(position) {
      if (comparePositions(position, startPosition) < 0) return undefined
      let low = start()
      let high = end()
      while (low < high) {
        const middle = (low + high) >> 1
        const found = frames[middle - first]?.entry.position ?? position
        if (comparePositions(found, position) <= 0) low = middle + 1
        else high = middle
      }
      return low
    },
    reset(position) {
      first = end() + 1
      frames = []
      dropped = 0
      size = 0
      startPosition = position
    },
  }
}
