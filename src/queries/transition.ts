/**
 * One transition: change bases and layers, fold, then publish once: views, outbox, status, mutations. Listeners run after
 * everything has changed, so that a listener of one never sees another half-way.
 */
import type { QueryCacheNotifyEvent } from '@tanstack/query-core'
import { notifyManager } from '@tanstack/query-core'
import { SyncError } from '../base/errors'
import { guard } from '../base/guard'
import type { Located } from '../data/entities'
import type { AnyObserver, Cell } from './cell'
import type { MutedListeners } from './muting'
import { mute, unmute } from './muting'

/** Runs `publish`, and must have called it when it returns. `isOwn`: the reason is a write of this client. */
export type PublishWrap = (publish: () => void, isOwn: boolean) => void

/** Called inside a transition: these rows may be others at its end, or all of the query. */
export type RowListener = (of: Iterable<string> | Cell) => void

/** A change of a query, as the cache announces it. */
export type UpdatedEvent = Extract<QueryCacheNotifyEvent, { type: 'updated' }>

export interface Transitions {
  /** Runs `run` as one transition; nested calls join the outer one. */
  transition<T>(run: () => T): T
  /** Inside a transition: this query is about to change. `names`: only these rows in it (kind and id); else all may. */
  touch(cell: Cell, names?: Iterable<string>): void
  /** Inside a transition: these rows may be others, in a query or with no query that has them. */
  rowsMoved(of: Iterable<string> | Cell): void
  /** Who watches rows: hears what may have changed when that begins. */
  readonly rowListeners: Set<RowListener>
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
  /** A query was touched. `true`: what it shows is, or may be, another. */
  fold: (cell: Cell) => boolean
  viewOf: (cell: Cell) => Located
  /** Queries have been folded: what is reflected now? */
  folded: () => void
}

/** One transition, until it is published. */
interface Open {
  isOwn: boolean
  /** Queries that have changed since they were folded. */
  dirty: Set<Cell>
  whenSettled: Array<() => void>
  later: Array<() => void>
  readonly announced: Set<() => void>
  readonly updates: UpdatedEvent[]
  readonly muted: Map<AnyObserver, MutedListeners>
}

const open = (): Open => ({
  isOwn: false,
  dirty: new Set(),
  whenSettled: [],
  later: [],
  announced: new Set(),
  updates: [],
  muted: new Map(),
})

export function createTransitions(deps: TransitionDeps): Transitions {
  let depth = 0
  let now = open()
  const wraps = new Set<PublishWrap>()
  const viewListeners = new Set<(event: UpdatedEvent) => void>()
  const rowListeners = new Set<RowListener>()
  const rowsMoved = (of: Iterable<string> | Cell): void => {
    for (const listener of rowListeners) listener(of)
  }

  function commit(): void {
    const done = now
    const changed = new Set<Cell>()
    const views = new Set<Cell>()
    // A recipe that throws, or a callback of the cache, may not leave the transition open.
    let notify: Array<() => void> = []
    try {
      while (done.dirty.size > 0 || done.whenSettled.length > 0) settleAll(deps, done, changed, views)
    } finally {
      done.dirty = new Set()
      done.whenSettled = []
      notify = unmute(done.muted, changed)
      depth = 0
    }
    now = open()
    publish(deps, wraps, done.isOwn, [
      ...notify,
      ...eventsOf(deps, views, done.updates, viewListeners),
      ...done.announced,
    ])
    for (const call of done.later) call()
  }

  return {
    wraps,
    viewListeners,
    rowListeners,
    rowsMoved,
    transition(run) {
      depth++
      try {
        return run()
      } finally {
        if (depth === 1) commit()
        else depth--
      }
    },
    touch(cell, names) {
      if (depth === 0) throw new Error('A base changed outside of a transition.')
      rowsMoved(names ?? cell)
      if (now.dirty.has(cell)) return
      now.dirty.add(cell)
      for (const observer of cell.query.observers as unknown as AnyObserver[]) mute(now.muted, observer)
    },
    isAboutOwn() {
      now.isOwn = true
    },
    settled: (run) => void now.whenSettled.push(run),
    afterwards: (run) => void now.later.push(run),
    announce(tell, own = false) {
      if (depth === 0) return publish(deps, wraps, own, [tell])
      now.announced.add(tell)
      now.isOwn ||= own
    },
    updated(event) {
      if (depth > 0) now.updates.push(event)
      else for (const listener of [...viewListeners]) listener(event)
    },
  }
}

/** Folds what has changed; then those who wait for it, who may change more. */
function settleAll({ fold, folded }: TransitionDeps, now: Open, changed: Set<Cell>, views: Set<Cell>): void {
  const { dirty, whenSettled } = now
  now.dirty = new Set()
  now.whenSettled = []
  for (const cell of dirty) {
    changed.add(cell)
    if (fold(cell)) views.add(cell)
  }
  if (dirty.size > 0) folded()
  for (const run of whenSettled) run()
}

/** Everything in one batch of query-core, inside the wraps of the adapters. */
function publish(
  { report }: TransitionDeps,
  wraps: ReadonlySet<PublishWrap>,
  own: boolean,
  calls: ReadonlyArray<() => void>,
): void {
  if (calls.length === 0) return
  // Somebody's subscriber that throws stops neither the others nor what follows here.
  const guarded = (run: () => void): void =>
    void guard(run, (cause) =>
      report(new SyncError('usage', 'A subscriber threw; the others are told, and everything goes on.', { cause })),
    )
  const tellAll = (): void => notifyManager.batch(() => calls.forEach(guarded))
  guarded([...wraps].reduce<() => void>((inner, wrap) => () => wrap(inner, own), tellAll))
}

/** The calls that tell of changed queries: what query-core announced, and views that changed without it. */
function eventsOf(
  { viewOf }: TransitionDeps,
  views: ReadonlySet<Cell>,
  updates: readonly UpdatedEvent[],
  listeners: ReadonlySet<(event: UpdatedEvent) => void>,
): Array<() => void> {
  if (listeners.size === 0) return []
  const told = new Set(updates.map(({ query }) => query))
  const others = [...views].filter(({ query }) => !told.has(query))
  const events = [...updates, ...others.map((cell) => viewEvent(cell.query, () => viewOf(cell).data))]
  return events.flatMap((event) => [...listeners].map((listener) => () => listener(event)))
}

/** Says that what a query shows is another; `read`: what it is, for who looks. */
export function viewEvent(query: Cell['query'], read: () => unknown): UpdatedEvent {
  const state = {
    get data() {
      return read()
    },
  }
  return { type: 'updated', query, action: { type: 'setState', state } }
}
