/** How a log is kept, as the client sees it: by what a storage value brings, or not at all. */
import type { Serializer, SyncStorage } from '../platform/storage'
import type { Load } from './context'
import type { Outbox } from './stored'

/** Under this name a storage carries its code. A symbol of all copies of the package. */
export const KEEPS: unique symbol = Symbol.for('tidemark.storage') as never

/** What a client's option `storage` takes; made by {@link memoryStorage} or {@link syncStorage}. */
export interface ClientStorage extends SyncStorage {
  /** The code that keeps a log in it. */
  readonly [KEEPS]: (storage: SyncStorage, serializer: Serializer, namespace: string) => Kept
}

/** A log that is kept, and what an earlier page left of it. */
export interface Kept {
  readonly outbox: Outbox
  readonly load: Load
}

export function keptIn(storage: ClientStorage | undefined, serializer: Serializer, namespace: string): Kept {
  return storage === undefined ? NOT_KEPT : storage[KEEPS](storage, serializer, namespace)
}

const done = (): Promise<void> => Promise.resolve()

const NOT_KEPT: Kept = {
  outbox: { save: done, remove: done, removeFailed: done },
  async load({ flow, deps }) {
    flow.set({ isLoaded: true })
    deps.changed()
  },
}
