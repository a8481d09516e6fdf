import { describe, expect, test } from 'vitest'
import { createTimers } from '../../src/base/timers'

/** A platform whose timers are fired by hand, and can be taken away with all that waits in them. */
function createPlatform() {
  let armed = new Map<number, { callback: () => void; delay: number }>()
  let last = 0
  let functions = make()
  function make() {
    const mine = armed
    return {
      set: (callback: () => void, delay: number) => {
        mine.set(++last, { callback, delay })
        return last
      },
      clear: (timer: never) => void mine.delete(timer),
    }
  }
  return {
    timers: createTimers({ setTimeout: () => functions.set, clearTimeout: () => functions.clear }),
    /** What stands before it is lost: it never fires. */
    replace() {
      const before = armed
      armed = new Map()
      functions = make()
      return { fire: () => [...before.values()].map(({ callback }) => callback()), size: () => before.size }
    },
    delays: () => [...armed.values()].map(({ delay }) => delay),
    fire: () => [...armed.values()].map(({ callback }) => callback()),
  }
}

describe('timers whose functions are replaced', () => {
  test('are armed once more at the next look, and fire once', () => {
    const platform = createPlatform()
    let fired = 0
    platform.timers.after(500, () => fired++)
    const before = platform.replace()
    expect(platform.delays()).toEqual([])
    platform.timers.look()
    platform.timers.look()
    expect(platform.delays()).toEqual([500])
    platform.fire()
    before.fire()
    platform.fire()
    expect(fired).toBe(1)
  })

  test('fire in the functions that armed them first, where those still work, and leave nothing behind', () => {
    const platform = createPlatform()
    let fired = 0
    platform.timers.after(500, () => fired++)
    const before = platform.replace()
    platform.timers.after(9, () => {})
    expect(platform.delays()).toEqual([9, 500].sort())
    before.fire()
    expect(fired).toBe(1)
    expect(platform.delays()).toEqual([9])
  })

  test('are cancelled wherever they were armed', () => {
    const platform = createPlatform()
    let fired = 0
    const cancel = platform.timers.after(500, () => fired++)
    const before = platform.replace()
    platform.timers.look()
    cancel()
    expect(platform.delays()).toEqual([])
    expect(before.size()).toBe(0)
    platform.fire()
    before.fire()
    expect(fired).toBe(0)
  })

  test('wait neither less than nothing nor longer than the platform can', () => {
    const platform = createPlatform()
    platform.timers.after(-5, () => {})
    platform.timers.after(Number.POSITIVE_INFINITY, () => {})
    expect(platform.delays()).toEqual([0, 2 ** 31 - 1])
  })
})
