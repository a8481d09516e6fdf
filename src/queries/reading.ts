/**
 * Reads that Tidemark itself wants: what is watched and stale, or was discarded. At most one on its way per query; with
 * backoff when one did not help; without a last time.
 */
import { CancelledError } from '@tanstack/query-core'
import { isOpen } from '../evidence/evidence'
import type { Attached, QueryRecord } from './cell'
import { isReading, isRepeatable, isWatched } from './cell'
import type { Core } from './transition'

export interface Refresher {
  /** Asks for a read of the query as soon as it may be made, if somebody watches it; after a failure not at once. */
  want(record: QueryRecord, hasFailed?: boolean): void
  /** A read ended: makes the next one if one is wanted. */
  next(record: QueryRecord | undefined): void
  /** {@link want}, at a random moment within so many milliseconds. */
  wantWithin(record: QueryRecord, milliseconds: number): void
  /** Resolves when the reads that these queries want are back, whatever they brought. */
  settled(records: readonly QueryRecord[]): Promise<void>
  /** Forgets a query that left the cache. */
  forget(record: QueryRecord): void
  stop(): void
}

/** Delay before the n-th read in a row that did not help. */
const STEPS = [0, 0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000]
/** The step of those that the first read after a failure waits for. */
const AFTER_FAILURE = 4

export function createRefresher(core: Core): Refresher {
  let queued = new Set<QueryRecord>()
  let scheduled = false
  let stopped = false

  function want(record: QueryRecord, hasFailed = false): void {
    record.wanted = true
    if (hasFailed) record.attempts = Math.max(record.attempts, AFTER_FAILURE)
    queued.add(record)
    if (scheduled) return
    scheduled = true
    core.clock.soon(() => {
      scheduled = false
      const due = queued
      queued = new Set()
      for (const each of due) next(each)
    })
  }

  function next(record: QueryRecord | undefined): void {
    if (
      record === undefined ||
      stopped ||
      !record.wanted ||
      record.removed ||
      record.cancelTimer !== undefined ||
      isReading(record)
    )
      return
    const isAwaited = record.arrival !== undefined || record.awaited > 0
    if (!isAwaited && !isWatched(record)) {
      record.wanted = false // stale is enough: it is read when it is watched again
      return
    }
    if (record.query.isDisabled() && !isAwaited) return
    if (mustWait(core, record)) return
    const delay = STEPS[Math.min(record.attempts, STEPS.length - 1)] ?? 0
    record.attempts++
    if (delay === 0) {
      read(record)
      return
    }
    record.cancelTimer = core.clock.after(delay * (0.75 + core.random.next() / 2), () => {
      record.cancelTimer = undefined
      if (!record.removed && !stopped && !isReading(record)) read(record)
    })
  }

  function read(record: QueryRecord): void {
    record.wanted = false
    record.query.fetch().then(undefined, () => {})
  }

  return {
    want,
    next,
    wantWithin(record, milliseconds) {
      if (record.cancelTimer !== undefined || !isWatched(record)) return
      record.cancelTimer = core.clock.after(core.random.next() * milliseconds, () => {
        record.cancelTimer = undefined
        next(record)
      })
    },
    async settled(records) {
      await Promise.resolve()
      await Promise.all(records.filter(isWatched).map((record) => record.query.promise?.then(undefined, () => {})))
    },
    forget(record) {
      record.removed = true
      record.cancelTimer?.()
      record.cancelTimer = undefined
      record.arrival?.reject(new CancelledError({ silent: true }))
      record.arrival = undefined
    },
    stop() {
      stopped = true
      for (const record of core.records.values()) {
        record.cancelTimer?.()
        record.cancelTimer = undefined
      }
    },
  }
}

// Without a base there is nothing to try it on; a read that is wanted then, is wanted because one was discarded.
function isKnownRepeatable({ drafts }: Core, record: QueryRecord, attached: Attached): boolean {
  return record.base !== undefined && isRepeatable(record, attached, record.base.data, drafts)
}

/** Without cursors a read that overlaps an open mutation may have to be discarded, so it waits for the outcome. */
function mustWait(core: Core, record: QueryRecord): boolean {
  if (record.mode !== 'fence') return false
  return record.attached.some((attached) => isOpen(attached.layer) && !isKnownRepeatable(core, record, attached))
}
