/**
 * Rows of declared lists in a fold: each is changed by all that is live, and then put where it belongs, once. What a base
 * says of membership and order stands for every row that nothing live changes.
 */
import type { RowId } from '../base/messages'
import { rowName } from '../base/rows'
import type { Entity, Located, Place, RowList, Shifts } from './entities'
import { find } from './entities'
import type { Moved, Turn } from './moved'
import { turnsOf } from './moved'
import type { InsertPosition } from './recipes'
import { belongs, isDeclared, order, placeIn } from './rules'

/** Whether rows of this kind have places by a rule. */
export function hasDeclared({ lists }: Located, type: string): boolean {
  return lists.some((list) => isDeclared(list) && list.entity.type === type)
}

/** Whether only the server knows which rows of this kind are in a list. */
export function hasUndeclared({ lists }: Located, type: string): boolean {
  return lists.some((list) => !list.single && !isDeclared(list) && list.entity.type === type)
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
  // A page that loses a row is followed by others that begin earlier; of a list without a rule only the server knows what
  // comes in its place.
  if (after === undefined) {
    const isPaged = located.shape?.infinite === true && places.length > 0 && lists.length > 0
    return isPaged || hasUndeclared(located, type) ? 'unplaceable' : stands
  }
  if (lists.length === 0) return stands
  const chains = new Map<string, RowList>()
  for (const list of lists) chains.set(list.chain, list)
  for (const [chain, list] of chains) {
    if (!isDeclared(list)) return 'unplaceable'
    const place = places.filter((each) => located.lists[each.list]?.chain === chain).at(-1)
    if (place === undefined && isBeyond(located, list, after)) continue
    if ((place !== undefined) !== belongs(list, after)) return 'unplaceable'
    const before = place === undefined ? undefined : located.lists[place.list]?.rows[place.at]
    if (place !== undefined && order(list, before, after) !== 0) return 'unplaceable'
  }
  return stands
}

/** Whether a row that no loaded page has stands behind them all. `list`: the last page. */
function isBeyond({ open }: Located, list: RowList, row: unknown): boolean {
  return open.end && list.rows.length > 0 && order(list, row, list.rows.at(-1)) > 0
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
  const turns: Turn[] = []
  const standing = new Map<Moved, readonly Copy[]>()
  for (const each of rows) {
    if (each.entity.type !== first.entity.type) continue
    const everywhere = find(located, each.entity.type, each.id)
    const from = everywhere.filter(({ list }) => chain.includes(list))
    const place = from.at(-1)
    const way = turnsOf(first, each, place !== undefined)
    const stays = place !== undefined && staysIn(located.lists[place.list] as RowList, each.before, each.row)
    if (stays && (isOrdered || way.turns.length === 0)) {
      if (!Object.is(located.lists[place.list]?.rows[place.at], each.row)) own(place.list)[place.at] = each.row
      continue
    }
    if (place === undefined && !way.isIn && (isOrdered || way.turns.length === 0)) continue
    standing.set(
      each,
      from.map((spot) => ({ ...spot, row: located.lists[spot.list]?.rows[spot.at] })),
    )
    if (!isOrdered) turns.push(...way.turns)
    else if (way.isIn) turns.push({ moved: each, number: 0, at: 'end', row: each.row })
    note(shifts, each, (known) => (known.length > 0 ? known : everywhere).filter((spot) => !from.includes(spot)))
    shifts.drift += from.length + way.turns.length
  }
  // By an order all leave first: where one goes does not depend on where the others were.
  if (isOrdered) {
    takeOut(target, [...standing.values()].flat())
    for (const each of standing.keys()) standing.set(each, [])
  }
  for (const turn of turns.sort((a, b) => a.number - b.number)) {
    if (!isOrdered) takeOut(target, standing.get(turn.moved) ?? [])
    const place = turn.at === undefined ? undefined : enter(target, turn)
    standing.set(turn.moved, place === undefined ? [] : [{ ...place, row: turn.row }])
  }
  for (const [each, copies] of standing)
    note(shifts, each, (known) => [...known, ...copies.map(({ list, at }) => ({ list, at }))])
}

/** A copy of a row, and where it was last seen: others may have come before it since. */
interface Copy extends Place {
  readonly row: unknown
}

function takeOut({ own }: Target, copies: readonly Copy[]): void {
  // From the end, so that earlier positions stay true.
  for (const { list, at, row } of [...copies].sort((a, b) => b.list - a.list || b.at - a.at)) {
    const rows = own(list)
    rows.splice(rows[at] === row ? at : rows.indexOf(row), 1)
  }
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

/** Between its neighbours; beyond the loaded rows only where nothing else comes. */
function enter(target: Target, { row, at, moved }: Turn): Place | undefined {
  const { located, chain, own, rowsOf } = target
  const { open } = located
  const isOrdered = listAt(target, 0).rule?.orderBy !== undefined
  const spot = isOrdered ? spotByOrder(target, row) : spotAt(target, at ?? 'end', moved.entity)
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
