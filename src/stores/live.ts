/** A read-only Zustand store of something that is computed: fresh whenever it is read, told once per turn to those who watch. */
import type { StoreApi } from 'zustand/vanilla'
import { createStore } from 'zustand/vanilla'
import type { Clock } from '../platform/clock'

/** A Zustand store that only its owner writes; `useStore` and `subscribe` work on it as on any other. */
export type ReadonlyStore<T> = Pick<StoreApi<T>, 'getState' | 'getInitialState' | 'subscribe'>

export interface LiveStore<T> {
  readonly store: ReadonlyStore<T>
  /** What it shows has changed: subscribers hear in a microtask, readers see it at once. */
  changed(): void
}

export function createLiveStore<T>(compute: (previous: T | undefined) => T, clock: Clock): LiveStore<T> {
  const inner = createStore<T>(() => compute(undefined))
  let current = inner.getState()
  let dirty = false
  let scheduled = false
  let watchers = 0
  // Reading publishes nothing: React reads while it renders, and nobody may be told to render then.
  const read = (): T => {
    if (dirty) {
      dirty = false
      current = compute(current)
    }
    return current
  }
  const publish = (): void => {
    if (!Object.is(read(), inner.getState())) inner.setState(current, true)
  }
  return {
    store: {
      getState: read,
      getInitialState: inner.getInitialState,
      subscribe(listener) {
        if (watchers++ === 0) publish() // nobody was told while nobody watched
        const unsubscribe = inner.subscribe(listener)
        let active = true
        return () => {
          if (active) watchers--
          active = false
          unsubscribe()
        }
      },
    },
    changed() {
      dirty = true
      if (scheduled || watchers === 0) return // computed when it is read
      scheduled = true
      clock.soon(() => {
        scheduled = false
        publish()
      })
    },
  }
}
