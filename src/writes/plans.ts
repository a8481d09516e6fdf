/** What is read again for a write that was accepted, when its scope is idle: once for all that the scope has changed. */
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
}

interface Later {
  readonly keys: Array<readonly unknown[]>
  readonly reads: Read[]
  all: boolean
}

/** What lacks the write is read, and the queries in which its answer has no place. */
interface Read {
  readonly write: Write
  readonly plan: Plan
  readonly unplaced: ReadonlySet<Cell>
}

const NONE: ReadonlySet<Cell> = new Set()

export function createPlans(cache: Cache, isBusy: (scope: string) => boolean): Plans {
  const later = new Map<string, Later>()
  return {
    add(write, plan, unplaced = NONE) {
      const known = later.get(write.scope) ?? { keys: [], reads: [], all: false }
      if (typeof plan === 'object') known.keys.push(...plan)
      known.reads.push({ write, plan, unplaced })
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
        for (const { write, plan, unplaced } of reads) {
          // Without a position only the author, or the stream, says what else may lack it.
          if (plan === 'uncovered' || write.confirmedAt !== undefined) cache.invalidateUncovered(write)
          cache.invalidateUnplaced(write, unplaced)
        }
      }
    },
  }
}
