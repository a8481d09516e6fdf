// What a client makes of changes that others made: placed where nothing moves, else the list is read again. Bases never move rows.
import { queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { doneItems, item, load, oneItem, openItems, orderedItems, rankedItems, shown } from '../kit/lists'
import type { Watch } from '../kit/world'
import { at, del, merge, put, ranks, scripted } from './scripted'

async function begin() {
  const world = await scripted()
  const open = await load<Item[]>(world, openItems, '/open', ranks(), at(0))
  return { ...world, open }
}

const base = (world: { sync: { getBase(key: readonly unknown[]): unknown } }): string =>
  shown(world.sync.getBase(openItems.queryKey) as Item[])

describe.each([
  ['put', put],
  ['merge', ({ id, version, ...row }: Item) => merge(id, version - 1, row)],
])('told by %s', (_, tell) => {
  test('a row that belongs before and after, in equal order, is placed and nothing is read', async () => {
    const world = await begin()
    await world.stream.patch(1, [tell(item('b', { rank: 2, n: 1, version: 2 }))])
    await world.advance(5_000)
    expect([shown(world.open.data), base(world), world.reads('/open')]).toEqual(['a b2#1 c3 d4', 'a b2#1 c3 d4', 1])
  })

  test.each([
    ['leaves', { done: true }, 'a c3 d4'],
    ['moves', { rank: 9 }, 'a c3 d4 b9'],
  ])(
    'a row that %s is not placed: base is as it was, and the list is read once, at that position',
    async (_how, to, end) => {
      const world = await begin()
      const before = world.sync.getBase(openItems.queryKey)
      await world.stream.patch(1, [tell(item('b', { rank: 2, version: 2, ...to }))])
      expect([shown(world.open.data), world.reads('/open')]).toEqual(['a b2 c3 d4', 2])
      expect(world.sync.getBase(openItems.queryKey)).toBe(before)
      expect(world.net.waiting[0]?.headers.get('sync-min-cursor')).toBe('e:1')
      const rows = ranks().filter(({ id }) => id !== 'b')
      await world.answer('/open', 'rank' in to ? [...rows, item('b', { rank: 9, version: 2 })] : rows, 1)
      await world.advance(5_000)
      expect([shown(world.open.data), world.reads('/open')]).toEqual([end, 2])
    },
  )

  test('a row that the list lacks and does not take costs it nothing', async () => {
    const world = await begin()
    await load(world, oneItem('e'), '/items/e', item('e', { done: true }), at(0))
    const before = world.open.data
    await world.stream.patch(1, [tell(item('e', { done: true, n: 1, version: 2 }))])
    await world.advance(5_000)
    expect([world.open.data, world.reads('/open')]).toEqual([before, 1])
    expect(world.open.data).toBe(before)
  })

  test('a row that the list lacks and takes is read', async () => {
    const world = await begin()
    await load(world, oneItem('e'), '/items/e', item('e', { done: true }), at(0))
    await world.stream.patch(1, [tell(item('e', { rank: 1, version: 2 }))])
    expect([shown(world.open.data), world.reads('/open')]).toEqual(['a b2 c3 d4', 2])
  })

  test('an undeclared list is read for every change of the kind, in it or not; a detail never', async () => {
    const world = await begin()
    const done = await load<Item[]>(world, doneItems, '/done', [item('z', { done: true })], at(0))
    const detail = await load<Item>(world, oneItem('b'), '/items/b', item('b', { rank: 2 }), at(0))
    await world.stream.patch(1, [tell(item('b', { rank: 2, n: 1, version: 2 }))])
    expect([world.reads('/done'), world.reads('/items/b'), detail.data?.n]).toEqual([2, 1, 1])
    await world.answer('/done', [item('z', { done: true })], 1)
    await world.advance(2_000)
    await world.stream.patch(2, [tell(item('z', { done: true, n: 1, version: 2 }))])
    expect([shown(done.data), world.reads('/done')]).toEqual(['z✓', 3])
  })
})

test('a merge of a version that nobody has, which brings no row with it, is read', async () => {
  const world = await begin()
  await world.stream.patch(1, [merge('e', 3, { n: 1 })])
  expect(world.reads('/open')).toBe(2)
})

test('a merge that brings its row with it costs a list that does not take it nothing', async () => {
  const world = await begin()
  const row = item('e', { done: true, n: 1, version: 4 })
  await world.stream.patch(1, [{ ...merge('e', 3, { n: 1 }), row } as never])
  await world.advance(5_000)
  expect(world.reads('/open')).toBe(1)
})

test.each([
  ['declared', openItems, '/open'],
  ['undeclared', doneItems, '/done'],
])('a deletion takes its row out of a list at once: %s', async (_, query, url) => {
  const world = await scripted()
  const list = await load<Item[]>(world, query, url, ranks(), at(0))
  await world.stream.patch(1, [del('b')])
  expect([shown(list.data), shown(world.sync.getBase(query.queryKey) as Item[])]).toEqual(Array(2).fill('a c3 d4'))
  await world.advance(5_000)
  expect(world.reads(url)).toBeLessThanOrEqual(url === '/open' ? 1 : 2)
})

test('a burst is one read, and the next one comes a second later', async () => {
  const world = await scripted()
  await load(world, doneItems, '/done', ranks(), at(0))
  for (let n = 1; n <= 20; n++) await world.stream.patch(n, [put(item('b', { n, rank: 2, version: n + 1 }))])
  expect(world.reads('/done')).toBe(2)
  await world.answer('/done', ranks(), 1)
  await world.advance(900)
  expect(world.reads('/done')).toBe(2)
  await world.advance(200)
  expect(world.reads('/done')).toBe(3)
})

test('a list that is told of without pause is read once a second', async () => {
  const world = await scripted()
  const done = await load<Item[]>(world, doneItems, '/done', ranks(), at(0))
  const rowsAt = (n: number) => [item('b', { n, rank: 2, version: n + 1 })]
  for (let n = 1; n <= 50; n++) {
    await world.stream.patch(n, rowsAt(n).map(put))
    await world.advance(100)
    for (const get of [...world.net.waiting]) await get.answer(rowsAt(n), at(n))
  }
  expect(world.reads('/done')).toBeLessThanOrEqual(7)
  await world.advance(1_500)
  for (const get of [...world.net.waiting]) await get.answer(rowsAt(50), at(50))
  expect(shown(done.data)).toBe('b2#50')
})

test('a frozen list takes nothing more but deletions until the read, and what comes meanwhile goes on what it brings', async () => {
  const world = await begin()
  await world.stream.patch(1, [put(item('b', { rank: 9, version: 2 }))])
  await world.stream.patch(2, [put(item('a', { n: 1, version: 2 }))])
  await world.stream.patch(3, [del('d')])
  expect([shown(world.open.data), base(world)]).toEqual(Array(2).fill('a b2 c3'))
  await world.answer(
    '/open',
    [item('a'), item('c', { rank: 3 }), item('d', { rank: 4 }), item('b', { rank: 9, version: 2 })],
    1,
  )
  await world.advance(5_000)
  expect([shown(world.open.data), world.reads('/open')]).toEqual(['a#1 c3 b9', 2])
})

describe('an invalidation beside a patch wins', () => {
  const parts: Array<['patch' | 'invalidate', object]> = [
    ['patch', { changes: [put(item('b', { rank: 2, n: 1, version: 2 }))] }],
    ['invalidate', { keys: [['items']] }],
  ]

  test.each([
    ['behind it', parts],
    ['before it', [...parts].reverse()],
  ])('%s: nothing is applied, and a read from before does not do', async (_, told) => {
    const world = await begin()
    const ranked = await load<Item[]>(world, rankedItems, '/ranked', ranks(), at(0))
    await world.both(1, told)
    expect([shown(world.open.data), shown(ranked.data)]).toEqual(Array(2).fill('a b2 c3 d4'))
    expect([world.reads('/open'), world.reads('/ranked')]).toEqual([2, 2])
    await world.answer('/open', ranks(), 0)
    expect(world.reads('/open')).toBe(3)
    const now = ranks().map((row) => (row.id === 'b' ? { ...row, n: 1, version: 2 } : row))
    await world.answer('/open', now, 1)
    await world.advance(5_000)
    expect([shown(world.open.data), world.reads('/open')]).toEqual(['a b2#1 c3 d4', 3])
  })
})

test.each([
  ['whose key begins with the topic', { queryKey: ['items', 'total'] }, 2],
  ['that listens to the topic', { queryKey: ['total'], topics: ['items'] }, 2],
  ['whose key has the topic elsewhere', { queryKey: ['total', 'items'] }, 1],
])('a patch with a topic is a read of a query without such rows %s', async (_, query, reads) => {
  const world = await begin()
  const total = queryOptions({
    ...query,
    queryFn: ({ fetch }) => fetch('/total').then((answer): Promise<number> => answer.json()),
  })
  await load(world, total, '/total', 4, at(0))
  const changes = [put(item('b', { rank: 2, n: 1, version: 2 }))]
  await world.stream.send('patch', { topics: ['items'], changes }, 1)
  await world.advance(5_000)
  expect([shown(world.open.data), world.reads('/open'), world.reads('/total')]).toEqual(['a b2#1 c3 d4', 1, reads])
})

test('two filters over one table, and a row in both lists: each is told of what is its own', async () => {
  const world = await begin()
  const views: Watch<Item[]>[] = [world.open]
  views.push(await load<Item[]>(world, rankedItems, '/ranked', [...ranks(), item('z', { done: true, rank: 5 })], at(0)))
  views.push(await load<Item[]>(world, orderedItems, '/ordered', ranks(), at(0)))
  await world.stream.patch(1, [put(item('z', { done: true, rank: 5, n: 1, version: 2 }))])
  await world.stream.patch(2, [put(item('b', { rank: 2, n: 7, version: 2 }))])
  await world.stream.patch(3, [put(item('c', { rank: 3, n: 8, group: 'y', version: 2 }))])
  await world.advance(5_000)
  const open = 'a b2#7 c3#8y d4'
  expect(views.map(({ data }) => shown(data))).toEqual([open, `${open} z✓5#1`, open])
  expect(['/open', '/ranked', '/ordered'].map(world.reads)).toEqual([1, 1, 1])
  // Of another rank: the lists by rank are read, the one without an order is not.
  await world.stream.patch(4, [put(item('b', { rank: 8, n: 7, version: 3 }))])
  expect(['/open', '/ranked', '/ordered'].map(world.reads)).toEqual([2, 2, 1])
  expect(shown(views[2]?.data)).toBe('a b8#7 c3#8y d4')
})
