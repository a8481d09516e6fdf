/**
 * What is done about each outcome: the table of the stream's design as one function over what the outcomes before have
 * left behind. The server's wishes are floors.
 */
import type { Backoff } from '../base/backoff'
import { createBackoff } from '../base/backoff'
import { SyncError } from '../base/errors'
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'
import type { NetworkEvent } from '../platform/network'
import type { Farewell, Outcome } from './outcome'
import { isHeldBack } from './outcome'
import type { Pace } from './pace'
import { afterLoss, guard, prove, SPREAD } from './pace'

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

/** What the outcomes so far have left behind. */
export interface Policy extends Pace {
  /** It gave way to requests: how long it stays away. */
  crowded?: Backoff
  /** It was reported that there is no stream. */
  isHinted: boolean
  /** A refresh of the credentials was tried, and cannot help any more. */
  hasRefreshed: boolean
  /** Unfit answers in a row. */
  unfit: number
  refusedIds: number
  expiredIds: number
  /** Where an event broke a limit, and how often. */
  poison?: { id: string | undefined; count: number } | undefined
}

const BASE = 1_000
const CAP = 30_000
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

const ALL_WAKES: readonly NetworkEvent[] = ['online', 'visible', 'wake']
const RARE_WAKES: readonly NetworkEvent[] = ['online', 'wake']
const NO_WAKES: readonly NetworkEvent[] = []
const NEVER = Number.POSITIVE_INFINITY

export function createPolicy(clock: Clock, random: Random): Policy {
  const base = () => policy.retry ?? BASE
  const policy: Policy = {
    clock,
    random,
    backoff: createBackoff({ base, cap: () => Math.max(CAP, base()) }, random.next),
    attempts: 0,
    starts: [],
    isHinted: false,
    hasRefreshed: false,
    unfit: 0,
    refusedIds: 0,
    expiredIds: 0,
  }
  return policy
}

/** The connection has proved itself: everything counts from the start again. */
export function forgive(policy: Policy): void {
  policy.unfit = 0
  policy.refusedIds = 0
  policy.expiredIds = 0
  prove(policy)
}

/** `lastEventId`: where the next attempt would go on. */
export function decide(policy: Policy, outcome: Outcome, lastEventId: string | undefined): Step {
  const { random } = policy
  if (outcome.kind !== 'unfit') policy.unfit = 0
  if (outcome.kind !== 'unauthorized' && outcome.kind !== 'renewed') policy.hasRefreshed = false
  switch (outcome.kind) {
    case 'lost':
      return { ...waiting(policy, afterLoss(policy)), error: outcome.error }
    case 'failed': {
      const asked = outcome.retryAfter
      return again(policy, outcome.error, asked === undefined ? 0 : asked * (1 + random.next() * 0.25))
    }
    case 'unfit':
      return ++policy.unfit >= UNFIT_MAX ? fromAbsent(policy, outcome.error) : again(policy, outcome.error)
    case 'absent':
      return fromAbsent(policy, outcome.error)
    case 'crowded':
      return fromCrowded(policy, outcome.error)
    case 'unauthorized':
      return halt('unauthorized', outcome.error)
    case 'forbidden':
      return halt('stopped', outcome.error)
    case 'id-refused':
      if (++policy.refusedIds > 1) return halt('stopped', outcome.error)
      return { ...waiting(policy, random.next() * BASE), error: outcome.error, dropId: true }
    case 'id-expired':
      if (++policy.expiredIds > 1) return { ...again(policy, outcome.error), dropId: true }
      return { ...waiting(policy, random.next() * BASE), error: outcome.error, dropId: true }
    case 'oversized':
      return fromPoison(policy, outcome.error, lastEventId)
    case 'bye':
      return fromBye(policy, outcome.bye)
    case 'ended':
      return halt('ended')
    case 'renewed':
      // On purpose: no attempt that went wrong.
      policy.starts = policy.starts.slice(0, -1)
      return waiting(policy, 0)
    case 'aborted':
      return waiting(policy, 0)
  }
}

function waiting(pace: Pace, delay: number, floor = 0): Step {
  const least = Math.max(floor, guard(pace))
  return { state: 'waiting', delay: Math.max(delay, least), floor: least, wakes: ALL_WAKES }
}

// No answer, or a refusal: the jitter alone paces these, so that a restart is not made longer; only wake-ups are guarded.
function again(pace: Pace, error: SyncError, floor = 0): Step {
  return { ...waiting(pace, 0, floor), delay: Math.max(pace.backoff.next(), floor), error }
}

function halt(state: Step['state'], error?: SyncError): Step {
  return { state, delay: NEVER, floor: 0, wakes: state === 'unauthorized' ? ALL_WAKES : NO_WAKES, error, report: true }
}

function absent(policy: Policy, error: SyncError): Step {
  return {
    state: 'unavailable',
    delay: PROBE * (0.9 + policy.random.next() * 0.2),
    floor: guard(policy),
    wakes: RARE_WAKES,
    error,
    report: !policy.isHinted && !isHeldBack(error),
  }
}

function fromAbsent(policy: Policy, error: SyncError): Step {
  const step = absent(policy, error)
  policy.isHinted = true
  return step
}

function fromCrowded(policy: Policy, error: SyncError): Step {
  const report = policy.crowded === undefined
  policy.crowded ??= createBackoff({ base: CROWDED, cap: PROBE }, policy.random.next)
  return { ...absent(policy, error), delay: Math.max(CROWDED, policy.crowded.next()), report }
}

function fromBye(policy: Policy, bye: Farewell): Step {
  const after = Math.min(bye.after ?? 0, AFTER_MAX)
  const spread = Math.min(bye.spread ?? SPREAD, SPREAD_MAX)
  if (bye.reason === 'auth-revoked') {
    return halt('unauthorized', new SyncError('unauthorized', 'The server has withdrawn the credentials.'))
  }
  if (bye.reason === 'overload') {
    return waiting(policy, Math.max(policy.backoff.next(), after + policy.random.next() * spread), after)
  }
  return waiting(policy, after + (bye.reason === 'auth-expired' ? 0 : policy.random.next() * spread), after)
}

function fromPoison(policy: Policy, error: SyncError, id: string | undefined): Step {
  const { poison: before } = policy
  const poison = before !== undefined && before.id === id ? before : { id, count: 0 }
  const dropId = ++poison.count > POISON_MAX
  policy.poison = dropId ? undefined : poison
  return { ...waiting(policy, policy.backoff.next()), error, dropId, report: true }
}
