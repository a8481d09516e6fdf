/**
 * The sync stream: one connection, its protocol, and polling where no stream is possible. It hands whole transactions
 * to its target, in order, each once; what cannot go on where it was becomes a resync, never a silent loss.
 */
import { guardedReport } from '../base/guard'
import type { Link } from '../wire/event-stream'
import { createLink, DEFAULT_LIMITS, longestSilence } from '../wire/event-stream'
import { createAsking } from './asking'
import type { Health } from './health'
import { createHealth } from './health'
import { createReception, HEARTBEAT } from './reception'
import type { Standing } from './standing'
import { createStanding } from './standing'
import type { StreamDeps, StreamHost, StreamOptions, SyncStream } from './stream-options'

export type { StreamStatus } from './standing'
export type { StreamOptions, SyncStream } from './stream-options'

const HEAD_TIME = 20_000
const POLL_INTERVAL = 30_000

export function createSyncStream(given: StreamDeps, options: StreamOptions): SyncStream {
  const deps: StreamHost = {
    ...given,
    ...options,
    report: guardedReport(given.report),
    link: () => link,
    health: () => health,
    standing: () => standing,
  }
  const { pollInterval = POLL_INTERVAL, heartbeat = options.decode === undefined ? HEARTBEAT : false } = options
  const reception = createReception(deps)
  const asking = createAsking(deps, reception)
  const link: Link = createLink(deps, {
    ...deps,
    ...reception,
    ...asking,
    limits: { ...DEFAULT_LIMITS, headTime: HEAD_TIME },
    silence: longestSilence(heartbeat),
  })
  const health: Health = createHealth({
    ...deps,
    ...reception,
    isOpen: () => link.status.getState().state === 'open',
    changed: () => standing.show(),
  })
  const standing: Standing = createStanding(deps, {
    ...deps,
    ...reception,
    link: link.status,
    behind: health.error,
    pollInterval,
    poll: () => deps.target.poll(),
  })

  return {
    status: standing.status,
    cursor: reception.cursor,
    start: link.start,
    stop() {
      if (link.status.getState().state === 'idle') return
      asking.cancel()
      link.stop()
      reception.ended(true)
      standing.show()
    },
    retryNow: link.retryNow,
    expect: health.expect,
    giveWay: asking.giveWay,
    resubscribe: asking.resubscribe,
  }
}
