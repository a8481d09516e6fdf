// Rows on their way between lists: there and back, from a detail that others left behind, from a lender that is gone.
import { createQueryStore } from 'tidemark'
import { describe, expect, test } from 'vitest'
import type { Change, Column, Item } from '../kit/lists'
import {
  allShown,
  board,
  changing,
  item,
  load,
  oneItem,
  openItems,
  orderedItems,
  rankedItems,
  shown,
} from '../kit/lists'
import type { Watch } from '../kit/world'
import { createWorld } from '../kit/world'
import { at, del, put, ranks, scripted } from './scripted'

const asItem = (id: string, more: Partial<Item>): Item => item(id, { version: 2, ...more })

async function begin(mutation = changing({ apply: undefined })) {
  const world = await scripted(mutation)
  const open = await load<Item[]>(world, openItems, '/open', ranks(), at(0))
  const isLeft = () => world.sync.outbox.getState().entries.length === 0
  /** What the list showed after its first read. */
  const frames = () => allShown(open, shown).slice(2)
  return { ...world, open, isLeft, frames }
}

/** Drops a query of which nobody knows any more. */
function evict({ sync }: Pick<Awaited<ReturnType<typeof begin>>, 'sync'>, watched: Watch<Item>, id: string): void {
  watched.stop()
  sync.queryClient.removeQueries({ queryKey: oneItem(id).queryKey })
}

describe('two changes of one row, there and back', () => {
  const away: Change = { op: 'set', id: 'b', to: { done: true } }
  const back: Change = { op: 'set', id: 'b', to: { done: false } }

  test('it stands where it stood through both answers, both echoes and the read', async () => {
    const world = await begin()
    const ids = [world.write(away).id, world.write(back).id]
    await world.confirm(1)
    await world.confirm(2)
    await world.stream.patch(1, [put(asItem('b', { rank: 2, done: true }))], { mutations: [ids[0] as string] })
    await world.stream.patch(2, [put(asItem('b', { rank: 2, version: 3 }))], { mutations: [ids[1] as string] })
    expect(world.reads('/open')).toBe(2)
    await world.answer('/open', ranks(), 2)
    await world.advance(20_000)
    expect([world.frames(), world.isLeft(), world.reads('/open')]).toEqual([['a c3 d4', 'a b2 c3 d4'], true, 2])
  })

  test('the first is refused: the row stands where it stood', async () => {
    const world = await begin()
    world.write(away).confirmed.catch(() => {})
    world.write(back)
    await world.refuse()
    expect(world.frames()).toEqual(['a c3 d4', 'a b2 c3 d4'])
    await world.confirm(1)
    expect(world.frames()).toEqual(['a c3 d4', 'a b2 c3 d4'])
  })

  test('the second is refused: the row is away', async () => {
    const world = await begin()
    world.write(away)
    world.write(back).confirmed.catch(() => {})
    await world.confirm(1)
    await world.refuse()
    expect(world.frames()).toEqual(['a c3 d4', 'a b2 c3 d4', 'a c3 d4'])
    await world.advance(300) // for its echo
    await world.answer('/open', [item('a'), item('c', { rank: 3 }), item('d', { rank: 4 })], 1)
    await world.advance(20_000)
    expect([world.frames().at(-1), world.isLeft()]).toEqual(['a c3 d4', true])
  })
})

describe('a row of an old detail', () => {
  test.each<[string, Partial<Item>]>([
    ['counted', {}],
    ['of another rank', { rank: 1.5 }],
  ])('that others took out of the list stays out when it is %s', async (_, to) => {
    const world = await begin(changing())
    await load(world, oneItem('e'), '/items/e', item('e'), at(0))
    world.write({ op: 'count', id: 'e' }, { op: 'set', id: 'e', to })
    await world.confirm(1, [asItem('e', { done: true, n: 1, ...to })])
    await world.advance(20_000)
    expect([world.frames(), world.isLeft(), world.reads('/open')]).toEqual([[], true, 1])
  })

  test('that is taken out and put back by own changes comes in by the second', async () => {
    const world = await begin()
    await load(world, oneItem('e'), '/items/e', item('e', { rank: 2.5 }), at(0))
    world.write({ op: 'set', id: 'e', to: { done: true } })
    world.write({ op: 'set', id: 'e', to: { done: false } })
    expect(shown(world.open.data)).toBe('a b2 e2.5 c3 d4')
  })

  test('of which an edit lives when a read takes it out of the list stays out', async () => {
    const world = await begin()
    world.write({ op: 'count', id: 'b' })
    await world.stream.invalidate(1, [['items']])
    await world.answer('/open', [item('a'), item('c', { rank: 3 })], 1)
    expect(world.frames()).toEqual(['a b2#1 c3 d4', 'a c3'])
    await world.confirm(2)
    await world.advance(20_000)
    for (const get of [...world.net.waiting]) await get.answer([item('a'), item('c', { rank: 3 })], at(2))
    await world.advance(20_000)
    expect([world.frames(), world.isLeft()]).toEqual([['a b2#1 c3 d4', 'a c3'], true])
  })
})

describe('a lender', () => {
  const lend = async () => {
    const world = await begin()
    const detail = await load<Item>(world, oneItem('e'), '/items/e', item('e', { done: true, rank: 2.5 }), at(0))
    return { ...world, detail }
  }
  const enter: Change = { op: 'set', id: 'e', to: { done: false } }

  test('that is evicted while the layer lives leaves its row, to the end', async () => {
    const world = await lend()
    const { id } = world.write(enter)
    evict(world, world.detail, 'e')
    await world.confirm(1)
    await world.stream.patch(1, [put(asItem('e', { rank: 2.5 }))], { mutations: [id] })
    expect(world.reads('/open')).toBe(2)
    const rows = [item('a'), item('b', { rank: 2 }), asItem('e', { rank: 2.5 }), item('c', { rank: 3 })]
    await world.answer('/open', rows, 1)
    await world.advance(20_000)
    expect([world.frames(), world.isLeft()]).toEqual([['a b2 e2.5 c3 d4', 'a b2 e2.5 c3'], true])
  })

  test('of a row with an earlier change that the list has: the later one stands on it', async () => {
    const world = await lend()
    world.write({ op: 'set', id: 'e', to: { rank: 1.5 } })
    world.write(enter)
    evict(world, world.detail, 'e')
    expect(shown(world.open.data)).toBe('a e1.5 b2 c3 d4')
    await world.confirm(1)
    void world.sync.queryClient.refetchQueries({ queryKey: openItems.queryKey })
    await world.answer('/open', ranks(), 1)
    expect(world.frames()).toEqual(['a e1.5 b2 c3 d4'])
    await world.refuse()
    expect(world.frames()).toEqual(['a e1.5 b2 c3 d4', 'a b2 c3 d4'])
  })

  test('whose row is deleted by others takes it out of the list', async () => {
    const world = await lend()
    world.write(enter)
    await world.stream.patch(1, [del('e')])
    expect(world.frames()).toEqual(['a b2 e2.5 c3 d4', 'a b2 c3 d4'])
  })

  test('that was not kept over a reload: the row comes from the log', async () => {
    const world = await lend()
    world.write(enter)
    await world.settle()
    const mutations = [changing({ apply: undefined })]
    const next = createWorld({ mutations, storage: world.storage, seed: 2 })
    next.sync.start()
    const open = await load<Item[]>(next, openItems, '/open', ranks())
    expect(allShown(open, shown)).toEqual(['-', 'a b2 e2.5 c3 d4'])
    await next.settle()
    await next.net.take('POST').answer({ title: 'No.' }, { status: 422 })
    await next.settle()
    expect(shown(open.data)).toBe('a b2 c3 d4')
  })
})

test('a refused move goes back in every list at once, to what each was', async () => {
  const world = await begin()
  const columns = [
    { id: 'x', items: ranks() },
    { id: 'y', items: [] },
  ]
  const lists = [
    world.open,
    await load(world, board, '/board', { columns }, at(0)),
    await load(world, rankedItems, '/ranked', ranks(), at(0)),
    await load(world, orderedItems, '/ordered', ranks(), at(0)),
    await load(world, oneItem('b'), '/items/b', item('b', { rank: 2 }), at(0)),
  ] as Watch<unknown>[]
  const before = lists.map(({ data }) => data)
  const seen: number[] = []
  for (const query of [openItems, board, rankedItems, orderedItems, oneItem('b')])
    createQueryStore(world.sync, query as never).subscribe(
      () => void seen.push(lists.filter(({ data }, i) => data === before[i]).length),
    )
  world.write({ op: 'set', id: 'b', to: { done: true, rank: 9, group: 'y' } }).confirmed.catch(() => {})
  expect(lists.filter(({ data }, i) => data === before[i])).toEqual([])
  expect(new Set(seen)).toEqual(new Set([0]))
  seen.length = 0
  await world.refuse()
  expect(new Set(seen)).toEqual(new Set([lists.length]))
})

describe('the columns of one query', () => {
  const columnsOf = (x: Item[], y: Item[]) => ({
    columns: [
      { id: 'x', items: x },
      { id: 'y', items: y },
    ],
  })
  const text = (data: { columns: Column[] } | undefined) =>
    data?.columns.map(({ items }) => shown(items)).join(' | ') ?? '-'
  const inY = (id: string, more: Partial<Item> = {}) => item(id, { group: 'y', ...more })

  test('a row goes from one to the other with one read, and columns that are the same keep their reference', async () => {
    const world = await scripted()
    const rows = columnsOf([item('a'), item('b', { rank: 2 })], [inY('c')])
    const watched = await load<{ columns: Column[] }>(world, board, '/board', rows, at(0))
    const [, y] = watched.data?.columns ?? []
    const first = world.write({ op: 'count', id: 'a' })
    expect(watched.data?.columns[1]).toBe(y)
    await world.confirm(1, [asItem('a', { n: 1 })])
    await world.stream.patch(1, [put(asItem('a', { n: 1 }))], { mutations: [first.id] })
    expect([text(watched.data), world.reads('/board')]).toEqual(['a#1 b2 | cy', 1])
    const { id } = world.write({ op: 'set', id: 'b', to: { group: 'y' } })
    await world.confirm(2, [asItem('b', { rank: 2, group: 'y' })])
    await world.stream.patch(2, [put(asItem('b', { rank: 2, group: 'y' }))], { mutations: [id] })
    await world.answer('/board', columnsOf([asItem('a', { n: 1 })], [inY('c'), inY('b', { rank: 2, version: 2 })]), 2)
    await world.advance(20_000)
    expect(allShown(watched, text).slice(1)).toEqual(['a b2 | cy', 'a#1 b2 | cy', 'a#1 | cy b2y'])
    expect(world.reads('/board')).toBe(2)
  })

  test('a row that others move is read once, and one of a column that is not there leaves', async () => {
    const world = await scripted()
    const watched = await load<{ columns: Column[] }>(world, board, '/board', columnsOf([item('a')], [inY('c')]), at(0))
    await world.stream.patch(1, [put(asItem('a', { group: 'y' }))])
    await world.answer('/board', columnsOf([], [asItem('a', { group: 'y' }), inY('c')]), 1)
    world.write({ op: 'set', id: 'c', to: { group: 'z' } })
    await world.advance(5_000)
    expect(allShown(watched, text).slice(1)).toEqual(['a | cy', ' | ay cy', ' | ay'])
    expect(world.reads('/board')).toBe(2)
  })

  test('a new row goes into the column that takes it', async () => {
    const world = await scripted()
    const watched = await load<{ columns: Column[] }>(world, board, '/board', columnsOf([item('a')], [inY('c')]), at(0))
    world.write({ op: 'insert', row: inY('e', { rank: 0 }) })
    expect(text(watched.data)).toBe('a | e0y cy')
  })
})
