/** Virtual time and a virtual device for the stream's tests: nothing sleeps, every run can be repeated. */
import type { Clock } from '../../../src/platform/clock'
import type { Network, NetworkEvent } from '../../../src/platform/network'

export interface VirtualClock extends Clock {
  /** Lets so many milliseconds pass, timer by timer, with everything that follows from each. */
  advance(milliseconds: number): Promise<void>
  /** Sets the clock on without firing anything on the way: the device slept. */
  sleep(milliseconds: number): Promise<void>
  /** Sets the clock to `time` without firing anything, and calls `then` first: a frozen page wakes up. */
  freeze(then: () => void, time: number): Promise<void>
  /** Sets the wall clock; timers go on as they were. */
  shift(milliseconds: number): Promise<void>
  /** How many timers run. */
  timers(): number
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function createVirtualClock(start = 1_700_000_000_000): VirtualClock {
  let now = start
  let count = 0
  const timers = new Map<number, { due: number; callback: () => void }>()

  const next = (): { id: number; due: number; callback: () => void } | undefined => {
    let first: { id: number; due: number; callback: () => void } | undefined
    for (const [id, timer] of timers) if (first === undefined || timer.due < first.due) first = { id, ...timer }
    return first
  }

  return {
    now: () => now,
    after(delay, callback) {
      const id = count++
      timers.set(id, { due: now + Math.min(Math.max(0, delay), 2 ** 31 - 1), callback })
      return () => void timers.delete(id)
    },
    soon: (callback) => queueMicrotask(callback),
    timers: () => timers.size,
    async advance(milliseconds) {
      if (Number.isNaN(milliseconds)) throw new Error('no time to advance to')
      const end = now + milliseconds
      await turn()
      for (let timer = next(); timer !== undefined && timer.due <= end; timer = next()) {
        timers.delete(timer.id)
        now = Math.max(now, timer.due)
        timer.callback()
        await turn()
      }
      now = Math.max(now, end)
      await turn()
    },
    async freeze(then, time) {
      now = time
      then()
      await turn()
    },
    async shift(milliseconds) {
      now += milliseconds
      for (const timer of timers.values()) timer.due += milliseconds
      await turn()
    },
    async sleep(milliseconds) {
      now += milliseconds
      await this.advance(0)
    },
  }
}

export interface VirtualNetwork extends Network {
  emit(event: NetworkEvent): void
  listeners(): number
}

export function createVirtualNetwork(): VirtualNetwork {
  let online = true
  let visible = true
  const listeners = new Set<(event: NetworkEvent) => void>()
  return {
    isOnline: () => online,
    isVisible: () => visible,
    subscribe(listener) {
      const own = (event: NetworkEvent) => listener(event)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    emit(event) {
      if (event === 'online' || event === 'offline') online = event === 'online'
      if (event === 'visible' || event === 'hidden') visible = event === 'visible'
      for (const listener of [...listeners]) listener(event)
    },
    listeners: () => listeners.size,
  }
}
