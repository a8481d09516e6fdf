/** How the client stands, as one value for people and tests: network, stream, queue. */
import type { Cursor } from '../base/cursor'
import { isEqual } from '../base/equal'
import type { SyncError } from '../base/errors'
import type { QueryKey } from '../base/key'
import type { Network } from '../platform/network'
import type { Cache } from '../queries/queries'
import type { StreamStatus } from '../stream/standing'
import type { SyncStream } from '../stream/stream'
import type { Queue } from '../writes/writes'

/** How a client stands: what was measured, not what is hoped. */
export interface SyncStatus {
  /** What the device believes; a hint. */
  readonly network: 'online' | 'offline'
  /** The stream; `'off'` for a client that only pulls. */
  readonly stream: StreamStatus['state'] | 'off'
  /** How news arrives now; `'none'` while nothing can, offline too. */
  readonly transport: StreamStatus['transport']
  readonly attempt: number
  /** Wall clock milliseconds of the stream's next attempt. */
  readonly nextTryAt: number | undefined
  readonly lastError: SyncError | undefined
  /** Newest position that is applied. */
  readonly cursor: Cursor | undefined
  /** `leader` sends and listens for all tabs. */
  readonly role: 'leader' | 'follower'
  /** Entries that are not settled, by status. */
  readonly counts: Readonly<
    Record<
      'queued' | 'sending' | 'uncertain' | 'confirmed' | 'conflicted' | 'blocked' | 'paused' | 'failed' | 'quarantined',
      number
    >
  >
  /** Not confirmed yet. */
  readonly pending: number
  /** Sending is paused by `pause()`. */
  readonly isPaused: boolean
  /** Sending waits for new credentials. */
  readonly needsAuth: boolean
  /** Whether changes survive a reload. */
  readonly isDurable: boolean
  /** Queries that get no news before a mutation's outcome is known. */
  readonly waiting: readonly QueryKey[]
}

interface StatusSources {
  queue: Queue
  cache: Cache
  network: Network
  stream: SyncStream | undefined
  durable: boolean
}

export function createStatusView(deps: StatusSources): (previous: SyncStatus | undefined) => SyncStatus {
  const { queue, cache, stream, durable } = deps
  return (previous) => {
    const { log, flow } = queue
    const writes = [...log.writes.values()]
    const network = previous === undefined || deps.network.isOnline() ? 'online' : 'offline'
    const standing = stream === undefined ? undefined : asSeen(stream.status.getState(), network)
    const counts = {
      queued: 0,
      sending: 0,
      uncertain: 0,
      confirmed: 0,
      conflicted: 0,
      blocked: 0,
      paused: 0,
      failed: log.ended.failed.length,
      quarantined: log.ended.quarantined.length,
    }
    for (const { record } of writes) counts[record.status]++
    const next: SyncStatus = {
      network,
      stream: standing?.state ?? 'off',
      transport: standing?.transport ?? 'none',
      attempt: standing?.attempt ?? 0,
      nextTryAt: standing?.nextTryAt,
      lastError: standing?.lastError,
      cursor: standing?.cursor,
      role: 'leader',
      counts,
      pending: counts.queued + counts.sending + counts.uncertain + counts.conflicted + counts.blocked + counts.paused,
      isPaused: flow.state.isPaused,
      needsAuth: flow.state.needsAuth,
      isDurable: durable && !writes.some(({ isVolatile }) => isVolatile),
      waiting: counts.sending + counts.uncertain + counts.paused > 0 ? cache.waiting() : [],
    }
    return previous !== undefined && isEqual(previous, next) ? previous : next
  }
}

/** Nothing is polled while the device is offline: polling waits then, as the stream does. */
function asSeen(standing: StreamStatus, network: SyncStatus['network']): StreamStatus {
  if (network === 'online' || standing.state !== 'polling') return standing
  return { ...standing, state: 'waiting', transport: 'none' }
}
