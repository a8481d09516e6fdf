// What does not hold yet, each case with the sentence of section 11 that it breaks.
import { expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { changing, doneItems, item, load, openItems } from '../kit/lists'
import { at, put, ranks, scripted } from './scripted'

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
