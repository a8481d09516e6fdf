/** Positions of rows in lists without a rule: a number counts over all lists of the query (pages). */
import type { RowList } from './entities'
import type { InsertPosition } from './recipes'

/** The list in which the position `at`, counted over all lists of the query (pages), lies. */
export function listAt(
  lists: readonly RowList[],
  candidates: readonly number[],
  at: 'start' | number,
): number | undefined {
  if (at === 'start') return candidates[0]
  let before = 0
  for (const candidate of candidates) {
    before += lists[candidate]?.rows.length ?? 0
    if (at <= before) return candidate
  }
  return candidates.at(-1)
}

/** Where in a list of `length` rows; `before`: how many stand in the lists before it, which numbers count too. */
export function positionIn(at: InsertPosition, length: number, before: number, anchor: number | undefined): number {
  if (at === 'start') return 0
  if (typeof at === 'number') return Math.min(Math.max(0, at - before), length)
  if (typeof at === 'object' && anchor !== undefined) return 'before' in at ? anchor : anchor + 1
  return length
}
