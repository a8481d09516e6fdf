/**
 * The board's tasks in depth: base, view and outbox, read together at the end of each turn in which one of them changed.
 * Whoever listens sees no half of a transition.
 */
import type { OutboxEntry, SyncClient } from 'tidemark'
import { createQueryStore } from 'tidemark'
import { allTasks } from './board'
import { taskIdOf } from './rows'
import type { Task } from './task'

export interface Depths {
  /** What the server said, in order; `undefined` before it has said anything. */
  readonly base: readonly Task[] | undefined
  /** What is shown, in order. */
  readonly view: readonly Task[] | undefined
  /** What was done and base does not contain yet. */
  readonly layers: readonly OutboxEntry[]
  /** What the server refused. */
  readonly failed: readonly OutboxEntry[]
}

export function depthsOf(sync: SyncClient): Depths {
  const { entries, failed } = sync.outbox.getState()
  return {
    base: sync.getBase(allTasks.queryKey),
    view: sync.getView(allTasks.queryKey),
    layers: entries.filter((entry) => !entry.isReflected),
    failed,
  }
}

/** Calls `listener` after each turn that changed something, with how it was before. */
export function watchTasks(sync: SyncClient, listener: (now: Depths, before: Depths) => void): void {
  let before = depthsOf(sync)
  let isDue = false
  const changed = () => {
    if (isDue) return
    isDue = true
    queueMicrotask(() => {
      isDue = false
      const now = depthsOf(sync)
      const last = before
      before = now
      listener(now, last)
    })
  }
  sync.outbox.subscribe(changed)
  createQueryStore(sync, allTasks).subscribe(changed)
  // Base changes under an unchanged view, too: when it comes to contain what was shown.
  sync.queryClient.getQueryCache().subscribe(({ type }) => type === 'updated' && changed())
}

/** The layers, or the refused writes, of one task. */
export function ofTask(entries: readonly OutboxEntry[], id: string): readonly OutboxEntry[] {
  return entries.filter((entry) => taskIdOf(entry) === id)
}

/** `2 of 5`. */
export function placeOf(tasks: readonly Task[] | undefined, id: string): string {
  const index = tasks?.findIndex((task) => task.id === id) ?? -1
  return index === -1 ? '' : `${index + 1} of ${tasks?.length}`
}
