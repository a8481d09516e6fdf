// Queries with several lists of one kind, lists that come late, answers of every form, and what authors say is to be read.
import type { QueryKey } from 'tidemark'
import { queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import {
  allShown,
  byRankAndId,
  changing,
  doneItems,
  isOpen,
  item,
  itemRow,
  load,
  openItems,
  orderedItems,
  rankedItems,
  shown,
} from '../kit/lists'
import { createWorld } from '../kit/world'
import { at, put, ranks, scripted } from './scripted'

const asItem = (id: string, more: Partial<Item>): Item => item(id, { version: 2, ...more })

interface Home {
  open: Item[]
  done: Item[]
  latest: Item[]
  selected: Item | null
}

/** Two declared lists, one undeclared, and one row. */
const home = queryOptions({
  queryKey: ['items', 'home'],
  queryFn: ({ fetch }) => fetch('/home').then((answer): Promise<Home> => answer.json()),
  rows: [
    [itemRow, (data) => data.open, { where: isOpen, orderBy: byRankAndId }],
    [itemRow, (data) => data.done, { where: (row) => row.done, orderBy: byRankAndId }],
    [itemRow, (data) => data.latest],
    [itemRow, (data) => data.selected],
  ],
})

const homeText = (data: Home | undefined): string =>
  data === undefined
    ? '-'
    : [data.open, data.done, data.latest, data.selected ? [data.selected] : []].map(shown).join(' | ')

describe('a query of several lists', () => {
  const data = (): Home => ({
    open: ranks(),
    done: [item('z', { done: true })],
    latest: [item('d', { rank: 4 }), item('b', { rank: 2 })],
    selected: item('b', { rank: 2 }),
  })
  const begin = async () => {
    const world = await scripted()
    const view = await load<Home>(world, home, '/home', data(), at(0))
    return { ...world, view }
  }

  test('a row that moves between them is shown once in each that takes it, and where it stood in the others', async () => {
    const world = await begin()
    const before = world.view.data
    world.write({ op: 'set', id: 'b', to: { done: true, rank: 0 } }).confirmed.catch(() => {})
    expect(homeText(world.view.data)).toBe('a c3 d4 | b✓0 z✓ | d4 b✓0 | b✓0')
    world.write({ op: 'set', id: 'z', to: { done: false, rank: 9 } })
    expect(homeText(world.view.data)).toBe('a c3 d4 z9 | b✓0 | d4 b✓0 | b✓0')
    await world.refuse()
    expect(homeText(world.view.data)).toBe('a b2 c3 d4 z9 |  | d4 b2 | b2')
    await world.refuse().catch(() => {})
    expect(homeText(world.view.data)).toBe(homeText(before))
  })

  test('a new row goes into the one that takes it, with a key into the undeclared one, too', async () => {
    const world = await begin()
    world.write({ op: 'insert', row: item('e', { rank: 2.5 }) })
    expect(homeText(world.view.data)).toBe('a b2 e2.5 c3 d4 | z✓ | d4 b2 | b2')
    world.write({ op: 'insert', row: item('f', { rank: 0 }), key: home.queryKey })
    expect(homeText(world.view.data)).toBe('f0 a b2 e2.5 c3 d4 | z✓ | d4 b2 f0 | b2')
  })

  test('a removed row leaves all of them', async () => {
    const world = await begin()
    world.write({ op: 'remove', id: 'b' })
    expect(homeText(world.view.data)).toBe('a c3 d4 | z✓ | d4 | ')
  })

  test('a push is read, for one of them is undeclared', async () => {
    const world = await begin()
    await world.stream.patch(1, [put(asItem('b', { rank: 2, n: 1 }))])
    expect([homeText(world.view.data), world.reads('/home')]).toEqual(['a b2 c3 d4 | z✓ | d4 b2 | b2', 2])
  })
})

describe('a lender that is a list', () => {
  test.each([
    ['first', ['/done', '/open']],
    ['last', ['/open', '/done']],
  ])('that loses the row %s: the other shows it all the time', async (_, order) => {
    const world = await scripted()
    const c = item('c', { done: true, rank: 2.5 })
    const open = await load<Item[]>(world, openItems, '/open', ranks().slice(0, 2), at(0))
    const done = await load<Item[]>(world, doneItems, '/done', [c], at(0))
    const { id } = world.write({ op: 'set', id: 'c', to: { done: false } })
    const row = asItem('c', { rank: 2.5 })
    await world.confirm(1, [row])
    await world.stream.patch(1, [put(row)], { mutations: [id] })
    for (const url of order) await world.answer(url, url === '/done' ? [] : [...ranks().slice(0, 2), row], 1)
    await world.advance(20_000)
    expect(allShown(open, shown)).toEqual(['-', 'a b2', 'a b2 c2.5'])
    expect(allShown(done, shown)).toEqual(['-', 'c✓2.5', 'c2.5', ''])
    expect(['/open', '/done'].map(world.reads)).toEqual([2, 2])
  })
})

test('a list that is loaded for the first time while rows are on their way has them in its first frame', async () => {
  const world = await scripted()
  world.write({ op: 'insert', row: item('e', { rank: 2.5 }) })
  const open = await load<Item[]>(world, openItems, '/open', ranks(), at(0))
  expect(allShown(open, shown)).toEqual(['-', 'a b2 e2.5 c3 d4'])
})

test('a refused new row leaves every list as it was', async () => {
  const world = await scripted()
  const lists = [
    await load<Item[]>(world, openItems, '/open', ranks(), at(0)),
    await load<Item[]>(world, rankedItems, '/ranked', ranks(), at(0)),
    await load<Item[]>(world, orderedItems, '/ordered', ranks(), at(0)),
  ]
  const before = lists.map(({ data }) => data)
  world.write({ op: 'insert', row: item('e', { rank: 2.5 }) }).confirmed.catch(() => {})
  await world.refuse()
  expect(lists.map(({ data }, i) => data === before[i])).toEqual([true, true, true])
})

describe('plain REST: what is read after a write', () => {
  const begin = async (mutation: ReturnType<typeof changing>) => {
    const world = createWorld({ mutations: [mutation] })
    world.sync.start()
    const open = await load<Item[]>(world, openItems, '/open', ranks())
    const done = await load<Item[]>(world, doneItems, '/done', ranks())
    const write = async (to: Partial<Item>, rows: Record<string, Item | null> = {}) => {
      world.sync.mutate(mutation, [{ op: 'set', id: 'b', to }])
      await world.settle()
      await world.net.take('POST').answer({ rows })
      await world.settle()
      return world.net.waiting.map(({ url }) => url).sort()
    }
    return { ...world, open, done, write }
  }
  const counted = asItem('b', { rank: 2, n: 1 })
  const moved = asItem('b', { rank: 9 })

  test('by default the lists in which the change had no place', async () => {
    expect(await (await begin(changing())).write({ n: 1 }, { b: counted })).toEqual(['/done'])
    expect(await (await begin(changing())).write({ rank: 9 }, { b: moved })).toEqual(['/done', '/open'])
    expect(await (await begin(changing({ apply: undefined }))).write({ n: 1 })).toEqual(['/done', '/open'])
  })

  test('without "optimistic" the same, and the row is shown where the answer has its place', async () => {
    const world = await begin(changing({ optimistic: undefined }))
    expect(await world.write({ n: 1 }, { b: counted })).toEqual(expect.arrayContaining(['/done']))
    expect(shown(world.open.data)).toBe('a b2#1 c3 d4')
  })

  test('a deletion in the answer takes the row out, and a declared list is not read', async () => {
    const world = await begin(changing({ optimistic: (view) => view.remove(itemRow, 'b') }))
    const urls = await world.write({}, { b: null })
    expect([shown(world.open.data), shown(world.done.data)]).toEqual(Array(2).fill('a c3 d4'))
    expect(urls).not.toContain('/open')
  })

  test('what "invalidates" names is read, whatever else', async () => {
    const keys: QueryKey[] = [openItems.queryKey]
    const urls = await (await begin(changing({ invalidates: () => keys }))).write({ n: 1 }, { b: counted })
    expect(urls).toContain('/open')
  })

  test('a recipe in "apply" that moves the row is not placed', async () => {
    const world = await begin(
      changing({ apply: (base) => base.row(itemRow, 'b').update((row) => void Object.assign(row, { rank: 9 })) }),
    )
    expect(await world.write({ rank: 9 }, { b: moved })).toEqual(['/done', '/open'])
    expect(shown(world.sync.getBase(openItems.queryKey) as Item[])).toBe('a b2 c3 d4')
    expect(shown(world.open.data)).toBe('a c3 d4 b9')
  })
})
