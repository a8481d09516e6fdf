/** Encoded events that readers in the same place share. */
import type { Cursor } from '../src/base/cursor'

/** A chunk that others in the same place take too, and where it leads. */
export interface SharedChunk {
  bytes: Uint8Array
  next: number
  sent: Cursor
  seen: Cursor
  delivered: number
}

/** Chunks of this moment; emptied when the ring grows. */
export interface ChunkCache {
  get(place: string): SharedChunk | undefined
  set(place: string, chunk: SharedChunk): void
  clear(): void
}

export function createChunkCache(): ChunkCache {
  const shared = new Map<string, SharedChunk>()
  return {
    get: (place) => shared.get(place),
    // Where everybody is somewhere else there is nothing to share.
    set: (place, chunk) => void (shared.size < 64 && shared.set(place, chunk)),
    clear: () => shared.clear(),
  }
}
