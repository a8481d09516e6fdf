/**
 * Rows of declared lists in a fold: each is changed by all that is live, and then put where it belongs, once. What a base
 * says of membership and order stands for every row that nothing live changes.
 */
import type { RowId } from '../base/messages'
import { rowName } from '../base/rows'
import type { Entity, Located, Place, RowList, Shifts } from './entities'
import { find } from './entities'
import type { InsertPosition } from './recipes'
import { belongs, isDeclared, order, placeIn } from './rules'

/** A row that a fold changes, and that has no place yet. */
export interface Moved {
  readonly entity: Entity
  readonly id: RowId
  /** As it stands in the data; `undefined`: it is not there. */
  readonly before: unknown
  /** As it is now; `undefined`: there is none. */
  row: unknown
  /** What each live change made of it: a row that was not there enters only if one of them makes it belong. */
  readonly steps: Array<readonly [before: unknown, after: unknown]>
  /** Where it is wanted, in a list without an order. */
  at: InsertPosition | undefined
}

/** Whether rows of this kind have places by a rule. */
export function hasDeclared({ lists }: Located, type: string): boolean {
  return lists.some((list) => isDeclared(list) && list.entity.type === type)
}

/** Whether a change of a row leaves it where it stands in its list. */
export function staysIn(list: RowList, before: unknown, after: unknown): boolean {
  return after !== undefined && belongs(list, after) && order(list, before, after) === 0
}

/** What a change of one row is for a base, when the server says it. */
export type Fit =
  /** It changes the row where it stands, and nothing else. */
  | 'in place'
  /** The row is not there, and does not belong there. */
  | 'none'
  /** Rows come, go or move: where to, only a read tells. */
  | 'unplaceable'

/**
 * How a row that is now `after` (`undefined`: deleted) fits into a base: views move rows, bases never do. Throws what a rule
 * does.
 */
export function fitOf(located: Located, { type }: Pick<Entity, 'type'>, id: RowId, after: unknown): Fit {
  const places = find(located, type, id)
  if (located.shape?.infinite && places.length > 1) return 'unplaceable' // in two pages
  const stands = places.length > 0 ? 'in place' : 'none'
  const lists = located.lists.filter((list) => list.entity.type === type && !list.single)
  // A page that loses a row is followed by others that begin earlier.
  if (after === undefined)
    return lists.length > 0 && places.length > 0 && located.shape?.infinite ? 'unplaceable' : stands
  if (lists.length === 0) return stands
  const chains = new Map<string, RowList>()
  for (const list of lists) chains.set(list.chain, list)
  for (const [chain, list] of chains) {
    if (!isDeclared(list)) return 'unplaceable'
    const place = places.filter((each) => located.lists[each.list]?.chain === chain).at(-1)
    if ((place !== undefined) !== belongs(list, after)) return 'unplaceable'
    const before = place === undefined ? undefined : located.lists[place.list]?.rows[place.at]
    if (place !== undefined && order(list, before, after) !== 0) return 'unplaceable'
  }
  return stands
}

/** Lists, as a fold works on them. */
export interface Lists {
  readonly located: Located
  /** The rows of a list as they are now. */
  rowsOf(list: number): readonly unknown[]
  /** The same, to be changed in place. */
  own(list: number): unknown[]
}

/** Puts rows where they belong. Returns what that makes of the places of others. */
export function placeRows(lists: Lists, moved: Iterable<Moved>): Shifts {
  const rows = [...moved]
  const shifts = { drift: 0, moved: new Map<string, readonly Place[]>() }
  for (const chain of chainsOf(lists.located)) placeInChain({ ...lists, chain }, rows, shifts)
  return shifts
}

interface OpenShifts extends Shifts {
  drift: number
  readonly moved: Map<string, readonly Place[]>
}

/** The lists of one chain: one list, in pages. */
interface Target extends Lists {
  readonly chain: readonly number[]
}

function chainsOf({ lists }: Located): Iterable<number[]> {
  const chains = new Map<string, number[]>()
  for (const [at, list] of lists.entries()) {
    if (!isDeclared(list)) continue
    const chain = chains.get(list.chain)
    if (chain === undefined) chains.set(list.chain, [at])
    else chain.push(at)
  }
  return chains.values()
}

function placeInChain(target: Target, rows: readonly Moved[], shifts: OpenShifts): void {
  const { located, chain, own } = target
  const first = listAt(target, 0)
  const isOrdered = first.rule?.orderBy !== undefined
  const leaving: Place[] = []
  const entering: Moved[] = []
  for (const each of rows) {
    const { entity, id, before, row, at } = each
    if (entity.type !== first.entity.type) continue
    const everywhere = find(located, entity.type, id)
    const from = everywhere.filter(({ list }) => chain.includes(list))
    const place = from.at(-1)
    if (
      place !== undefined &&
      (isOrdered || at === undefined) &&
      staysIn(located.lists[place.list] as RowList, before, row)
    ) {
      if (!Object.is(located.lists[place.list]?.rows[place.at], row)) own(place.list)[place.at] = row
      continue
    }
    leaving.push(...from)
    note(shifts, each, (known) => (known.length > 0 ? known : everywhere).filter((spot) => !from.includes(spot)))
    if (place !== undefined ? row !== undefined && belongs(first, row) : enters(first, each)) entering.push(each)
  }
  // From the end, so that earlier positions stay true.
  leaving.sort((a, b) => b.list - a.list || b.at - a.at)
  for (const { list, at } of leaving) own(list).splice(at, 1)
  for (const each of entering) {
    const place = enter(target, each)
    if (place !== undefined) note(shifts, each, (known) => [...known, place])
  }
  shifts.drift += leaving.length + entering.length
}

/** Its places in all lists of the data are others now. */
function note(
  { moved }: OpenShifts,
  { entity, id }: Moved,
  change: (known: readonly Place[]) => readonly Place[],
): void {
  const name = rowName(entity.type, id)
  moved.set(name, change(moved.get(name) ?? []))
}

/** Whether a row that the list lacks belongs there: known from elsewhere in the data, or made so by a live change. */
function enters(list: RowList, { before, row, steps }: Moved): boolean {
  if (row === undefined || !belongs(list, row)) return false
  if (before !== undefined) return true
  return steps.some(
    ([earlier, later]) =>
      later !== undefined && belongs(list, later) && !(earlier !== undefined && belongs(list, earlier)),
  )
}

/** Between its neighbours; beyond the loaded rows only where nothing else comes. */
function enter(target: Target, { row, at, entity }: Moved): Place | undefined {
  const { located, chain, own, rowsOf } = target
  const { open } = located
  const isOrdered = listAt(target, 0).rule?.orderBy !== undefined
  const spot = isOrdered ? spotByOrder(target, row) : spotAt(target, at ?? 'end', entity)
  const list = chain[spot.page] as number
  if (open.end && spot.page === chain.length - 1 && spot.at === rowsOf(list).length) return undefined
  if (open.start && spot.page === 0 && spot.at === 0) return undefined
  own(list).splice(spot.at, 0, row)
  return { list, at: spot.at }
}

function spotByOrder({ located, chain, rowsOf }: Target, row: unknown): { page: number; at: number } {
  for (const [page, number] of chain.entries()) {
    const list = located.lists[number] as RowList
    const rows = rowsOf(number)
    if (page === chain.length - 1) return { page, at: placeIn(list, rows, row) }
    // Behind all of this page: before the first of the next one, if it is not behind that, too.
    if (rows.length > 0 && order(list, row, rows.at(-1)) < 0) return { page, at: placeIn(list, rows, row) }
  }
  return { page: 0, at: 0 }
}

function spotAt({ chain, rowsOf }: Target, at: InsertPosition, { idOf }: Entity): { page: number; at: number } {
  const last = chain.length - 1
  const end = { page: last, at: rowsOf(chain[last] as number).length }
  if (at === 'start') return { page: 0, at: 0 }
  if (at === 'end') return end
  const anchor = typeof at === 'object' ? String('before' in at ? at.before : at.after) : undefined
  let before = 0
  for (const [page, number] of chain.entries()) {
    const rows = rowsOf(number)
    if (typeof at === 'number') {
      if (at <= before + rows.length) return { page, at: Math.max(0, at - before) }
      before += rows.length
    } else {
      const found = rows.findIndex((row) => String(idOf(row)) === anchor)
      if (found >= 0) return { page, at: 'before' in at ? found : found + 1 }
    }
  }
  return end
}

function listAt({ located, chain }: Target, page: number): RowList {
  return located.lists[chain[page] as number] as RowList
}
