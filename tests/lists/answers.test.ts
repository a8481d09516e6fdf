// What a list makes of the answers to own writes: a row in its place covers its write, everything else is read once.
import { describe, expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { allShown, changing, doneItems, item, itemRow, load, oneItem, openItems, shown } from '../kit/lists'
import { at, merge, put, ranks, scripted } from './scripted'

const without = changing({ apply: undefined })

const asItem = (id: string, more: Partial<Item>): Item => item(id, { version: 2, ...more })
/** Those of `ranks`, with some in the place of others. */
const ranksWith = (...rows: Item[]): Item[] => ranks().map((row) => rows.find(({ id }) => id === row.id) ?? row)

async function begin(mutation = changing()) {
  const world = await scripted(mutation)
  const open = await load<Item[]>(world, openItems, '/open', ranks(), at(0))
  const openBase = () => shown(world.sync.getBase(openItems.queryKey) as Item[])
  const isLeft = () => world.sync.outbox.getState().entries.length === 0
  return { ...world, open, openBase, isLeft }
}

describe('in a declared list', () => {
  test('a row in its place is placed by the answer, and its echo is known', async () => {
    const world = await begin()
    const handle = world.write({ op: 'count', id: 'b' })
    await world.confirm(1, [asItem('b', { rank: 2, n: 1 })])
    expect([shown(world.open.data), world.openBase(), world.isLeft()]).toEqual(['a b2#1 c3 d4', 'a b2#1 c3 d4', true])
    await world.stream.patch(1, [put(asItem('b', { rank: 2, n: 1 }))], { mutations: [handle.id] })
    await world.advance(20_000)
    expect(world.reads('/open')).toBe(1)
    expect(allShown(world.open, shown)).toEqual(['-', 'a b2 c3 d4', 'a b2#1 c3 d4'])
  })

  test('an answer that runs ahead does not move base: events before it are placed, its own is not placed twice', async () => {
    const world = await begin()
    const handle = world.write({ op: 'count', id: 'b' })
    await world.confirm(3, [asItem('b', { rank: 2, n: 1, version: 3 })])
    await world.stream.patch(1, [put(asItem('a', { n: 7 }))])
    await world.stream.patch(2, [put(asItem('b', { rank: 2, n: 0 }))])
    expect(shown(world.open.data)).toBe('a#7 b2#1 c3 d4')
    await world.stream.patch(3, [merge('b', 2, { n: 1 })], { mutations: [handle.id] })
    await world.stream.patch(4, [put(asItem('c', { rank: 3, n: 9 }))])
    await world.advance(20_000)
    expect([shown(world.open.data), world.reads('/open')]).toEqual(['a#7 b2#1 c3#9 d4', 1])
  })

  test('a read from before an answer is older than base', async () => {
    const world = await begin()
    void world.sync.queryClient.refetchQueries({ queryKey: openItems.queryKey })
    await world.settle()
    world.write({ op: 'count', id: 'b' })
    await world.confirm(1, [asItem('b', { rank: 2, n: 1 })])
    await world.answer('/open', ranks(), 0)
    expect(shown(world.open.data)).toBe('a b2#1 c3 d4')
    await world.advance(20_000)
    for (const get of [...world.net.waiting]) await get.answer(ranksWith(asItem('b', { rank: 2, n: 1 })), at(1))
    expect(allShown(world.open, shown)).toEqual(['-', 'a b2 c3 d4', 'a b2#1 c3 d4'])
  })

  test.each([
    ['with apply', changing(), [asItem('b', { rank: 9 })]],
    ['without', without, undefined],
  ])('a row that moves stays shown where it goes, %s, until one read brings it', async (_, mutation, rows) => {
    const world = await begin(mutation)
    const handle = world.write({ op: 'set', id: 'b', to: { rank: 9 } })
    await world.confirm(1, rows)
    expect([shown(world.open.data), world.openBase()]).toEqual(['a c3 d4 b9', 'a b2 c3 d4'])
    await world.stream.patch(1, [put(asItem('b', { rank: 9 }))], { mutations: [handle.id] })
    expect([world.openBase(), world.reads('/open'), world.isLeft()]).toEqual(['a b2 c3 d4', 2, false])
    const moved = [item('a'), item('c', { rank: 3 }), item('d', { rank: 4 }), asItem('b', { rank: 9 })]
    await world.answer('/open', moved, 1)
    await world.advance(20_000)
    expect([world.openBase(), world.reads('/open'), world.isLeft()]).toEqual(['a c3 d4 b9', 2, true])
    expect(allShown(world.open, shown)).toEqual(['-', 'a b2 c3 d4', 'a c3 d4 b9'])
  })

  test('a row is not placed while an earlier confirmed write of it waits for the read', async () => {
    const world = await begin()
    world.write({ op: 'set', id: 'b', to: { rank: 9 } })
    world.write({ op: 'count', id: 'b' })
    await world.confirm(1, [asItem('b', { rank: 9 })])
    await world.confirm(2, [asItem('b', { rank: 9, n: 1, version: 3 })])
    expect([world.openBase(), shown(world.open.data)]).toEqual(['a b2 c3 d4', 'a c3 d4 b9#1'])
    const moved = [item('a'), item('c', { rank: 3 }), item('d', { rank: 4 }), asItem('b', { rank: 9, n: 1 })]
    await world.answer('/open', moved, 2)
    await world.advance(20_000)
    expect([world.openBase(), world.isLeft(), world.reads('/open')]).toEqual(['a c3 d4 b9#1', true, 2])
    expect(allShown(world.open, shown)).toEqual(['-', 'a b2 c3 d4', 'a c3 d4 b9', 'a c3 d4 b9#1'])
  })

  test('writes that move rows are read once, when their scope is idle', async () => {
    const world = await begin()
    for (const [n, id] of ['a', 'b', 'c'].entries()) world.write({ op: 'set', id, to: { rank: 10 + n } })
    for (const [n, id] of ['a', 'b', 'c'].entries()) {
      expect(world.reads('/open')).toBe(1)
      await world.confirm(n + 1, [asItem(id, { rank: 10 + n })])
    }
    expect(world.reads('/open')).toBe(2)
    expect(shown(world.open.data)).toBe('d4 a10 b11 c12')
  })
})

describe('in an undeclared list', () => {
  const watchDone = async (mutation = changing()) => {
    const world = await scripted(mutation)
    const done = await load<Item[]>(world, doneItems, '/done', ranks(), at(0))
    return { ...world, done }
  }

  test('a changed row is shown where it stands, with no gap until the one read is back', async () => {
    const world = await watchDone()
    const handle = world.write({ op: 'set', id: 'b', to: { done: true, rank: 9 } })
    expect(shown(world.done.data)).toBe('a b✓9 c3 d4')
    await world.confirm(1, [asItem('b', { rank: 9, done: true })])
    await world.stream.patch(1, [put(asItem('b', { rank: 9, done: true }))], { mutations: [handle.id] })
    expect(shown(world.sync.getBase(doneItems.queryKey) as Item[])).toBe('a b2 c3 d4')
    await world.answer('/done', [asItem('b', { rank: 9, done: true })], 1)
    await world.advance(20_000)
    expect(world.reads('/done')).toBe(2)
    expect(allShown(world.done, shown)).toEqual(['-', 'a b2 c3 d4', 'a b✓9 c3 d4', 'b✓9'])
  })

  test('three writes are one read, also where their echoes come before their answers', async () => {
    const world = await watchDone()
    const ids = ['a', 'b', 'c'].map((id) => world.write({ op: 'count', id }).id)
    for (const [n, id] of ['a', 'b', 'c'].entries()) {
      const row = ranksWith(asItem(id, { rank: n + 1, n: 1 })).filter((each) => each.id === id)
      await world.settle()
      await world.stream.patch(n + 1, row.map(put), { mutations: [ids[n] as string] })
      expect(world.reads('/done')).toBe(n < 2 ? 1 : 2)
      // The echo is as good as the answer, which comes for nothing then.
      for (const post of world.net.waiting.filter(({ method, id: sent }) => method === 'POST' && sent === ids[n]))
        await post.answer({ rows: { [id]: row[0] } }, at(n + 1))
    }
    await world.advance(500)
    expect([world.reads('/done'), shown(world.done.data)]).toEqual([2, 'a#1 b2#1 c3#1 d4'])
  })

  test('a row put by its key is the word of the application: it is base, and nothing is read', async () => {
    const key = doneItems.queryKey
    const world = await watchDone(
      changing({
        apply: (view, answer) => {
          for (const row of Object.values(answer?.rows ?? {})) if (row !== null) view.upsert(key, itemRow, row)
        },
      }),
    )
    const row = item('e', { done: true })
    const handle = world.write({ op: 'insert', row, key })
    expect(shown(world.done.data)).toBe('a b2 c3 d4 e✓')
    await world.confirm(1, [row])
    expect(shown(world.sync.getBase(key) as Item[])).toBe('a b2 c3 d4 e✓')
    await world.stream.patch(1, [put(row)], { mutations: [handle.id] })
    await world.advance(20_000)
    expect([world.reads('/done'), shown(world.done.data)]).toEqual([1, 'a b2 c3 d4 e✓'])
  })
})

test('a detail takes every answer and every echo, and is never read', async () => {
  const world = await scripted()
  const detail = await load<Item>(world, oneItem('a'), '/items/a', item('a'), at(0))
  const handle = world.write({ op: 'set', id: 'a', to: { done: true, rank: 9 } })
  await world.confirm(1, [asItem('a', { done: true, rank: 9 })])
  await world.stream.patch(1, [put(asItem('a', { done: true, rank: 9 }))], { mutations: [handle.id] })
  await world.advance(20_000)
  expect([shown([detail.data as Item]), world.reads('/items/a')]).toEqual(['a✓9', 1])
})
