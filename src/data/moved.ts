/**
 * A row of a declared list that live changes make another: what each of them made of it, and so when it enters, moves and
 * leaves among the others. Each turn is taken as if its change were the last: folded one by one or all at once, the order is the same.
 */
import type { RowId } from '../base/messages'
import type { Entity, RowList } from './entities'
import type { InsertPosition } from './recipes'
import { belongs } from './rules'

/** A row that a fold changes, and that has no place yet. */
export interface Moved {
  readonly entity: Entity
  readonly id: RowId
  /** As it stands in the data; `undefined`: it is not there. */
  readonly before: unknown
  /** As it is now; `undefined`: there is none. */
  row: unknown
  /** What each live change made of it: a row that was not there enters only if one of them makes it belong. */
  readonly steps: RowStep[]
}

export interface RowStep {
  readonly before: unknown
  readonly after: unknown
  /** Of the change among all changes. */
  readonly number: number
  /** Where it puts the row, in a list without an order. */
  readonly at: InsertPosition | undefined
  /** It is there to move the row. */
  readonly isMove: boolean
  /** It puts the row into every list that takes it. */
  readonly brings: boolean
}

/** What a change does with a row in a list: it comes, goes to another place, or leaves (without `at`). */
export interface Turn {
  readonly moved: Moved
  readonly number: number
  readonly row: unknown
  readonly at: InsertPosition | undefined
}

/** The turns in which a row comes to be in the list (`isIn`) or not. `stands`: it is there before them. */
export function turnsOf(
  list: RowList,
  moved: Moved,
  stands: boolean,
): { readonly turns: Turn[]; readonly isIn: boolean } {
  const { row, steps, before: first } = moved
  const turns: Turn[] = []
  const fits = (value: unknown): boolean => value !== undefined && belongs(list, value)
  const take = (number: number, at?: InsertPosition, shown: unknown = row): unknown =>
    turns.push({ moved, number, at, row: shown })
  let isIn = stands
  let wanted: InsertPosition | undefined
  for (const { before, after, number, at, isMove, brings } of steps) {
    if (after === undefined || isMove) wanted = before === undefined ? undefined : at
    if (after === undefined) {
      if (isIn) take(number)
      isIn = false
    } else if (isIn ? isMove : fits(after) && (brings || !fits(before))) {
      take(number, at ?? wanted ?? 'end', row ?? after)
      isIn = true
    }
  }
  const last = steps.at(-1)?.number ?? 0
  const belongsNow = fits(row)
  if (isIn && !belongsNow) take(last)
  // It is known from elsewhere in the data, and was one that belongs here before.
  if (!isIn && belongsNow && first !== undefined) take(last, wanted ?? 'end')
  return { turns, isIn: belongsNow && (isIn || first !== undefined) }
}
