// Pages of several positions: what each of them contains and knows is asked of the page.
import { describe, expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { item } from '../kit/lists'
import type { Paged } from './paged'
import { change, DECLARED, paged, six } from './paged'
import { put } from './scripted'

const only = (rows: readonly Item[], id: string) => rows.filter((row) => row.id === id).map(put)

/** No frame has a row twice. */
function expectNoDoubles({ frames }: Paged): void {
  for (const frame of frames) {
    const ids = frame.split(/ \| | /).map((each) => each.charAt(0))
    expect(new Set(ids).size, frame).toBe(ids.length)
  }
}

describe.each(DECLARED)('%s', (kind) => {
  test('an event that a newer page knows is placed on the older ones only, and nothing is read', async () => {
    const list = await paged(kind)
    const first = change(change(six(), 'e', { n: 1 }), 'a', { n: 1 })
    const second = change(first, 'e', { n: 2 })
    list.more()
    await list.serve(second, 2)
    expect(list.shown).toBe('a b | c d | e#2 f')
    await list.stream.patch(1, [...only(first, 'e'), ...only(first, 'a')])
    expect(list.shown).toBe('a#1 b | c d | e#2 f')
    await list.stream.patch(2, only(second, 'e'))
    await list.stream.patch(3, only(change(second, 'f', { n: 3 }), 'f'))
    await list.advance(5_000)
    expect([list.shown, await list.serve(second, 3)]).toEqual(['a#1 b | c d | e#2 f#3', 0])
  })
})

test('by offset: an order that holds on each page, and not from one to the next of another position, is no fault', async () => {
  const list = await paged('by offset')
  const rows = change(six(), 'd', { rank: 4.5 })
  const later = change(rows, 'e', { rank: 4.2 })
  list.more()
  await list.serve(later, 2)
  await list.stream.patch(1, only(rows, 'd'))
  await list.stream.patch(2, only(later, 'e'))
  await list.serve(later, 2)
  await list.advance(5_000)
  await list.serve(later, 2)
  expect(list.reports.map(({ message }) => message)).toEqual([])
  expect(list.shown).toBe('a b | c e | d f')
})

test('by offset: a row that others moved on stands in two pages of base, and in the view once', async () => {
  const list = await paged('by offset')
  const rows = [item('x', { rank: 0.5 }), ...change(six(), 'd', { n: 1 })]
  list.more()
  await list.serve(rows, 2)
  expect(list.frames).toEqual(['a b | c | d#1 e'])
  await list.stream.patch(1, only(rows, 'x'))
  await list.stream.patch(2, only(rows, 'd'))
  await list.serve(rows, 2)
  await list.advance(5_000)
  await list.serve(rows, 2)
  expect(list.shown).toBe('x a | b c | d#1 e')
  expectNoDoubles(list)
})

test.each([
  ['b', 5.5, 'a c d e b f'],
  ['d', 4.5, 'a b c d e f'],
])(
  'by cursor: a row that others moved to a page that is loaded now is shown there alone: %s to %d',
  async (id, rank, end) => {
    const list = await paged('by cursor')
    const rows = change(six(), id, { rank })
    list.more()
    await list.serve(rows, 1)
    await list.stream.patch(1, only(rows, id))
    await list.serve(rows, 1)
    await list.advance(5_000)
    for (let pages = 0; pages < 3; pages++) {
      list.more()
      await list.serve(rows, 1)
    }
    expect([list.shown.replaceAll(' |', ''), list.reports]).toEqual([end, []])
    expectNoDoubles(list)
  },
)
