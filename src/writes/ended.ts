/** What has ended and stays listed until somebody decides: what was refused, and what nobody here knows. */
import type { WriteRecord } from './stored'

export interface Ended {
  /** Refused, newest last. */
  readonly failed: readonly WriteRecord[]
  /** Nobody here knows their mutation. */
  readonly quarantined: readonly WriteRecord[]
  /** Lists it as failed; returns those that `bound` then pushes out. */
  fail(record: WriteRecord, bound: number): readonly WriteRecord[]
  /** Lists it as one that nobody here knows. */
  quarantine(record: WriteRecord): void
  /** What an earlier page could not send, before what failed on this one. */
  restore(records: readonly WriteRecord[]): void
  forget(id: string): void
  clear(): void
}

export function createEnded(): Ended {
  let failed: readonly WriteRecord[] = []
  let quarantined: readonly WriteRecord[] = []
  return {
    get failed() {
      return failed
    },
    get quarantined() {
      return quarantined
    },
    fail(record, bound) {
      const list = [...failed, record]
      const dropped = list.splice(0, Math.max(0, list.length - bound))
      failed = list
      return dropped
    },
    quarantine(record) {
      quarantined = [...quarantined, record]
    },
    restore(records) {
      failed = [...records, ...failed]
    },
    forget(id) {
      failed = failed.filter((record) => record.id !== id)
      quarantined = quarantined.filter((record) => record.id !== id)
    },
    clear() {
      failed = []
      quarantined = []
    },
  }
}
