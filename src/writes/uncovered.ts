/**
 * A confirmed change that no read has brought for 10 s while online is asked for again, and reported once, unless its scope
 * is never idle: then nobody has asked for it before.
 */
import { SyncError } from '../base/errors'
import { canonical } from '../base/key'
import type { QueueContext } from './context'

const COVER_TIME = 10_000

export function watchUncovered({ deps, log }: QueueContext): () => void {
  const { clock, network, cache, report } = deps
  const since = new Map<string, number>()
  let cancel = clock.after(COVER_TIME, check)
  function check(): void {
    cancel = clock.after(COVER_TIME, check)
    for (const id of since.keys()) if (!log.writes.has(id)) since.delete(id)
    if (!network.isOnline()) return
    for (const write of log.confirmed) {
      if (write.reflected.settled) continue // whoever watches a query has it
      const rounds = (since.get(write.id) ?? 0) + 1
      since.set(write.id, rounds)
      if (rounds < 2) continue
      cache.invalidateUncovered(write)
      if (rounds !== 2) continue
      if (log.scopes.has(write.scope)) {
        since.delete(write.id)
        continue
      }
      const { mutationKey } = write
      const said = `Mutation ${canonical(mutationKey)} was confirmed, but no read has shown it for ${COVER_TIME / 1000} s; its queries are read again: name them in "invalidates".`
      report(new SyncError('protocol', said, { mutationKey }))
    }
  }
  return () => cancel()
}
