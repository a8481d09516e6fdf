// A storage that does nothing by itself: each write waits until the test completes or fails it.
import type { ClientStorage, SyncStorage } from 'tidemark'
import { memoryStorage, syncStorage } from 'tidemark'

export interface PendingWrite {
  readonly keys: readonly string[]
  /** It is on disk. */
  complete(): Promise<void>
  fail(error?: Error): Promise<void>
}

export interface ScriptedStorage extends ClientStorage {
  readonly writes: PendingWrite[]
  /** Completes what waits and everything that follows. */
  flow(): Promise<void>
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

export function scriptedStorage(disk: SyncStorage = memoryStorage()): ScriptedStorage {
  const writes: PendingWrite[] = []
  let flowing = false
  const storage = syncStorage({
    durable: true,
    get: disk.get,
    list: disk.list,
    clear: disk.clear,
    write(batch) {
      if (flowing) return disk.write(batch)
      return new Promise<void>((resolve, reject) => {
        const write: PendingWrite = {
          keys: batch.map(([key]) => key),
          async complete() {
            writes.splice(writes.indexOf(write), 1)
            await disk.write(batch)
            resolve()
            await settle()
          },
          async fail(error = new Error('QuotaExceededError')) {
            writes.splice(writes.indexOf(write), 1)
            reject(error)
            await settle()
          },
        }
        writes.push(write)
      })
    },
  })
  return {
    ...storage,
    writes,
    async flow() {
      flowing = true
      for (const write of [...writes]) await write.complete()
    },
  }
}
