// Writers of lists together: at the same row, offline, refused in the middle, over lists that nobody watches.
import { describe, expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import {
  allShown,
  changing,
  doneItems,
  item,
  load,
  oneItem,
  openItems,
  orderedItems,
  rankedItems,
  shown,
} from '../kit/lists'
import { createWorld } from '../kit/world'
import { at, del, put, ranks, scripted } from './scripted'
import type { ServerName } from './servers'
import { stage } from './servers'

const asItem = (id: string, more: Partial<Item>): Item => item(id, { version: 2, ...more })
const ROWS = [item('a'), item('b', { rank: 2 }), item('c', { done: true, rank: 3 }), item('d', { rank: 4 })]

async function open(mutation = changing({ apply: undefined })) {
  const world = await scripted(mutation)
  const list = await load<Item[]>(world, openItems, '/open', ranks(), at(0))
  return { ...world, list, frames: () => allShown(list, shown).slice(2) }
}

test('others move the row back before the read: it goes once, and comes back once', async () => {
  const world = await open()
  const { id } = world.write({ op: 'set', id: 'b', to: { done: true } })
  await world.confirm(1)
  await world.stream.patch(1, [put(asItem('b', { rank: 2, done: true }))], { mutations: [id] })
  await world.stream.patch(2, [put(asItem('b', { rank: 2, version: 3 }))], { mutations: [] })
  for (let n = 0; n < 4; n++) {
    await world.advance(1_500)
    for (const get of [...world.net.waiting]) await get.answer(ranks(), at(2))
  }
  expect(world.frames()).toEqual(['a c3 d4', 'a b2 c3 d4'])
  expect(world.reads('/open')).toBeLessThanOrEqual(3)
})

test('others move a row that an own live change moves, too: the own one is shown, the order of the others is under it', async () => {
  const world = await open()
  world.write({ op: 'set', id: 'b', to: { rank: 9 } })
  await world.stream.patch(1, [put(asItem('b', { rank: 0, n: 5 }))], { mutations: [] })
  await world.answer('/open', [asItem('b', { rank: 0, n: 5 }), ...ranks().filter(({ id }) => id !== 'b')], 1)
  expect(world.frames()).toEqual(['a c3 d4 b9', 'a c3 d4 b9#5'])
})

test('others take out a row that an own live change moves: it is gone, and stays so', async () => {
  const world = await open()
  world.write({ op: 'set', id: 'b', to: { rank: 9 } })
  await world.stream.patch(1, [put(asItem('b', { rank: 2, done: true }))], { mutations: [] })
  await world.answer(
    '/open',
    ranks().filter(({ id }) => id !== 'b'),
    1,
  )
  await world.confirm(2)
  await world.advance(3_000)
  for (const get of [...world.net.waiting])
    await get.answer(
      ranks().filter(({ id }) => id !== 'b'),
      at(2),
    )
  expect(world.frames()).toEqual(['a c3 d4 b9', 'a c3 d4'])
})

test('others delete a row that an own live change moves: it is gone at once', async () => {
  const world = await open()
  world.write({ op: 'set', id: 'b', to: { rank: 9 } })
  await world.stream.patch(1, [del('b')], { mutations: [] })
  expect(world.frames()).toEqual(['a c3 d4 b9', 'a c3 d4'])
  expect(world.reads('/open')).toBe(1)
})

test('the middle one of three changes of a row is refused: the others stand on each other', async () => {
  const world = await open()
  world.write({ op: 'set', id: 'b', to: { rank: 3.5 } })
  world.write({ op: 'set', id: 'b', to: { done: true } }).confirmed.catch(() => {})
  world.write({ op: 'count', id: 'b' })
  expect(shown(world.list.data)).toBe('a c3 d4')
  await world.confirm(1)
  await world.refuse()
  expect(world.frames()).toEqual(['a c3 b3.5 d4', 'a c3 d4', 'a c3 b3.5#1 d4'])
})

test('a new row that is moved, and removed, before it is sent leaves nothing', async () => {
  const world = await open()
  const before = world.list.data
  world.write({ op: 'insert', row: item('e', { rank: 2.5 }) })
  world.write({ op: 'set', id: 'e', to: { rank: 0 } })
  world.write({ op: 'set', id: 'e', to: { done: true } })
  world.write({ op: 'set', id: 'e', to: { done: false } })
  world.write({ op: 'remove', id: 'e' })
  expect(world.frames()).toEqual(['a b2 e2.5 c3 d4', 'e0 a b2 c3 d4', 'a b2 c3 d4', 'e0 a b2 c3 d4', 'a b2 c3 d4'])
  expect(world.list.data).toBe(before)
})

test('several changes of one write are one frame', async () => {
  const world = await open()
  world.write(
    { op: 'set', id: 'b', to: { done: true } },
    { op: 'set', id: 'd', to: { rank: 0 } },
    { op: 'insert', row: item('e', { rank: 9 }) },
    { op: 'remove', id: 'a' },
  )
  expect(world.frames()).toEqual(['d0 c3 e9'])
})

test('upsert without a key replaces the row where it is, and enters where it is not', async () => {
  const world = await open()
  const done = await load<Item[]>(world, doneItems, '/done', [item('b', { rank: 2 })], at(0))
  world.write({ op: 'upsert', row: item('b', { rank: 3.5, n: 1 }) }, { op: 'upsert', row: item('e', { rank: 9 }) })
  expect([world.frames(), shown(done.data)]).toEqual([['a c3 b3.5#1 d4 e9'], 'b3.5#1'])
})

test('a row moved by hand stands there until the read says where it is', async () => {
  const world = await scripted(changing({ apply: undefined }))
  const list = await load<Item[]>(world, orderedItems, '/ordered', ranks(), at(0))
  world.write({ op: 'move', id: 'd', at: 'start' })
  await world.confirm(1)
  await world.stream.invalidate(1, [['items']], { mutations: [] })
  const [a, b, c, d] = ranks() as [Item, Item, Item, Item]
  await world.answer('/ordered', [d, a, b, c], 1)
  await world.advance(20_000)
  expect(allShown(list, shown).slice(2)).toEqual(['d4 a b2 c3'])
  expect(world.sync.outbox.getState().entries).toEqual([])
})

test('a list that nobody watches is read when somebody does, and shows the write before', async () => {
  const world = await open()
  world.list.stop()
  const { id } = world.write({ op: 'set', id: 'b', to: { rank: 9 } })
  await world.confirm(1)
  await world.stream.patch(1, [put(asItem('b', { rank: 9 }))], { mutations: [id] })
  await world.advance(5_000)
  expect(world.reads('/open')).toBe(1)
  const again = world.watch<Item[]>(openItems)
  const rows = ranks().filter((row) => row.id !== 'b')
  await world.answer('/open', [...rows, asItem('b', { rank: 9 })], 1)
  expect(allShown(again, shown).filter((frame) => frame !== 'a c3 d4 b9' && frame !== '-')).toEqual([])
  expect(world.reads('/open')).toBe(2)
})

test('without a stream, offline: three moves are shown, and read once when they are through', async () => {
  const world = createWorld({ mutations: [changing()] })
  world.sync.start()
  const list = await load<Item[]>(world, openItems, '/open', ranks())
  const ranked = await load<Item[]>(world, rankedItems, '/ranked', ranks())
  await world.net.network.set('offline')
  const moves = [1, 2, 3].map((n) => ({ op: 'set' as const, id: 'abc'.charAt(n - 1), to: { rank: 10 + n } }))
  for (const move of moves) world.sync.mutate(changing(), [move])
  expect([shown(list.data), shown(ranked.data)]).toEqual(Array(2).fill('d4 a11 b12 c13'))
  await world.net.network.set('online')
  const moved = moves.map(({ id, to }) => asItem(id, to))
  for (const row of moved) {
    await world.settle()
    await world.net.take('POST').answer({ rows: { [row.id]: row } })
  }
  await world.settle()
  for (const get of [...world.net.waiting]) await get.answer([item('d', { rank: 4 }), ...moved])
  await world.advance(20_000)
  expect(world.net.log.filter(({ method }) => method === 'GET')).toHaveLength(4)
  expect(allShown(list, shown).slice(-1)).toEqual(['d4 a11 b12 c13'])
  expect(world.sync.outbox.getState().entries).toEqual([])
})

test('a resync while a move is on its way: the lists are read, and nothing moves back', async () => {
  const world = await open()
  world.write({ op: 'set', id: 'b', to: { rank: 9 } })
  await world.stream.send('resync', { reason: 'operator' }, 1)
  await world.advance(10_000)
  await world.answer('/open', ranks(), 1)
  await world.confirm(2)
  await world.advance(1_000)
  const rows = ranks().filter(({ id }) => id !== 'b')
  for (const get of [...world.net.waiting]) await get.answer([...rows, asItem('b', { rank: 9 })], at(2))
  expect(world.frames()).toEqual(['a c3 d4 b9'])
})

describe.each<ServerName>(['the kit', 'the mock'])('two clients of %s', (name) => {
  test.each([true, false])('move one row at once, and agree with the server (apply: %s)', async (hasApply) => {
    const { client, server, pass } = await stage(name, { rows: ROWS, told: 'put' })
    const join = () => client(changing(hasApply ? {} : { apply: undefined }))
    const [one, two] = [await join(), await join()]
    const lists = [openItems, rankedItems, doneItems, oneItem('b')]
    const views = [one, two].map((each) => lists.map((query) => each.watch<Item[]>(query)))
    await pass()
    one.write({ op: 'set', id: 'b', to: { rank: 9 } })
    two.write({ op: 'set', id: 'b', to: { done: true } })
    one.write({ op: 'set', id: 'a', to: { rank: 3.5 } })
    two.write({ op: 'set', id: 'c', to: { done: false } })
    await pass()
    const rows = (await server.rows()).sort((a, b) => a.rank - b.rank)
    const end = [rows.filter(({ done }) => !done), rows, rows.filter(({ done }) => done)].map(shown)
    for (const each of views) expect(each.slice(0, 3).map(({ data }) => shown(data))).toEqual(end)
    expect(views.map((each) => each[3]?.data)).toEqual(Array(2).fill(rows.find(({ id }) => id === 'b')))
    expect([...one.reports, ...two.reports]).toEqual([])
  })
})
