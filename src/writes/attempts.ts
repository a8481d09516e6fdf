/** The attempts of one write: the request that is on its way, the wait for the next, how often it has failed. */
import type { Backoff } from '../base/backoff'
import { createBackoff } from '../base/backoff'
import type { Clock } from '../platform/clock'

export interface Attempts {
  /** Of the request that is on its way, or about to leave. */
  readonly request: AbortController | undefined
  /** It waits until it may be tried again. */
  readonly isWaiting: boolean
  /** The circuit breaker held it back: it goes when its origin may be asked again. */
  readonly isHeldBack: boolean
  /** Credentials were refreshed for it, and nothing but a 401 has come since. */
  readonly hasRefreshed: boolean
}

/** A class for its getters: no write carries closures of its own. */
class Owned implements Attempts {
  readonly random: () => number
  request: AbortController | undefined
  isHeldBack = false
  hasRefreshed = false
  /** Failures so far that count against the mutation's `retry`. */
  failures = 0
  /** How often a 409 was answered that nobody could read. */
  vague = 0
  /** How much had been heard of its origin when a page came in place of its answer. */
  heard: number | undefined
  cancelWait: (() => void) | undefined
  /** Its requests have had no answer since this began. */
  cancelAnswer: (() => void) | undefined
  made: Backoff | undefined

  constructor(random: () => number) {
    this.random = random
  }

  get isWaiting(): boolean {
    return this.cancelWait !== undefined
  }

  /** Most writes never wait. */
  get backoff(): Backoff {
    this.made ??= createBackoff({ base: 1000, cap: 60_000 }, this.random)
    return this.made
  }
}

export function createAttempts(random: () => number): Attempts {
  return new Owned(random)
}

const own = (attempts: Attempts): Owned => attempts as Owned

/** A request is about to leave. */
export function begin(attempts: Attempts): AbortController {
  const request = new AbortController()
  own(attempts).request = request
  return request
}

/** Its request is over. */
export function finish(attempts: Attempts): void {
  own(attempts).request = undefined
}

/** Nobody waits for the answer any more. */
export function abort(attempts: Attempts, reason?: unknown): void {
  attempts.request?.abort(reason)
  noteAnswer(attempts)
  finish(attempts)
}

/** `late` is called when it has had no answer for so long, however many requests that was. */
export function awaitAnswer(attempts: Attempts, clock: Clock, milliseconds: number, late: () => void): void {
  const owned = own(attempts)
  owned.cancelAnswer ??= clock.after(milliseconds, () => {
    owned.cancelAnswer = undefined
    late()
  })
}

/** It has an answer, or waits for none. */
export function noteAnswer(attempts: Attempts): void {
  own(attempts).cancelAnswer?.()
  own(attempts).cancelAnswer = undefined
}

/** Waits its turn of the backoff, at least `floor` milliseconds. */
export function wait(attempts: Attempts, clock: Clock, floor: number, then: () => void): void {
  const owned = own(attempts)
  owned.cancelWait?.()
  owned.cancelWait = clock.after(Math.max(floor, owned.backoff.next()), () => {
    owned.cancelWait = undefined
    then()
  })
}

/** It waits no longer. */
export function wakeUp(attempts: Attempts): void {
  const owned = own(attempts)
  owned.cancelWait?.()
  owned.cancelWait = undefined
}

export function setHeldBack(attempts: Attempts, isHeldBack: boolean): void {
  own(attempts).isHeldBack = isHeldBack
}

export function noteRefreshed(attempts: Attempts, hasRefreshed: boolean): void {
  own(attempts).hasRefreshed = hasRefreshed
}

/** Counts a failure; how many there were. */
export function countFailure(attempts: Attempts): number {
  return ++own(attempts).failures
}

/** Counts a 409 that nobody could read; how many there were. */
export function countVague(attempts: Attempts): number {
  return ++own(attempts).vague
}

/** Notes how much was heard of the origin; `true`: as much as the last time, so nobody else is heard either. */
export function isAsQuiet(attempts: Attempts, heard: number): boolean {
  const owned = own(attempts)
  const isSame = owned.heard === heard
  owned.heard = heard
  return isSame
}

/** Another payload has not failed yet. */
export function startAnew(attempts: Attempts): void {
  const owned = own(attempts)
  owned.backoff.reset()
  owned.failures = 0
  owned.vague = 0
}
