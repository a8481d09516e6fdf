/**
 * Durable storage as one port: ordered string keys, values that the serializer has made text, batches that are all or
 * nothing.
 */

/**
 * A storage of the outbox: text under keys, in order. `write` is all or nothing; what rejects is reported as
 * `storage`, and the client goes on in memory.
 */
export interface SyncStorage {
  /** Whether what was written survives a reload. */
  readonly durable: boolean
  get(key: string): Promise<string | undefined>
  /** All entries whose key starts with `prefix`, in key order. */
  list(prefix: string): Promise<Array<[key: string, value: string]>>
  /** Writes the whole batch or nothing; resolves when it is on disk. `undefined` deletes. Called again when that is over. */
  write(batch: ReadonlyArray<readonly [key: string, value: string | undefined]>): Promise<void>
  /** Deletes every key that starts with `prefix`. */
  clear(prefix: string): Promise<void>
}

/** How values become text. JSON by default. */
export interface Serializer {
  serialize(value: unknown): string
  deserialize(text: string): unknown
}

export const jsonSerializer: Serializer = {
  serialize: (value) => JSON.stringify(value),
  deserialize: (text) => JSON.parse(text) as unknown,
}

/** The port over a Map. */
export function memoryPort(): SyncStorage {
  const entries = new Map<string, string>()
  return {
    durable: false,
    get: (key) => Promise.resolve(entries.get(key)),
    list: (prefix) =>
      Promise.resolve([...entries].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))),
    write(batch) {
      for (const [key, value] of batch) {
        if (value === undefined) entries.delete(key)
        else entries.set(key, value)
      }
      return Promise.resolve()
    },
    clear(prefix) {
      for (const key of [...entries.keys()]) if (key.startsWith(prefix)) entries.delete(key)
      return Promise.resolve()
    },
  }
}
