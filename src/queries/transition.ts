/**
 * One transition: change bases and layers, fold, then publish once: views, outbox, status, mutations. Listeners run after
 * everything has changed, so that a listener of one never sees another half-way.
 */
import type { QueryCacheNotifyEvent } from '@tanstack/query-core'
import { notifyManager } from '@tanstack/query-core'
import { SyncError } from '../base/errors'
import { guard } from '../base/guard'
import type { AnyObserver, Cell } from './cell'
import type { MutedListeners } from './muting'
import { mute, unmute } from './muting'

/** Runs `publish`, and must have called it when it returns. `isOwn`: the reason is a write of this client. */
export type PublishWrap = (publish: () => void, isOwn: boolean) => void

/** A change of a query, as the cache announces it. */
export type UpdatedEvent = Extract<QueryCacheNotifyEvent, { type: 'updated' }>

export interface Transitions {
  /** Runs `run` as one transition; nested calls join the outer one. */
  transition<T>(run: () => T): T
  /** Inside a transition: this query is about to change. */
  touch(cell: Cell): void
  /** The transition is about an own write: it comes, it leaves, or the server has accepted it. */
  isAboutOwn(): void
  /** Runs `run` when the transition has folded its views, before it publishes: it is known what is reflected. */
  settled(run: () => void): void
  /** The transition's callbacks that run after its publish. */
  afterwards(run: () => void): void
  /**
   * Calls `tell` with what the open transition publishes, or at once where none is open. The same function is called once.
   * `own`: it tells of a write of this client.
   */
  announce(tell: () => void, own?: boolean): void
  /** query-core says that a query has changed. */
  updated(event: UpdatedEvent): void
  /** What every publish runs inside of: adapters batch there with their framework's notify manager. */
  readonly wraps: Set<PublishWrap>
  /** Who hears that queries have changed, as views: inside a transition not before it is published. */
  readonly viewListeners: Set<(event: UpdatedEvent) => void>
}

export interface TransitionDeps {
  report: (error: SyncError) => void
  /** Folds a query that was touched. */
  fold: (cell: Cell) => void
  /** Queries have been folded: what is reflected now? */
  folded: () => void
}

export function createTransitions({ report, fold, folded }: TransitionDeps): Transitions {
  let depth = 0
  let isOwn = false
  let dirty = new Set<Cell>()
  let whenSettled: Array<() => void> = []
  let later: Array<() => void> = []
  let announced = new Set<() => void>()
  let updates: UpdatedEvent[] = []
  const muted = new Map<AnyObserver, MutedListeners>()
  const wraps = new Set<PublishWrap>()
  const viewListeners = new Set<(event: UpdatedEvent) => void>()

  function commit(): void {
    const changed = new Set<Cell>()
    const views = new Set<Cell>()
    // A recipe that throws, or a callback of the cache, may not leave the transition open.
    let notify: Array<() => void> = []
    try {
      while (dirty.size > 0 || whenSettled.length > 0) settleAll(changed, views)
    } finally {
      dirty = new Set()
      whenSettled = []
      notify = unmute(muted, changed)
      depth = 0
    }
    const calls = [...notify, ...eventsOf(views, updates, viewListeners), ...announced]
    const callbacks = later
    const wasOwn = isOwn
    announced = new Set()
    updates = []
    later = []
    isOwn = false
    publish(calls, wasOwn)
    for (const call of callbacks) call()
  }

  /** Folds what has changed; then those who wait for it, who may change more. */
  function settleAll(changed: Set<Cell>, views: Set<Cell>): void {
    const now = dirty
    const waiting = whenSettled
    dirty = new Set()
    whenSettled = []
    for (const cell of now) {
      changed.add(cell)
      const { data } = cell.view
      fold(cell)
      if (!Object.is(data, cell.view.data)) views.add(cell)
    }
    if (now.size > 0) folded()
    for (const run of waiting) run()
  }

  /** Everything in one batch of query-core, inside the wraps of the adapters. */
  function publish(calls: ReadonlyArray<() => void>, own: boolean): void {
    if (calls.length === 0) return
    const tellAll = (): void => notifyManager.batch(() => calls.forEach(guarded))
    guarded([...wraps].reduce<() => void>((inner, wrap) => () => wrap(inner, own), tellAll))
  }

  /** Somebody's subscriber that throws stops neither the others nor what follows here. */
  function guarded(run: () => void): void {
    void guard(run, (cause) =>
      report(new SyncError('usage', 'A subscriber threw; the others are told, and everything goes on.', { cause })),
    )
  }

  return {
    wraps,
    viewListeners,
    transition(run) {
      depth++
      try {
        return run()
      } finally {
        if (depth === 1) commit()
        else depth--
      }
    },
    touch(cell) {
      if (depth === 0) throw new Error('A base changed outside of a transition.')
      if (dirty.has(cell)) return
      dirty.add(cell)
      for (const observer of cell.query.observers as unknown as AnyObserver[]) mute(muted, observer)
    },
    isAboutOwn() {
      isOwn = true
    },
    settled: (run) => void whenSettled.push(run),
    afterwards: (run) => void later.push(run),
    announce(tell, own = false) {
      if (depth === 0) return publish([tell], own)
      announced.add(tell)
      isOwn ||= own
    },
    updated(event) {
      if (depth > 0) updates.push(event)
      else for (const listener of [...viewListeners]) listener(event)
    },
  }
}

/** The calls that tell of changed queries: what query-core announced, and views that changed without it. */
function eventsOf(
  views: ReadonlySet<Cell>,
  updates: readonly UpdatedEvent[],
  listeners: ReadonlySet<(event: UpdatedEvent) => void>,
): Array<() => void> {
  if (listeners.size === 0) return []
  const told = new Set(updates.map(({ query }) => query))
  const others = [...views].filter(({ query }) => !told.has(query))
  const events = [...updates, ...others.map(({ query, view }) => viewEvent(query, view.data))]
  return events.flatMap((event) => [...listeners].map((listener) => () => listener(event)))
}

/** Says that what a query shows is another. */
export function viewEvent(query: Cell['query'], data: unknown): UpdatedEvent {
  return { type: 'updated', query, action: { type: 'setState', state: { data } } }
}
