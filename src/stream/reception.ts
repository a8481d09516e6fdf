/**
 * What comes in over the link, until it is applied: entries become messages, messages move the progress on, and what cannot
 * go on where it was becomes a resync.
 */
import type { HelloMessage } from '../base/messages'
import type { LinkOptions } from '../wire/event-stream'
import { idHeader, longestSilence } from '../wire/event-stream'
import { createEntries } from './entries'
import type { HealthDeps } from './health'
import { connect, createProcessor, disconnect, drop } from './processor'
import { flush, resync } from './progress'
import { createResyncer } from './resyncer'
import type { StandingOptions } from './standing'
import type { StreamHost } from './stream-options'

/** What the link, the health and the standing of the stream ask of it. */
export interface Reception
  extends Pick<LinkOptions, 'lastEventId' | 'dropId' | 'answered' | 'deliver' | 'paused'>,
    Pick<HealthDeps, 'progress' | 'cursor' | 'isHeld'>,
    Pick<StandingOptions, 'facts'> {
  /** The connection is gone; `abandon`: what was collected is dropped. */
  ended(abandon?: boolean): void
}

export const HEARTBEAT = 15_000

export function createReception(deps: StreamHost): Reception {
  const { decode, link, health, standing } = deps
  let wasConnected = false
  let wait = HEARTBEAT * 1.5
  const changed = () => {
    health().look()
    standing().showSoon()
  }
  const resyncer = createResyncer({ ...deps, changed, resync: (request) => deps.target.resync(request) })
  const progressed = () => {
    link().healthy()
    changed()
  }
  const processor = createProcessor({ ...deps, resyncer, greeted, progressed })
  const entries = createEntries({ ...deps, processor })

  function greeted({ heartbeat = HEARTBEAT, progress = heartbeat * 1.5 }: HelloMessage): void {
    wait = progress
    link().allow(longestSilence(heartbeat))
    deps.heard?.(heartbeat)
    link().opened()
    health().forget()
  }

  return {
    lastEventId: () => (decode === undefined ? processor.cursor : idHeader(entries.lastEventId())),
    dropId(outcome) {
      entries.drop()
      drop(processor, outcome === 'oversized' ? 'poison' : 'expired')
    },
    answered() {
      connect(processor, decode === undefined)
      if (decode === undefined) return
      link().opened()
      const goesOn = deps.replays === true && entries.lastEventId() !== ''
      if (!goesOn) void resync(processor, { reason: wasConnected ? 'reconnected' : 'fresh' })
      wasConnected = true
    },
    deliver: entries.process,
    paused: () => void flush(processor),
    ended(abandon = false) {
      health().forget()
      entries.closed()
      disconnect(processor, abandon)
      resyncer.release()
    },
    progress: () => wait,
    cursor: () => processor.cursor,
    isHeld: () => processor.gate !== undefined || link().waiting() > 0,
    facts: () => ({ cursor: processor.cursor, resyncing: resyncer.isRunning(), ignored: entries.ignored() }),
  }
}
