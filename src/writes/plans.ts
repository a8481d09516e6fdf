/** What is read again for a write that was accepted: at once where positions tell that it is needed, else when its scope is idle. */
import type { Cache } from '../queries/queries'
import type { Write } from './write'

/** Keys, all there is, what shows the write and lacks it, or what the stream tells of. */
export type Plan = ReadonlyArray<readonly unknown[]> | 'all' | 'uncovered' | 'pushed'

export interface Plans {
  add(write: Write, plan: Plan): void
  /** Carries out what belongs to scopes that are idle. */
  run(): void
}

interface Later {
  readonly keys: Array<readonly unknown[]>
  readonly writes: Write[]
  all: boolean
}

export function createPlans(cache: Cache, isBusy: (scope: string) => boolean): Plans {
  const later = new Map<string, Later>()
  return {
    add(write, plan) {
      const known = later.get(write.scope) ?? { keys: [], writes: [], all: false }
      if (typeof plan === 'object') known.keys.push(...plan)
      if (plan === 'uncovered' && write.confirmedAt === undefined) known.writes.push(write)
      if (plan === 'all') known.all = true
      later.set(write.scope, known)
    },
    run() {
      for (const [scope, { keys, writes, all }] of later) {
        if (isBusy(scope)) continue
        later.delete(scope)
        if (all) cache.invalidateAll()
        if (keys.length > 0) cache.invalidate(keys)
        for (const write of writes) cache.invalidateUncovered(write)
      }
    },
  }
}
