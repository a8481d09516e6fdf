// The subscriber of all contenders: it looks at one place of what it is called with, and says when the value is there.
// Nothing else is done in it, so that what is measured is the way to it.
import type { Row } from './server.ts'

export interface Subscriber {
  /** Called by the contender with each new list, or with each new row. */
  show(shown: readonly Row[] | Row | undefined): void
  /** What is waited for: the row at this place (or the row that is shown) with this value. Call it before the work. */
  expect(at: number, value: Row[keyof Row], field?: keyof Row): void
  /** Nothing if the value has been shown; else a promise of it. */
  wait(): Promise<void> | undefined
  readonly shown: readonly Row[] | Row | undefined
  calls: number
}

const PATIENCE = 3_000

export function createSubscriber(): Subscriber {
  let at = 0
  let value: Row[keyof Row] = Number.NaN
  let field: keyof Row = 'n'
  let hasCome = true
  let resolve: (() => void) | undefined
  const subscriber: Subscriber & { shown: Subscriber['shown'] } = {
    shown: undefined,
    calls: 0,
    show(shown) {
      subscriber.shown = shown
      subscriber.calls++
      if (hasCome) return
      const row = Array.isArray(shown) ? (shown as readonly Row[])[at] : (shown as Row | undefined)
      if (row?.[field] !== value) return
      hasCome = true
      resolve?.()
    },
    expect(place, wanted, of = 'n') {
      at = place
      value = wanted
      field = of
      hasCome = false
      resolve = undefined
    },
    wait() {
      if (hasCome) return undefined
      return new Promise((settle, reject) => {
        const timer = setTimeout(() => reject(new Error('the subscriber was never called with the value')), PATIENCE)
        resolve = () => [clearTimeout(timer), settle()]
      })
    },
  }
  return subscriber
}
