/** Bases that wait for the outcomes of mutations that were open when they arrived. */
import type { Base, Held, Layer } from '../evidence/evidence'
import { byPosition, isOlder } from '../evidence/order'
import type { Cell, Owned, WaitingPart } from './cell'

const own = (cell: Cell): Owned<WaitingPart> => cell

/** The first and the newest waiting base are kept: the first is released soonest, the newest is the one to end at. */
export function hold(cell: Cell, held: Held): void {
  const all = [...cell.held, held].sort(byPosition)
  own(cell).held = all.filter((_, at) => at === 0 || at === all.length - 1)
}

/** It waits no longer. */
export function letGo(cell: Cell, held: Held): void {
  own(cell).held = cell.held.filter((other) => other !== held)
}

/** Nothing waits any more. */
export function clearWaiting(cell: Cell): void {
  own(cell).held = []
}

/** After a new base: what waits contains what that is known to contain, and what is not newer waits in vain. */
export function follow(cell: Cell, base: Base): void {
  for (const held of cell.held) for (const id of base.has) if (held.wait.delete(id)) held.has.add(id)
  const isNews = (held: Held): boolean => !isOlder(held, base) && (held.at === undefined || held.at !== base.at)
  own(cell).held = cell.held.filter(isNews)
}

/** The newest that waits for nothing any more; it is taken out. */
export function takeReady(cell: Cell): Held | undefined {
  const ready = cell.held.filter((held) => held.wait.size === 0).at(-1)
  if (ready !== undefined) letGo(cell, ready)
  return ready
}

/** It is known whether it contains the mutation: it does not wait for that any more. */
export function noteKnown(held: Held, { id }: Layer, contains: boolean): void {
  held.wait.delete(id)
  if (contains) held.has.add(id)
}
