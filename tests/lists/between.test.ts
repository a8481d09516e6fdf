// Own changes between those of others: on a list that waits for its read, ahead of the stream, and before it has said all.
import { expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { allShown, changing, doneItems, item, load, oneItem, openItems, shown } from '../kit/lists'
import { at, del, merge, put, ranks, scripted } from './scripted'

const asItem = (id: string, more: Partial<Item>): Item => item(id, { version: 2, ...more })
const ranksWith = (...rows: Item[]): Item[] =>
  ranks()
    .map((row) => rows.find(({ id }) => id === row.id) ?? row)
    .filter(({ done }) => !done)
    .sort((a, b) => a.rank - b.rank)

async function begin(mutation = changing()) {
  const world = await scripted(mutation)
  const open = await load<Item[]>(world, openItems, '/open', ranks(), at(0))
  const serve = async (rows: Item[], position: number) => {
    for (let n = 0; n < 4; n++) {
      await world.settle()
      for (const get of world.net.waiting.filter(({ method }) => method === 'GET')) await get.answer(rows, at(position))
      await world.advance(1_500)
    }
  }
  const isLeft = () => world.sync.outbox.getState().entries.length === 0
  return { ...world, open, serve, isLeft, frames: () => allShown(open, shown).slice(2) }
}

test.each([true, false])('an own change in its place on a list that waits for a read (apply: %s)', async (hasApply) => {
  const world = await begin(changing(hasApply ? {} : { apply: undefined }))
  await world.stream.patch(1, [put(asItem('b', { rank: 9 }))], { mutations: [] })
  const { id } = world.write({ op: 'count', id: 'a' })
  const a = asItem('a', { n: 1 })
  await world.confirm(2, hasApply ? [a] : undefined)
  await world.stream.patch(2, [put(a)], { mutations: [id] })
  await world.answer('/open', ranksWith(asItem('b', { rank: 9 })), 1)
  await world.serve(ranksWith(asItem('b', { rank: 9 }), a), 2)
  expect(world.frames()).toEqual(['a#1 b2 c3 d4', 'a#1 c3 d4 b9'])
  expect([world.isLeft(), world.reads('/open') <= 3]).toEqual([true, true])
})

test.each([
  ['put', (row: Item) => put(row)],
  ['merge', (row: Item) => merge(row.id, 1, { n: row.n })],
])(
  'others change a row in its place (%s) while an own move of it lives: base has theirs, the view both',
  async (_, tell) => {
    const world = await begin()
    const { id } = world.write({ op: 'set', id: 'b', to: { rank: 9 } })
    await world.stream.patch(1, [tell(asItem('b', { rank: 2, n: 5 }))], { mutations: [] })
    expect([world.frames(), world.reads('/open')]).toEqual([['a c3 d4 b9', 'a c3 d4 b9#5'], 1])
    const b = item('b', { rank: 9, n: 5, version: 3 })
    await world.confirm(2, [b])
    await world.stream.patch(2, [put(b)], { mutations: [id] })
    await world.serve(ranksWith(b), 2)
    expect([world.frames(), world.reads('/open'), world.isLeft()]).toEqual([['a c3 d4 b9', 'a c3 d4 b9#5'], 2, true])
  },
)

test('an own move ahead of the stream, and others move another row before it: both are there at the end', async () => {
  const world = await begin()
  const { id } = world.write({ op: 'set', id: 'b', to: { rank: 9 } })
  const [b, d] = [asItem('b', { rank: 9 }), asItem('d', { rank: 0 })]
  await world.confirm(2, [b])
  await world.stream.patch(1, [put(d)], { mutations: [] })
  await world.stream.patch(2, [put(b)], { mutations: [id] })
  await world.serve(ranksWith(b, d), 2)
  expect(world.frames()).toEqual(['a c3 d4 b9', 'd0 a c3 b9'])
  expect([world.isLeft(), world.reads('/open')]).toEqual([true, 2])
})

test('others delete a row whose own change was just confirmed: it is gone and stays so', async () => {
  const world = await begin()
  world.write({ op: 'set', id: 'b', to: { rank: 9 } })
  await world.confirm(1, [asItem('b', { rank: 9 })])
  await world.stream.patch(1, [put(asItem('b', { rank: 9 }))], { mutations: [] })
  await world.stream.patch(2, [del('b', 3)], { mutations: [] })
  await world.serve(
    ranks().filter(({ id }) => id !== 'b'),
    2,
  )
  expect(world.frames()).toEqual(['a c3 d4 b9', 'a c3 d4'])
  expect(world.isLeft()).toBe(true)
})

test('a deletion overtakes the answer: the row that it brings is not put back', async () => {
  const world = await begin()
  const done = await load<Item[]>(world, doneItems, '/done', ranks(), at(0))
  const detail = await load<Item>(world, oneItem('b'), '/items/b', item('b', { rank: 2 }), at(0))
  world.write({ op: 'count', id: 'b' })
  await world.settle()
  await world.stream.patch(1, [put(asItem('b', { rank: 2, n: 1 }))])
  await world.stream.patch(2, [del('b', 3)])
  await world.confirm(1, [asItem('b', { rank: 2, n: 1 })])
  expect([shown(world.open.data), shown(done.data), detail.data]).toEqual(['a c3 d4', 'a c3 d4', undefined])
})

test('a row that comes by an own change and that others have taken in differently ends as theirs', async () => {
  const world = await begin(changing({ apply: undefined }))
  await load(world, oneItem('e'), '/items/e', item('e', { done: true, rank: 2.5 }), at(0))
  const { id } = world.write({ op: 'set', id: 'e', to: { done: false } })
  const theirs = asItem('e', { done: true, rank: 8 })
  await world.stream.patch(1, [put(theirs)], { mutations: [] })
  // The copy is that of the moment of the write, whatever its lender is told since.
  expect(shown(world.open.data)).toBe('a b2 e2.5 c3 d4')
  const ours = item('e', { rank: 8, version: 3 })
  await world.confirm(2)
  await world.stream.patch(2, [put(ours)], { mutations: [id] })
  await world.serve([...ranks(), ours], 2)
  expect(world.frames()).toEqual(['a b2 e2.5 c3 d4', 'a b2 c3 d4 e8'])
  expect([world.isLeft(), world.reads('/open')]).toEqual([true, 2])
})

test('an invalidation while an own move is on its way: what the read lacks is still shown', async () => {
  const world = await begin(changing({ apply: undefined }))
  world.write({ op: 'set', id: 'b', to: { rank: 9 } })
  await world.stream.invalidate(1, [['items']], { mutations: [] })
  await world.answer('/open', ranksWith(asItem('c', { rank: 3, n: 1 })), 1)
  await world.confirm(2)
  await world.serve(ranksWith(asItem('b', { rank: 9 }), asItem('c', { rank: 3, n: 1 })), 2)
  expect(world.frames()).toEqual(['a c3 d4 b9', 'a c3#1 d4 b9'])
})
