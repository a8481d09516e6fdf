// Pages of several positions: what each of them contains and knows is asked of the page.
import { describe, expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { change, DECLARED, paged, six } from './paged'
import { put } from './scripted'

const only = (rows: readonly Item[], id: string) => rows.filter((row) => row.id === id).map(put)

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
