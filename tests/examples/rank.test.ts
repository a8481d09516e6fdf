// Places in the demo's list: there is always room, and always in the right place.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareRanks, rankAt, rankBetween } from '../../examples/board/rank.ts'
import { rankAfterMove } from '../../examples/board/rows.ts'

const rank = fc.stringMatching(/^[0-9a-z]{0,4}[1-9a-z]$/)

test('a rank between two lies between them, and leaves room on both sides', () => {
  fc.assert(
    fc.property(fc.option(rank, { nil: undefined }), fc.option(rank, { nil: undefined }), (a, b) => {
      fc.pre(a === undefined || b === undefined || a !== b)
      const [low, high] = a !== undefined && b !== undefined && a > b ? [b, a] : [a, b]
      const found = rankBetween(low, high)
      expect(low === undefined || low < found).toBe(true)
      expect(high === undefined || found < high).toBe(true)
      expect(found).toMatch(/^[0-9a-z]*[1-9a-z]$/)
    }),
  )
})

test('a row is where it was moved to, after any moves and with ranks that are equal', () => {
  const moves = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 60 })
  fc.assert(
    fc.property(fc.array(rank, { minLength: 6, maxLength: 6 }), moves, (ranks, steps) => {
      const rows = ranks.map((text, at) => ({ id: `t${at}`, rank: text }))
      for (const [from, to] of steps) {
        rows.sort(compareRanks)
        const row = rows[from]
        if (row === undefined) continue
        const others = rows.filter((other) => other !== row)
        // Between two of the same rank there is no place: it goes behind the last of them.
        const before = others[to - 1]?.rank
        const expected = before === undefined ? 0 : others.filter((other) => other.rank <= before).length
        row.rank = rankAt(rows, row.id, to)
        rows.sort(compareRanks)
        expect(rows.indexOf(row)).toBe(expected)
      }
    }),
  )
})

test('among the tasks that are shown a task goes where it is put, and stays behind or before those that are not', () => {
  const all = ['a', 'B', 'c', 'D', 'e'].map((id, at) => ({
    id,
    title: id,
    done: id < 'a',
    rank: `${at + 1}`,
    version: 1,
  }))
  const shown = all.filter(({ done }) => !done)
  const after = (id: string, to: number) => {
    const rank = rankAfterMove({ all, shown }, id, to)
    const moved = all.map((task) => (task.id === id && rank !== undefined ? { ...task, rank } : task))
    return moved
      .sort(compareRanks)
      .map((task) => task.id)
      .join('')
  }
  expect(after('a', 1)).toBe('BcaDe')
  expect(after('a', 2)).toBe('BcDea')
  expect(after('e', 1)).toBe('aBecD')
  expect(after('c', 0)).toBe('caBDe')
  expect(rankAfterMove({ all, shown }, 'c', 1)).toBeUndefined()
  expect(rankAfterMove({ all, shown }, 'e', 3)).toBeUndefined()
  expect(rankAfterMove({ all, shown }, 'B', 0)).toBeUndefined()
})
