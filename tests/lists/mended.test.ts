// What the first build got wrong, each case with the sentence of section 11 that it broke.
import { queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { changing, doneItems, item, itemRow, load, openItems, rankedItems, shown } from '../kit/lists'
import { ALL, change, DECLARED, paged, six } from './paged'
import { at, del, merge, put, ranks, scripted } from './scripted'
import { stage } from './servers'

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

// The same merge as above, from the kit: rows of more than 4 096 characters do not come with it.
test('a merge that the kit sends of a large row costs a list that does not take it nothing', async () => {
  const c = item('c', { done: true, group: 'x'.repeat(5_000) })
  const { client, server, pass } = await stage('the kit', { rows: [item('a'), c], told: 'merge' })
  const other = await client()
  for (const query of [rankedItems, openItems]) other.watch(query)
  await pass()
  await server.commit([{ op: 'count', id: 'c' }])
  await pass()
  expect(['/ranked', '/open'].map(other.reads)).toEqual([1, 1])
})

const only = (rows: readonly Item[], id: string) => rows.filter((row) => row.id === id).map(put)

// 'Each page keeps its position: whether it knows a change is asked of the page.' The event is asked of the page that has the row
// last, which knows it: base is past the event, the old page keeps its copy, and nothing is read. By offset a row that has moved
// up into the old page is in none: `e` is never shown.
test('by offset: a row that moved to a newer page has let another slip into an older one, which is read', async () => {
  const list = await paged('by offset')
  const rows = change(six(), 'a', { rank: 5.5 })
  list.more()
  await list.serve(rows, 1)
  await list.stream.patch(1, only(rows, 'a'))
  await list.serve(rows, 1)
  await list.advance(20_000)
  await list.serve(rows, 1)
  expect(list.shown.replaceAll(' |', '')).toBe('b c d e a f')
})

describe.each(DECLARED)('%s', (kind) => {
  // 'Whether it contains an entry is asked of the page', ''Load more' is never lost. It was: pages that disagree about an entry
  // with a recipe that counts are discarded, and the page that was asked for with them; the user has to ask again.
  test('an own count that the new page contains, and the others do not, is there once', async () => {
    const list = await paged(kind)
    list.write({ op: 'count', id: 'a' })
    list.write({ op: 'count', id: 'e' })
    const rows = change(change(six(), 'e', { n: 1 }), 'a', { n: 1 })
    await list.confirm(1)
    await list.confirm(2)
    list.more()
    await list.serve(rows, 2)
    await list.stream.patch(1, only(rows, 'a'))
    await list.stream.patch(2, only(rows, 'e'))
    await list.advance(5_000)
    await list.serve(rows, 2)
    await list.advance(20_000)
    await list.serve(rows, 2)
    expect(list.shown).toBe('a#1 b | c d | e#1 f')
    expect(list.frames.filter((frame) => /e#2|a#2|e f|^a b/.test(frame))).toEqual([])
    expect(list.sync.outbox.getState().entries).toEqual([])
  })

  // 'A page older than that freezes the list.' It was: it is discarded as a read that is older than base, and nothing is asked for
  // in its place: 'load more' does nothing.
  test('a page that is older than base freezes the list: it is read until all is as the server has it', async () => {
    const list = await paged(kind)
    const rows = change(six(), 'f', { done: true })
    await list.stream.patch(1, only(rows, 'f'))
    expect(await list.serve(rows, 1)).toBe(0)
    list.more()
    await list.serve(six(), 0)
    await list.advance(2_000)
    await list.serve(rows, 1)
    await list.advance(20_000)
    await list.serve(rows, 1)
    expect(list.shown).toBe('a b | c d | e')
  })
})

// Where no page follows there is none to ask for: a 'load more' was taken for one that was not brought, and asked for again.
test.each(ALL)('%s: "load more" at the end of the list asks for nothing', async (kind) => {
  const list = await paged(kind, { pages: 3 })
  list.more()
  expect([await list.serve(six(), 0), list.shown]).toEqual([0, 'a b | c d | e f'])
})

// 'A row past the last loaded row is shown only if there is no next page', so a change behind it cannot matter.
test.each(DECLARED)(
  '%s: a change of a row behind the loaded pages is no read, one that comes before them is',
  async (kind) => {
    const list = await paged(kind)
    const behind = change(six(), 'f', { n: 1 })
    await list.stream.patch(1, only(behind, 'f'))
    await list.advance(3_000)
    expect(await list.serve(behind, 1)).toBe(0)
    const before = change(behind, 'f', { rank: 1.5 })
    await list.stream.patch(2, only(before, 'f'))
    await list.advance(3_000)
    expect(await list.serve(before, 2)).toBeGreaterThan(0)
    expect(list.shown).toBe('a f#1 | b c')
  },
)

// 'A deletion takes the row out at once and, if the list is paged, freezes it': also out of a read from before it.
test.each(ALL)('%s: a row that is deleted while its page is read leaves no gap', async (kind) => {
  const list = await paged(kind, { pages: 1 })
  void list.sync.queryClient.refetchQueries({ queryKey: ['items'] })
  await list.settle()
  await list.stream.patch(1, [del('b')])
  await list.page(six(), 0)
  await list.advance(3_000)
  const rows = six().filter(({ id }) => id !== 'b')
  await list.serve(rows, 1)
  expect(list.shown).toBe('a c')
})

// 'Taken anew from a base that loses the row': not where another base has it, perhaps a newer one.
const bare = (group: string): Item => ({ ...item('a', { done: true, group }), version: undefined as never })

test('a list that loses a row lends no old copy of it while another list has the row', async () => {
  const world = await scripted(without)
  const declared = queryOptions({ ...doneItems, rows: [itemRow, (items) => items, { where: ({ done }) => done }] })
  const done = await load<Item[]>(world, declared, '/done', [bare('old')], at(0))
  const ranked = await load<Item[]>(world, rankedItems, '/ranked', [bare('new')], at(0))
  const open = await load<Item[]>(world, openItems, '/open', [], at(0))
  world.write({ op: 'set', id: 'a', to: { done: false } })
  await world.stream.invalidate(1, [declared.queryKey])
  await world.advance(2_000)
  await world.answer('/done', [], 1)
  expect([shown(done.data), shown(ranked.data), shown(open.data)]).toEqual(['', 'anew', 'anew'])
})

// 'In every undeclared list of the kind, whether the row stands in it or not: the list is read again': what comes in the place of a
// row that is deleted only the server knows ('top 3', numbered pages).
describe.each(['b', 'z'])('a row that is deleted (%s)', (id) => {
  test('by others is gone at once, and the list without a rule is read', async () => {
    const world = await scripted(without)
    const list = await load<Item[]>(world, doneItems, '/done', ranks(), at(0))
    await world.stream.patch(1, [del(id)])
    const left = ranks().filter((row) => row.id !== id)
    expect(shown(list.data)).toBe(shown(left))
    await world.advance(2_000)
    await world.answer('/done', [...left, item('e')], 1)
    expect(shown(list.data)).toBe(shown([...left, item('e')]))
  })

  test.each([true, false])('by an own write, too (apply: %s)', async (hasApply) => {
    const world = await scripted(hasApply ? changing() : without)
    const list = await load<Item[]>(world, doneItems, '/done', ranks(), at(0))
    world.write({ op: 'remove', id })
    const left = ranks().filter((row) => row.id !== id)
    await world.confirm(1, { [id]: null })
    expect(shown(list.data)).toBe(shown(left))
    await world.advance(2_000)
    await world.answer('/done', [...left, item('e')], 1)
    expect(shown(list.data)).toBe(shown([...left, item('e')]))
  })
})
