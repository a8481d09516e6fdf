/**
 * Where one stream is in the log: an index into the ring, and the cursor that its reader was sent last. Taking moves it, so
 * whatever is taken is sent, in this order: every message names the one before it.
 */
import type { Cursor } from '../src/base/cursor'
import type { ChunkCache } from './chunks'
import type { Audience, Frame } from './frames'
import { controlText } from './frames'
import type { Ring } from './ring'

/** Characters that one pull takes, about. */
export const CHUNK = 65_536

export interface Place {
  readonly audience: Audience
  /** The same for everybody who has the same topics. */
  audienceName: string
  /** Index in the ring of the first frame that it has not taken. */
  next: number
  /** Of the log that it is in. */
  epoch: string
  /** Id of the last event that its reader got. */
  sent: Cursor
  /** How far the log has been looked through for it. */
  seen: Cursor
  /** Events that were taken and are not counted yet. */
  delivered: number
}

export function createPlace(audience: Audience, at: { next: number; epoch: string; cursor: Cursor }): Place {
  const { next, epoch, cursor } = at
  return { audience, audienceName: nameOf(audience.topics), next, epoch, sent: cursor, seen: cursor, delivered: 0 }
}

/** From now on it hears these topics; `false`: as before. */
export function hear(place: Place, topics: readonly string[]): boolean {
  const { audience } = place
  if (topics.length === audience.topics.size && topics.every((topic) => audience.topics.has(topic))) return false
  audience.topics = new Set(topics)
  place.audienceName = nameOf(audience.topics)
  return true
}

/** Takes one frame: its text, or none if it is not for this reader. */
export function takeFrame(place: Place, frame: Frame): string {
  place.seen = frame.cursor
  const text = frame.encode(place.audience, place.sent)
  if (text === undefined) return ''
  place.sent = frame.cursor
  place.delivered++
  return text
}

/** Takes frames from the ring until there is a chunk of text, after the text that is there. */
export function takeFrames(place: Place, ring: Ring, text: string): { text: string; isPersonal: boolean } {
  let isPersonal = false
  while (place.next < ring.end && text.length <= CHUNK) {
    const frame = ring.at(place.next++)
    if (frame === undefined) continue
    isPersonal ||= frame.isPersonal(place.audience)
    text += takeFrame(place, frame)
  }
  return { text, isPersonal }
}

/** The usual case: many readers in the same place take the same frames, so they are encoded once. */
export function takeShared(place: Place, ring: Ring, chunks: ChunkCache): Uint8Array {
  const name = `${place.next} ${place.sent} ${place.audienceName}`
  const known = chunks.get(name)
  if (known !== undefined) {
    place.delivered += known.delivered
    place.next = known.next
    place.sent = known.sent
    place.seen = known.seen
    return known.bytes
  }
  const { text, isPersonal } = takeFrames(place, ring, '')
  const bytes = bytesOf(text)
  const { next, sent, seen, delivered } = place
  if (!isPersonal) chunks.set(name, { bytes, next, sent, seen, delivered })
  return bytes
}

/** Its id is where the position has moved; without a move none: one that repeats the last would be taken for a duplicate. */
export function takeControl(place: Place, event: string, data: object): string {
  const id = place.seen === place.sent ? undefined : place.seen
  place.sent = place.seen
  return controlText(event, data, id)
}

/** Goes to the end of the ring, past what is between. */
export function leap(place: Place, ring: Ring, epoch: string): void {
  place.epoch = epoch
  place.next = ring.end
  place.seen = `${epoch}:${ring.endPosition}`
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function nameOf(topics: ReadonlySet<string>): string {
  return JSON.stringify([...topics].sort())
}
