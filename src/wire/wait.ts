/**
 * Waiting for the next attempt, by the wall clock, woken early when the network or the page comes back. Wake-ups of
 * one wait collapse into one; none goes below the floor that the server or the storm guard has set.
 */
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'
import type { Network, NetworkEvent } from '../platform/network'

export interface WaitDeps {
  clock: Clock
  random: Random
  network: Network
}

export interface WaitOptions {
  /** Milliseconds; infinite: until it is woken or told. */
  delay: number
  /** Milliseconds below which no wake-up goes. */
  floor: number
  /** What wakes it. A jump of the clock counts as `wake`. */
  wakes: readonly NetworkEvent[]
  /** Called when a wake-up has moved the end. */
  moved(until: number): void
}

export interface Waiter {
  /** Resolves when it is time; `told`: the wait was ended. */
  wait(options: WaitOptions, signal: AbortSignal): Promise<'elapsed' | 'woken' | 'told'>
  /** Ends the wait that is going on, floor or not. */
  end(): void
}

/** A wake-up waits for a random part of this. */
const WAKE_JITTER = 1_000
/** Long waits are cut into pieces, so that a sleep of the device is noticed. */
const PIECE = 10_000
/** A piece that took so much longer than planned was slept through. */
const JUMP = 5_000

export function createWaiter({ clock, random, network }: WaitDeps): Waiter {
  let finish: ((how?: 'told') => void) | undefined

  function wait(
    { delay, floor, wakes, moved }: WaitOptions,
    signal: AbortSignal,
  ): Promise<'elapsed' | 'woken' | 'told'> {
    if (signal.aborted) return Promise.resolve('told')
    let left = delay
    let floorLeft = floor
    let began = clock.now()
    let piece = 0
    let woken = false
    let isOver = false
    let cancel: (() => void) | undefined

    const count = (atLeast: number) => {
      const now = clock.now()
      const spent = Math.max(atLeast, now - began)
      began = now
      left -= spent
      floorLeft -= spent
      return spent
    }
    const arm = () => {
      cancel?.()
      // Whoever was told that the end has moved may have ended the wait.
      if (isOver) return
      piece = Math.max(0, Math.min(left, PIECE))
      if (left !== Number.POSITIVE_INFINITY) cancel = clock.after(piece, fired)
    }
    const fired = () => {
      const planned = piece
      if (count(planned) > planned + JUMP && wakes.includes('wake')) wake()
      if (left <= 0) finish?.()
      else arm()
    }
    const wake = () => {
      if (woken) return
      woken = true
      count(0)
      left = Math.min(left, Math.max(floorLeft, random.next() * WAKE_JITTER))
      moved(clock.now() + Math.max(0, left))
      arm()
    }

    const onAbort = () => finish?.('told')
    return new Promise((resolve) => {
      const unsubscribe = network.subscribe((event) => {
        if (wakes.includes(event)) wake()
      })
      finish = (how) => {
        finish = undefined
        isOver = true
        cancel?.()
        unsubscribe()
        signal.removeEventListener('abort', onAbort)
        resolve(how ?? (woken ? 'woken' : 'elapsed'))
      }
      signal.addEventListener('abort', onAbort)
      arm()
    })
  }

  return { wait, end: () => finish?.('told') }
}
