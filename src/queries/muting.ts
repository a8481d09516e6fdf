/**
 * Observers during a transition. query-core tells an observer's listeners while it updates the observer; here each gets a
 * recorder instead, so that all observers have their new result before the first listener is called.
 */
import type { AnyObserver, Cell } from './cell'
import { listenersOf, setListeners } from './insides'

export interface MutedListeners {
  original: Set<unknown>
  recorder: Set<unknown>
  due: boolean
}

/** Gives the observer a recorder in place of its listeners. */
export function mute(muted: Map<AnyObserver, MutedListeners>, observer: AnyObserver): void {
  const original = listenersOf(observer)
  if (muted.has(observer) || original.size === 0) return
  const entry: MutedListeners = { original, recorder: new Set(), due: false }
  entry.recorder.add(() => {
    entry.due = true
  })
  setListeners(observer, entry.recorder)
  muted.set(observer, entry)
}

/** Updates the observers of what has changed and gives all their listeners back. Returns the calls that tell them. */
export function unmute(muted: Map<AnyObserver, MutedListeners>, changed: ReadonlySet<Cell>): Array<() => void> {
  for (const cell of changed) {
    for (const observer of cell.query.observers as unknown as AnyObserver[]) {
      mute(muted, observer)
      observer.onQueryUpdate()
    }
  }
  const calls: Array<() => void> = []
  for (const [observer, { original, recorder, due }] of muted) {
    if (listenersOf(observer) === recorder) {
      const [, ...added] = recorder
      for (const listener of added) original.add(listener)
      setListeners(observer, original)
    }
    if (!due) continue
    // Asked when it is told: a subscriber before it may have changed something, or taken this one away.
    calls.push(() => {
      const result = observer.getCurrentResult()
      for (const listener of original) (listener as (result: unknown) => void)(result)
    })
  }
  muted.clear()
  return calls
}
