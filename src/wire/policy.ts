/**
 * What is done about each outcome: the table of the stream's design as one function. Decorrelated jitter, reset by a
 * healthy while and never by an open connection; the server's wishes are floors; at most 8 a minute of what opens and does
 * not last.
 */
import type { Backoff } from '../base/backoff'
import { createBackoff } from '../base/backoff'
import { SyncError } from '../base/errors'
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'
import type { NetworkEvent } from '../platform/network'
import type { Farewell, Outcome } from './outcome'
import { isHeldBack } from './outcome'

/** What comes next. `delay` and `floor` in milliseconds; infinite: not by itself. */
export interface Step {
  state: 'waiting' | 'unavailable' | 'unauthorized' | 'ended' | 'stopped'
  delay: number
  floor: number
  wakes: readonly NetworkEvent[]
  error?: SyncError | undefined
  /** The position is of no use any more: forget it before the next attempt. */
  dropId?: boolean | undefined
  /** It should be reported, not only shown. */
  report?: boolean | undefined
}

export interface Policy {
  /** An attempt begins. */
  began(): void
  /** Attempts since the stream was last healthy. */
  attempts(): number
  /** The connection has proved itself: everything counts from the start again. */
  healthy(): void
  /** The server's `retry:`, in milliseconds; any number. */
  retry(milliseconds: number): void
  /** Whether a refresh of the credentials may still help. */
  mayRefresh(): boolean
  /** The credentials were refreshed (`true`: there are new ones). */
  refreshed(): void
  /** `lastEventId`: where the next attempt would go on. */
  decide(outcome: Outcome, lastEventId: string | undefined): Step
}

const BASE = 1_000
const CAP = 30_000
/** `retry:` is believed between these two. */
const RETRY_MIN = 250
const RETRY_MAX = 300_000
/** The first attempt after a healthy connection waits for a random part of this, unless the server says otherwise. */
const SPREAD = 2_000
/** Longest wait that a farewell can ask for. */
const AFTER_MAX = 3_600_000
const SPREAD_MAX = 600_000
/** Where there is no stream, it is tried again after so long. */
const PROBE = 300_000
/** A stream that gave way to requests comes back after so long at the earliest. */
const CROWDED = 30_000
/** So many unfit answers in a row mean that there is no stream. */
const UNFIT_MAX = 3
/** A position is connected to again so often after an event that broke a limit. */
const POISON_MAX = 2
/** The storm guard: so many unhealthy attempts in so many milliseconds. */
const STORM_COUNT = 8
const STORM_TIME = 60_000

const ALL_WAKES: readonly NetworkEvent[] = ['online', 'visible', 'wake']
const RARE_WAKES: readonly NetworkEvent[] = ['online', 'wake']
const NO_WAKES: readonly NetworkEvent[] = []
const NEVER = Number.POSITIVE_INFINITY

export function createPolicy(clock: Clock, random: Random): Policy {
  let base = BASE
  let pause = 0
  const backoff: Backoff = createBackoff({ base: () => base, cap: () => Math.max(CAP, base) }, random.next)
  let starts: number[] = []
  let attempts = 0
  let isHealthy = false
  let refreshTried = false
  let unfit = 0
  let isHinted = false
  const crowded: Backoff = createBackoff({ base: CROWDED, cap: PROBE }, random.next)
  let isCrowded = false
  let refusedIds = 0
  let expiredIds = 0
  let poison: { id: string | undefined; count: number } | undefined

  const guard = () => {
    const oldest = starts.length < STORM_COUNT ? undefined : starts[0]
    if (oldest === undefined) return 0
    const left = Math.min(STORM_TIME, Math.max(0, oldest + STORM_TIME - clock.now()))
    return left + (1 - random.next()) * BASE
  }
  const waiting = (delay: number, floor = 0): Step => {
    const least = Math.max(floor, guard())
    return { state: 'waiting', delay: Math.max(delay, least), floor: least, wakes: ALL_WAKES }
  }
  // No answer, or a refusal: the jitter alone paces these, so that a restart is not made longer; only wake-ups are guarded.
  const again = (error: SyncError | undefined, floor = 0): Step => ({
    ...waiting(0, floor),
    delay: Math.max(backoff.next(), floor),
    error,
  })
  const soon = (spread: number, least: number, floor = 0): Step =>
    waiting(isHealthy ? least + random.next() * spread : Math.max(least, backoff.next()), floor)
  const halt = (state: Step['state'], error?: SyncError, report = false): Step => ({
    state,
    delay: NEVER,
    floor: 0,
    wakes: state === 'unauthorized' ? ALL_WAKES : NO_WAKES,
    error,
    report,
  })
  const absent = (error: SyncError): Step => ({
    state: 'unavailable',
    delay: PROBE * (0.9 + random.next() * 0.2),
    floor: guard(),
    wakes: RARE_WAKES,
    error,
    report: !isHinted && !isHeldBack(error),
  })
  const fromAbsent = (error: SyncError): Step => {
    const step = absent(error)
    isHinted = true
    return step
  }
  const fromCrowded = (error: SyncError): Step => {
    const step = { ...absent(error), delay: Math.max(CROWDED, crowded.next()), report: !isCrowded }
    isCrowded = true
    return step
  }
  const fromUnfit = (error: SyncError): Step => (++unfit >= UNFIT_MAX ? fromAbsent(error) : again(error))
  const fromBye = (bye: Farewell): Step => {
    const after = Math.min(bye.after ?? 0, AFTER_MAX)
    const spread = Math.min(bye.spread ?? SPREAD, SPREAD_MAX)
    if (bye.reason === 'auth-revoked') {
      return halt('unauthorized', new SyncError('unauthorized', 'The server has withdrawn the credentials.'), true)
    }
    if (bye.reason === 'overload') return waiting(Math.max(backoff.next(), after + random.next() * spread), after)
    return waiting(after + (bye.reason === 'auth-expired' ? 0 : random.next() * spread), after)
  }
  const fromPoison = (error: SyncError, id: string | undefined): Step => {
    poison = poison !== undefined && poison.id === id ? poison : { id, count: 0 }
    const dropId = ++poison.count > POISON_MAX
    if (dropId) poison = undefined
    return { ...waiting(backoff.next()), error, dropId, report: true }
  }

  function decide(outcome: Outcome, lastEventId: string | undefined): Step {
    if (outcome.kind !== 'unfit') unfit = 0
    if (outcome.kind !== 'unauthorized' && outcome.kind !== 'renewed') refreshTried = false
    switch (outcome.kind) {
      case 'lost':
        return { ...soon(SPREAD, pause), error: outcome.error }
      case 'failed': {
        const asked = outcome.retryAfter
        return again(outcome.error, asked === undefined ? 0 : asked * (1 + random.next() * 0.25))
      }
      case 'unfit':
        return fromUnfit(outcome.error)
      case 'absent':
        return fromAbsent(outcome.error)
      case 'crowded':
        return fromCrowded(outcome.error)
      case 'unauthorized':
        return halt('unauthorized', outcome.error, true)
      case 'forbidden':
        return halt('stopped', outcome.error, true)
      case 'id-refused':
        if (++refusedIds > 1) return halt('stopped', outcome.error, true)
        return { ...waiting(random.next() * BASE), error: outcome.error, dropId: true }
      case 'id-expired':
        if (++expiredIds > 1) return { ...again(outcome.error), dropId: true }
        return { ...waiting(random.next() * BASE), error: outcome.error, dropId: true }
      case 'oversized':
        return fromPoison(outcome.error, lastEventId)
      case 'bye':
        return fromBye(outcome.bye)
      case 'ended':
        return halt('ended')
      case 'renewed':
        // On purpose: no attempt that went wrong.
        starts = starts.slice(0, -1)
        return waiting(0)
      case 'aborted':
        return waiting(0)
    }
  }

  return {
    began() {
      isHealthy = false
      attempts++
      starts = [...starts.slice(1 - STORM_COUNT), clock.now()]
    },
    attempts: () => attempts,
    healthy() {
      isHealthy = true
      attempts = 0
      starts = []
      unfit = 0
      refusedIds = 0
      expiredIds = 0
      backoff.reset()
    },
    retry(milliseconds) {
      base = Math.min(RETRY_MAX, Math.max(RETRY_MIN, milliseconds))
      pause = base
    },
    mayRefresh: () => !refreshTried,
    refreshed() {
      refreshTried = true
    },
    decide,
  }
}
