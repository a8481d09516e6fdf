/**
 * A read-only Zustand store of something that is computed: fresh whenever it is read; those who watch hear of it with the
 * transition that changed it. It waits for no timer and no microtask, so nothing that replaces those makes it deaf.
 */
import type { StoreApi } from 'zustand/vanilla'
import { createStore } from 'zustand/vanilla'

/** A Zustand store that only its owner writes; `useStore` and `subscribe` work on it as on any other. */
export type ReadonlyStore<T> = Pick<StoreApi<T>, 'getState' | 'getInitialState' | 'subscribe'>

export interface LiveStore<T> {
  readonly store: ReadonlyStore<T>
  /**
   * What it shows has changed: readers see it at once, subscribers hear with what the open transition publishes. `own`: a
   * write of this client is the reason.
   */
  changed(own?: boolean): void
}

/** Calls a function with the open transition's publish, at once where none is open. */
export type Announce = (tell: () => void, own?: boolean) => void

export function createLiveStore<T>(compute: (previous: T | undefined) => T, announce: Announce): LiveStore<T> {
  // Made before anybody has asked the network: a server and a browser begin with the same, and a browser looks when it reads.
  const inner = createStore<T>(() => compute(undefined))
  let current = inner.getState()
  let dirty = true
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
    changed(own) {
      dirty = true
      if (watchers > 0) announce(publish, own) // else it is computed when it is read
    },
  }
}
