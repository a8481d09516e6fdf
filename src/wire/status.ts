/** Stores that can be read and watched, and not written, from outside. A subscriber that throws is its own problem. */
import type { StoreApi } from 'zustand/vanilla'
import { createStore } from 'zustand/vanilla'

/** A Zustand store without its setter: `useStore(store)` and `store.subscribe(listener)` work on it. */
export type ReadableStore<T> = Pick<StoreApi<T>, 'getState' | 'getInitialState' | 'subscribe'>

export interface StatusStore<T> {
  readonly store: ReadableStore<T>
  get(): T
  /** Publishes the new state; `onError` gets what a subscriber threw. */
  set(state: T): void
}

export function createStatusStore<T extends object>(initial: T, onError: (error: unknown) => void): StatusStore<T> {
  const { getState, getInitialState, setState, subscribe } = createStore<T>(() => initial)
  const guarded = (listener: (state: T, previous: T) => void) =>
    subscribe((state, previous) => {
      try {
        listener(state, previous)
      } catch (error) {
        onError(error)
      }
    })
  return {
    store: { getState, getInitialState, subscribe: guarded },
    get: getState,
    set: (state) => setState(state, true),
  }
}
