// Declared lists as views: a changed row stands where the rule puts it, and goes back exactly when the change does.
import { expect, test } from 'vitest'
import type { Change, Column, Item, Page } from '../kit/lists'
import {
  allShown,
  board,
  changing,
  doneItems,
  item,
  load,
  oneItem,
  openItems,
  orderedItems,
  pagedItems,
  rankedItems,
  shown,
} from '../kit/lists'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

const change = changing()

function begin(): World & { write(...changes: Change[]): ReturnType<World['sync']['mutate']> } {
  const world = createWorld({ mutations: [change] })
  world.sync.start()
  return { ...world, write: (...changes) => world.sync.mutate(change, changes) as never }
}

/** A list of the rows a to d, of ranks 1 to 4. */
const ranks = (): Item[] => ['a', 'b', 'c', 'd'].map((id, at) => item(id, { rank: at + 1 }))

async function refuse(world: World): Promise<void> {
  await world.settle()
  await world.net.take('POST', '/change').answer({}, { status: 422 })
  await world.settle()
}

test('a row leaves a list that it does not belong to any more, and comes back where it stood', async () => {
  const world = begin()
  const open = await load(world, openItems, '/open', ranks())
  const before = open.data
  world.write({ op: 'set', id: 'b', to: { done: true } }).confirmed.catch(() => {})
  expect(shown(open.data)).toBe('a c3 d4')
  await refuse(world)
  expect(open.data).toBe(before)
  expect(world.reports).toEqual([])
})

test('a row moves to its place in the order', async () => {
  const world = begin()
  const open = await load(world, openItems, '/open', ranks())
  world.write({ op: 'set', id: 'a', to: { rank: 3.5 } })
  expect(shown(open.data)).toBe('b2 c3 a3.5 d4')
})

test('a row whose order is equal stays where it stands, and one that comes goes behind its equals', async () => {
  const world = begin()
  const ranked = await load(world, rankedItems, '/ranked', [item('a'), item('b'), item('c'), item('d', { rank: 2 })])
  world.write({ op: 'set', id: 'b', to: { n: 1 } })
  expect(shown(ranked.data)).toBe('a b#1 c d2')
  world.write({ op: 'set', id: 'd', to: { rank: 1 } })
  expect(shown(ranked.data)).toBe('a b#1 c d')
  world.write({ op: 'insert', row: item('e') })
  expect(shown(ranked.data)).toBe('a b#1 c d e')
})

test('there and back again, by two changes: it stands where base has it', async () => {
  const world = begin()
  const ranked = await load(world, rankedItems, '/ranked', [item('a'), item('b'), item('c')])
  const open = await load(world, orderedItems, '/ordered', [item('a'), item('b'), item('c')])
  world.write({ op: 'set', id: 'a', to: { rank: 5, done: true } })
  expect([shown(ranked.data), shown(open.data)]).toEqual(['b c a✓5', 'b c'])
  world.write({ op: 'set', id: 'a', to: { rank: 1, done: false } })
  expect([shown(ranked.data), shown(open.data)]).toEqual(['a b c', 'a b c'])
})

test('between the columns of one query', async () => {
  const world = begin()
  const data = {
    columns: [
      { id: 'x', items: [item('a')] },
      { id: 'y', items: [item('b', { group: 'y' })] },
    ],
  }
  const watched = await load(world, board, '/board', data)
  const text = (now: { columns: Column[] } | undefined) =>
    now?.columns.map(({ items }) => shown(items)).join(' | ') ?? '-'
  const before = watched.data
  world.write({ op: 'set', id: 'a', to: { group: 'y' } }).confirmed.catch(() => {})
  expect(text(watched.data)).toBe(' | ay by')
  await refuse(world)
  expect(allShown(watched, text)).toEqual(['-', 'a | by', ' | ay by', 'a | by'])
  expect(watched.data).toBe(before)
})

test('a new row goes into every declared list that takes it, and into no other', async () => {
  const world = begin()
  const open = await load(world, openItems, '/open', ranks())
  const done = await load(world, doneItems, '/done', [item('z', { done: true })])
  const ordered = await load(world, orderedItems, '/ordered', ranks())
  world.write({ op: 'insert', row: item('e', { rank: 2.5 }) })
  expect([open, ordered, done].map(({ data }) => shown(data))).toEqual(['a b2 e2.5 c3 d4', 'a b2 c3 d4 e2.5', 'z✓'])
  world.write({ op: 'insert', row: item('f', { done: true }) })
  expect(shown(open.data)).toBe('a b2 e2.5 c3 d4')
  world.write({ op: 'insert', row: item('g'), at: 'start' })
  expect([shown(open.data), shown(ordered.data)]).toEqual(['a g b2 e2.5 c3 d4', 'g a b2 c3 d4 e2.5'])
})

test('by hand, in lists without an order of their own', async () => {
  const world = begin()
  const ordered = await load(world, orderedItems, '/ordered', ranks())
  const done = await load(world, doneItems, '/done', ranks())
  const open = await load(world, openItems, '/open', ranks())
  const before = [ordered.data, done.data]
  world.write({ op: 'move', id: 'a', at: { after: 'c' } }).confirmed.catch(() => {})
  expect([ordered, done, open].map(({ data }) => shown(data))).toEqual(['b2 c3 a d4', 'b2 c3 a d4', 'a b2 c3 d4'])
  await refuse(world)
  expect([ordered.data, done.data]).toEqual(before)
  expect(ordered.data).toBe(before[0])
})

test('a row of a detail enters the list by an edit that makes it belong, and by no other', async () => {
  const world = begin()
  const open = await load(world, openItems, '/open', ranks())
  await load(world, oneItem('e'), '/items/e', item('e', { done: true, rank: 2.5 }))
  await load(world, oneItem('f'), '/items/f', item('f'))
  world.write({ op: 'set', id: 'e', to: { done: false } })
  expect(shown(open.data)).toBe('a b2 e2.5 c3 d4')
  // The server says that f is not in the list, whatever an old detail has: an edit that changes nothing of that leaves it out.
  world.write({ op: 'set', id: 'f', to: { rank: 2.6 } })
  expect(shown(open.data)).toBe('a b2 e2.5 c3 d4')
})

test('the row of an edit outlives the query that it was taken from', async () => {
  const world = begin()
  const open = await load(world, openItems, '/open', ranks())
  const detail = await load(world, oneItem('e'), '/items/e', item('e', { done: true, rank: 2.5 }))
  world.write({ op: 'set', id: 'e', to: { done: false } })
  detail.stop()
  world.sync.queryClient.removeQueries({ queryKey: oneItem('e').queryKey })
  expect(shown(open.data)).toBe('a b2 e2.5 c3 d4')
  world.write({ op: 'count', id: 'e' })
  expect(shown(open.data)).toBe('a b2 e2.5#1 c3 d4')
})

test('in pages a row enters between loaded neighbours, and beyond the last only where nothing follows', async () => {
  const world = begin()
  const text = (data: { pages: Page[] } | undefined) => data?.pages.map(({ items }) => shown(items)).join(' | ') ?? '-'
  const paged = await load(world, pagedItems, '/pages?after=', { items: ranks().slice(0, 2), next: 'b' })
  const page = paged as unknown as { data: { pages: Page[] } | undefined }
  world.write({ op: 'insert', row: item('e', { rank: 1.5 }) }, { op: 'insert', row: item('f', { rank: 9 }) })
  expect(text(page.data)).toBe('a e1.5 b2')
})

test('a rule that throws, or gives no number, is off: the row is shown where it stands, and that is said once', async () => {
  const world = begin()
  const open = await load(world, rankedItems, '/ranked', ranks())
  world.write({ op: 'set', id: 'b', to: { rank: '?' as never } })
  expect(shown(open.data)).toBe('a b? c3 d4')
  world.write({ op: 'set', id: 'c', to: { rank: '?' as never } })
  expect(shown(open.data)).toBe('a b? c? d4')
  expect(world.reports.map(({ message }) => message)).toEqual([
    'In query ["items","ranked"] the list of "item" has an "orderBy" that answered NaN and no number. It is shown as the server sent it, and read again when a row changes, until a read agrees with the rule.',
  ])
})

test('a server that does not keep to the rule has the last word', async () => {
  const world = begin()
  const open = await load(world, openItems, '/open', [item('b', { rank: 2 }), item('a'), item('c', { done: true })])
  expect(shown(open.data)).toBe('b2 a c✓')
  world.write({ op: 'set', id: 'b', to: { rank: 0, done: true } })
  expect(shown(open.data)).toBe('b✓0 a c✓')
  expect(world.reports.map(({ code, message }) => [code, message])).toEqual([
    [
      'usage',
      'In query ["items","open"] the list of "item" has row b before a, which its "orderBy" puts the other way. It is shown as the server sent it, and read again when a row changes, until a read agrees with the rule.',
    ],
  ])
})
