/**
 * Observers during a transition. query-core tells an observer's listeners while it updates the observer; here each gets a
 * recorder instead, so that all observers have their new result before the first listener is called.
 */
import type { AnyObserver, QueryRecord } from './cell'

export interface MutedListeners {
  original: Set<unknown>
  recorder: Set<unknown>
  due: boolean
}

interface Listening {
  listeners: Set<unknown>
}

/** Gives the observer a recorder in place of its listeners. */
export function mute(muted: Map<AnyObserver, MutedListeners>, observer: AnyObserver): void {
  const target = observer as unknown as Listening
  if (muted.has(observer) || target.listeners.size === 0) return
  const entry: MutedListeners = { original: target.listeners, recorder: new Set(), due: false }
  entry.recorder.add(() => {
    entry.due = true
  })
  target.listeners = entry.recorder
  muted.set(observer, entry)
}

/** Updates the observers of what has changed and gives all their listeners back. Returns the calls that tell them. */
export function unmute(muted: Map<AnyObserver, MutedListeners>, changed: ReadonlySet<QueryRecord>): Array<() => void> {
  for (const record of changed) {
    for (const observer of record.query.observers as unknown as AnyObserver[]) {
      mute(muted, observer)
      observer.onQueryUpdate()
    }
  }
  const calls: Array<() => void> = []
  for (const [observer, { original, recorder, due }] of muted) {
    const target = observer as unknown as Listening
    if (target.listeners === recorder) {
      const [, ...added] = recorder
      for (const listener of added) original.add(listener)
      target.listeners = original
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
