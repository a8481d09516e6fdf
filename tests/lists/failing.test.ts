// What does not hold yet, each case with the sentence of section 11 that it breaks.
import { expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { changing, doneItems, item, load, openItems, rankedItems, shown } from '../kit/lists'
import { at, merge, put, ranks, scripted } from './scripted'

const without = changing({ apply: undefined })

// 'Own writes once when their scope is idle (an event at the position of an own confirmation counts as own).' The echo of the
// first write comes after its answer, while the second is on its way: it is taken for a push, and the list is read at once.
test('an echo that comes after its answer, while the scope is busy, waits for the scope as its write does', async () => {
  const world = await scripted(without)
  await load<Item[]>(world, openItems, '/open', ranks(), at(0))
  const first = world.write({ op: 'set', id: 'b', to: { rank: 9 } })
  world.write({ op: 'set', id: 'c', to: { rank: 8 } })
  await world.confirm(1)
  await world.stream.patch(1, [put(item('b', { rank: 9, version: 2 }))], { mutations: [first.id] })
  expect(world.reads('/open')).toBe(1)
})

// 'Rollback is the fold without the layer, so it is exact by construction; equal rows keep their reference, equal lists too.'
// The rows are those from before, the list is another one that equals it.
test.each([
  ['declared', openItems, '/open'],
  ['undeclared', doneItems, '/done'],
])('a refused change of a row in its place leaves the list that was: %s', async (_, query, url) => {
  const world = await scripted(without)
  const list = await load<Item[]>(world, query, url, ranks(), at(0))
  const before = list.data
  world.write({ op: 'count', id: 'b' }).confirmed.catch(() => {})
  await world.refuse()
  expect(list.data).toEqual(before)
  expect(list.data).toBe(before)
})

// 'A merge takes its old value from any base of that version.' Queries take an event one after another: the one that lends the
// row has it at the new version when the next one asks, so the list is read for a row that it neither has nor takes.
test('a merge of a row that another list has, and that this one does not take, costs it nothing', async () => {
  const world = await scripted(without)
  const c = item('c', { done: true, rank: 3 })
  const ranked = await load<Item[]>(world, rankedItems, '/ranked', [item('a'), c], at(0))
  await load<Item[]>(world, openItems, '/open', [item('a')], at(0))
  await world.stream.patch(1, [merge('c', 1, { n: 1 })])
  expect([shown(ranked.data), world.reads('/ranked'), world.reads('/open')]).toEqual(['a c✓3#1', 1, 1])
})
