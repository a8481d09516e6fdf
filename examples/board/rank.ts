/** Places in a list as texts: between any two there is room for another, so a move writes one row. */

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
const BASE = DIGITS.length

/** A text that sorts after `before` and before `after`; `undefined` stands for the ends of the list. */
export function rankBetween(before: string | undefined, after: string | undefined): string {
  let rank = ''
  let isBelow = after === undefined // the digits so far are already below `after`
  for (let i = 0; ; i++) {
    const low = digitAt(before, i)
    const high = isBelow ? BASE : digitAt(after, i)
    if (high - low > 1) return rank + DIGITS[Math.floor((low + high) / 2)]
    rank += DIGITS[low]
    if (high > low) isBelow = true
  }
}

/** By rank, then by id: two people may have chosen the same place. */
export function compareRanks(a: { rank: string; id: string }, b: { rank: string; id: string }): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/** The rank that puts `id` at `index` of the sorted list. */
export function rankAt(sorted: readonly { rank: string; id: string }[], id: string, index: number): string {
  const others = sorted.filter((row) => row.id !== id)
  const before = others[index - 1]?.rank
  // Equal ranks leave no room between them: the next larger one is the other side.
  const after = others.slice(index).find(({ rank }) => before === undefined || rank > before)?.rank
  return rankBetween(before, after)
}

function digitAt(rank: string | undefined, index: number): number {
  const digit = rank?.[index]
  return digit === undefined ? 0 : DIGITS.indexOf(digit)
}
