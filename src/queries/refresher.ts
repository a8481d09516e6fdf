/**
 * Reads that Tidemark itself wants: what is watched and stale, or was discarded. At most one on its way per query; with
 * backoff when one did not help; without a last time.
 */
import { isOpen } from '../evidence/evidence'
import type { Cell, Owned, RefresherPart, When } from './cell'
import { isReading, isWatched } from './cell'
import type { Core } from './core'
import { isRepeatable } from './placements'

export interface Refresher {
  /** Asks for a read of the query, if somebody watches it; after a failure not at once. */
  want(cell: Cell, when?: When, hasFailed?: boolean): void
  /** Asks for the reads that were wanted for later. */
  readOwed(): void
  /** A read ended: makes the next one if one is wanted. */
  next(cell: Cell | undefined): void
  /** {@link want}, at a random moment within so many milliseconds. */
  wantWithin(cell: Cell, milliseconds: number): void
  /** The server, or the network, is back: reads that wait because the last ones failed, or did not help, are made now. */
  wake(cells: Iterable<Cell>): void
  /** Resolves when the reads that these queries want are back, whatever they brought. */
  settled(cells: readonly Cell[]): Promise<void>
  /** Forgets a query that left the cache. */
  forget(cell: Cell): void
  stop(): void
}

/** Milliseconds between two reads that are made for pushes alone. */
const PACE = 1000

/** Delay before the n-th read in a row that did not help. */
const STEPS = [0, 0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000]
/** The step of those that the first read after a failure waits for. */
const AFTER_FAILURE = 4

const own = (cell: Cell): Owned<RefresherPart> => cell

/** A read has brought all that was to be had: what was asked for while it was on its way, it has brought. */
export function satisfy(cell: Cell): void {
  if (cell.held.length === 0) wantNothing(cell)
  // A further page that cannot be told what it contains is asked for again and again: with pauses.
  if (cell.further === undefined) own(cell).fruitless = 0
  else own(cell).wanted = true
}

/** The read of a further page was not taken: it is asked for again, after a read of all if that is stale. */
export function wantFurther(cell: Cell, further: Cell['further']): void {
  if (further !== undefined) own(cell).further = further
}

function wantNothing(cell: Cell): void {
  const owned = own(cell)
  owned.wanted = false
  owned.isPaced = false
}

/** Somebody waits for the query's view without watching it; returns what ends that. */
export function awaitView(cell: Cell): () => void {
  own(cell).awaited++
  return () => void own(cell).awaited--
}

export function createRefresher(core: Core): Refresher {
  const resting: Resting = new Map()
  const owed = new Set<Cell>()
  const gather = gatherer(core, (cell) => next(cell))
  let stopped = false

  function want(cell: Cell, when: When = 'now', hasFailed = false): void {
    if (when === 'later') {
      owed.add(cell)
      return
    }
    note(cell, when, hasFailed)
    if (!cell.isPaced && resting.get(cell) === 'paced') rouse(resting, cell)
    gather(cell)
  }

  function next(cell: Cell | undefined): void {
    if (cell === undefined || stopped || !mayRead(cell)) return
    const isAwaited = cell.arrival !== undefined || cell.awaited > 0
    if (!isAwaited && !isWatched(cell)) {
      wantNothing(cell) // stale is enough: it is read when it is watched again
      return
    }
    if ((cell.query.isDisabled() && !isAwaited) || mustWait(core, cell)) return
    const early = restOfPace(core, cell)
    if (early > 0) {
      rest(cell, 'paced', early, () => next(cell))
      return
    }
    const delay = STEPS[Math.min(cell.fruitless, STEPS.length - 1)] ?? 0
    own(cell).fruitless++
    if (delay === 0) read(cell)
    else {
      rest(cell, 'fruitless', delay * (0.75 + core.random.next() / 2), () => {
        if (!cell.removed && !stopped && !isReading(cell)) read(cell)
      })
    }
  }

  function rest(cell: Cell, why: 'fruitless' | 'paced', milliseconds: number, run: () => void): void {
    resting.set(cell, why)
    after(core, cell, milliseconds, () => {
      resting.delete(cell)
      run()
    })
  }

  return {
    want,
    next,
    readOwed() {
      for (const cell of owed) if (cell.staleness.isStale && !cell.removed) want(cell)
      owed.clear()
    },
    wantWithin(cell, milliseconds) {
      if (cell.cancelTimer !== undefined || !isWatched(cell)) return
      after(core, cell, core.random.next() * milliseconds, () => next(cell))
    },
    wake(cells) {
      for (const cell of cells) {
        own(cell).fruitless = 0
        if (resting.get(cell) !== 'fruitless') continue
        rouse(resting, cell)
        want(cell)
      }
    },
    async settled(cells) {
      await Promise.resolve()
      await Promise.all(cells.filter(isWatched).map((cell) => cell.query.promise?.then(undefined, () => {})))
    },
    forget(cell) {
      own(cell).removed = true
      rouse(resting, cell)
    },
    stop() {
      stopped = true
      for (const cell of core.cells.values()) cancel(cell)
    },
  }
}

/** Calls back for each query once, as soon as this turn is over. */
function gatherer({ clock }: Core, run: (cell: Cell) => void): (cell: Cell) => void {
  let queued = new Set<Cell>()
  return (cell) => {
    queued.add(cell)
    if (queued.size > 1) return
    clock.soon(() => {
      const due = queued
      queued = new Set()
      for (const each of due) run(each)
    })
  }
}

/** Those whose next read waits for its time: the last ones did not help, or were for pushes a moment ago. */
type Resting = Map<Cell, 'fruitless' | 'paced'>

function rouse(resting: Resting, cell: Cell): void {
  resting.delete(cell)
  cancel(cell)
}

/** A read is wanted; of two reasons the more pressing one counts. */
function note(cell: Cell, when: When, hasFailed: boolean): void {
  const owned = own(cell)
  owned.isPaced = when === 'paced' && (owned.isPaced || !owned.wanted)
  owned.wanted = true
  if (hasFailed) owned.fruitless = Math.max(owned.fruitless, AFTER_FAILURE)
}

/** Milliseconds that a read for pushes still has to wait; at 0 it is the one that the next ones wait for. */
function restOfPace({ clock }: Core, cell: Cell): number {
  if (!cell.isPaced) return 0
  const now = clock.now()
  const left = cell.pacedAt + PACE - now
  if (left <= 0) own(cell).pacedAt = now
  return left
}

function after({ clock }: Core, cell: Cell, milliseconds: number, run: () => void): void {
  own(cell).cancelTimer = clock.after(milliseconds, () => {
    own(cell).cancelTimer = undefined
    run()
  })
}

function read(cell: Cell): void {
  const { query, further, staleness } = cell
  wantNothing(cell)
  const isFurther = further !== undefined && !staleness.isStale
  if (isFurther) own(cell).further = undefined
  const direction = further === 'start' ? 'backward' : 'forward'
  query.fetch(undefined, isFurther ? { meta: { fetchMore: { direction } } } : undefined).then(undefined, () => {})
}

function cancel(cell: Cell): void {
  cell.cancelTimer?.()
  own(cell).cancelTimer = undefined
}

function mayRead(cell: Cell): boolean {
  return cell.wanted && !cell.removed && cell.cancelTimer === undefined && !isReading(cell)
}

/** Without cursors a read that overlaps an open mutation may have to be discarded, so it waits for the outcome. */
function mustWait({ drafts }: Core, cell: Cell): boolean {
  const { mode, placements, base } = cell
  // Without a base there is nothing to try it on; a read that is wanted then, is wanted because one was discarded.
  return (
    mode === 'fence' &&
    placements.some(
      (placement) =>
        isOpen(placement.layer) && (base === undefined || !isRepeatable(placement, () => cell.baseLocated, drafts)),
    )
  )
}

/** Whether news of the query waits for the outcome of a mutation. */
export function isWaiting(core: Core, cell: Cell): boolean {
  return cell.held.length > 0 || (cell.staleness.isStale && mustWait(core, cell))
}
