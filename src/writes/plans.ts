/** What is read again for a write that was accepted, when its scope is idle: once for all that the scope has changed. */
import { isCovered, orderOf } from '../evidence/evidence'
import type { Clock } from '../platform/clock'
import type { Cell } from '../queries/cell'
import type { Cache } from '../queries/queries'
import type { Write } from './write'

/** Keys, all there is, what shows the write and lacks it, or what the stream tells of. */
export type Plan = ReadonlyArray<readonly unknown[]> | 'all' | 'uncovered' | 'pushed'

export interface Plans {
  /** `unplaced`: queries in which what its answer says has no place. */
  add(write: Write, plan: Plan, unplaced?: ReadonlySet<Cell>): void
  /** Carries out what belongs to scopes that are idle. */
  run(): void
  /** The client is closed: nothing is read any more. */
  stop(): void
}

interface Later {
  readonly keys: Array<readonly unknown[]>
  reads: Read[]
  all: boolean
}

/** What lacks the write is read, and the queries in which its answer has no place. */
interface Read {
  readonly write: Write
  readonly plan: Plan
  readonly unplaced: ReadonlySet<Cell>
}

const NONE: ReadonlySet<Cell> = new Set()

/** Milliseconds in which an open stream is to bring what was confirmed: then nothing has to be read. */
const ECHO_TIME = 300

/** So many are gathered before those are let go that have been read. */
const READS = 128

interface PlansDeps {
  cache: Cache
  clock: Clock
  isBusy(scope: string): boolean
  /** A stream is open, which tells of what was written. */
  isPushed(): boolean
}

export function createPlans({ cache, clock, isBusy, isPushed }: PlansDeps): Plans {
  const timers = new Set<() => void>()
  // Without a position only the author, or the stream, says what else may lack it.
  const readLacking = ({ write, plan }: Read): void => {
    if (plan === 'uncovered' || write.confirmedAt !== undefined) cache.invalidateUncovered(write)
  }
  /** The stream has not come to where the write is. */
  const isAhead = ({ write }: Read): boolean => isPushed() && (orderOf(write.confirmedAt, cache.core.streamAt) ?? 0) > 0
  const isLacking = ({ write, unplaced }: Read): boolean =>
    cache.core.touchedBy(write).size > 0 || [...unplaced].some(({ base }) => !isCovered(write, base))
  const readLater = (reads: readonly Read[]): void => {
    const cancel = clock.after(ECHO_TIME, () => {
      timers.delete(cancel)
      reads.forEach(readLacking)
    })
    timers.add(cancel)
  }
  const later = new Map<string, Later>()
  return {
    add(write, plan, unplaced = NONE) {
      const known = later.get(write.scope) ?? { keys: [], reads: [], all: false }
      if (typeof plan === 'object') known.keys.push(...plan)
      known.reads.push({ write, plan, unplaced })
      // A scope that is never idle may confirm thousands: what has been read meanwhile is nothing to read for.
      if (known.reads.length % READS === 0) known.reads = known.reads.filter(isLacking)
      if (plan === 'all') known.all = true
      later.set(write.scope, known)
    },
    run() {
      for (const [scope, { keys, reads, all }] of later) {
        if (isBusy(scope)) continue
        later.delete(scope)
        cache.readOwed()
        if (all) cache.invalidateAll()
        if (keys.length > 0) cache.invalidate(keys)
        const ahead = new Set(reads.filter(isAhead))
        for (const read of reads) {
          if (!ahead.has(read)) readLacking(read)
          cache.invalidateUnplaced(read.write, read.unplaced)
        }
        if (ahead.size > 0) readLater([...ahead])
      }
    },
    stop() {
      for (const cancel of timers) cancel()
      timers.clear()
    },
  }
}
