// Rules that are wrong, throw, answer NaN or collate otherwise than the server: said once, and the list is read again instead
// until a read agrees. And what rules cost where they are right.
import { queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { allShown, byRank, byRankAndId, item, itemRow, load, shown } from '../kit/lists'
import { at, put, ranks, scripted } from './scripted'

interface Rule {
  where?: (row: Item) => boolean
  orderBy?: (a: Item, b: Item) => number
}

const listBy = (rule: Rule) =>
  queryOptions({
    queryKey: ['items', 'ruled'],
    queryFn: ({ fetch }) => fetch('/ruled').then((answer): Promise<Item[]> => answer.json()),
    rows: [itemRow, (items) => items, rule],
  })

const fail = (): never => {
  throw new Error('no such field')
}
const isBad = ({ n }: Item): boolean => n === 13

/** Rules that fail on one row, and what is said of it. */
const FAULTS: Array<[string, Rule, string]> = [
  [
    'a "where" that throws',
    { where: (row) => (isBad(row) ? fail() : !row.done) },
    'has a "where" that threw: no such field',
  ],
  [
    'an "orderBy" that throws',
    { orderBy: (a, b) => (isBad(a) || isBad(b) ? fail() : byRank(a, b)) },
    'has an "orderBy" that threw: no such field',
  ],
  [
    'an "orderBy" that answers NaN',
    { orderBy: (a, b) => (isBad(a) || isBad(b) ? Number.NaN : byRank(a, b)) },
    'has an "orderBy" that answered NaN and no number',
  ],
  [
    'an "orderBy" that answers nothing',
    { orderBy: (a, b) => (isBad(a) || isBad(b) ? (undefined as never) : byRank(a, b)) },
    'has an "orderBy" that answered undefined and no number',
  ],
]

describe.each(FAULTS)('%s', (_, rule, said) => {
  const message = `In query ["items","ruled"] the list of "item" ${said}. It is shown as the server sent it, and read again when a row changes, until a read agrees with the rule.`
  const bad = () => item('b', { rank: 2, n: 13, version: 2 })
  const begin = async (rows = ranks()) => {
    const world = await scripted()
    const query = listBy(rule)
    const list = await load<Item[]>(world, query, '/ruled', rows, at(0))
    const said = () => world.reports.map((report) => report.message)
    return { ...world, list, said }
  }
  const withBad = (): Item[] => ranks().map((row) => (row.id === 'b' ? bad() : row))

  test('in a read: shown as it came, and a changed row where it stands', async () => {
    const { list, write, said } = await begin(withBad())
    expect([shown(list.data), said()]).toEqual(['a b2#13 c3 d4', [message]])
    write({ op: 'set', id: 'a', to: { rank: 9, done: true } })
    expect([shown(list.data), said()]).toEqual(['a✓9 b2#13 c3 d4', [message]])
  })

  test('in a push: the list is read instead, and again for each change, until a read agrees', async () => {
    const { list, stream, reads, answer, advance, said, write } = await begin()
    await stream.patch(1, [put(bad())])
    expect([shown(list.data), reads('/ruled'), said()]).toEqual(['a b2 c3 d4', 2, [message]])
    await answer('/ruled', withBad(), 1)
    await advance(2_000)
    await stream.patch(2, [put(item('a', { n: 1, version: 2 }))])
    expect([shown(list.data), reads('/ruled'), said()]).toEqual(['a b2#13 c3 d4', 3, [message]])
    await answer('/ruled', ranks(), 2)
    await advance(2_000)
    await stream.patch(3, [put(item('a', { n: 2, version: 3 }))])
    await advance(2_000)
    expect([shown(list.data), reads('/ruled'), said()]).toEqual(['a#2 b2 c3 d4', 3, [message]])
    write({ op: 'set', id: 'a', to: { rank: 9, done: true } })
    expect(shown(list.data)).toBe(rule.where === undefined ? 'b2 c3 d4 a✓9#2' : 'b2 c3 d4')
  })

  test('in a view: the row is shown where it stands, and the list is read when the write is confirmed', async () => {
    const { list, write, confirm, reads, answer, advance, said, sync, stream } = await begin()
    const { id } = write({ op: 'set', id: 'b', to: { n: 13 } })
    expect([shown(list.data), said()]).toEqual(['a b2#13 c3 d4', [message]])
    await confirm(1, [bad()])
    await stream.patch(1, [put(bad())], { mutations: [id] })
    await advance(1_000)
    expect(reads('/ruled')).toBe(2)
    await answer('/ruled', withBad(), 1)
    await advance(20_000)
    expect(allShown(list, shown)).toEqual(['-', 'a b2 c3 d4', 'a b2#13 c3 d4'])
    expect([reads('/ruled'), said(), sync.outbox.getState().entries]).toEqual([2, [message], []])
  })
})

describe('a rule that the server does not keep to', () => {
  const collated = listBy({ orderBy: (a, b) => a.group.localeCompare(b.group, 'en') })
  const rows = (): Item[] => ['B', 'C', 'a'].map((group) => item(group, { group }))
  const ids = (list: readonly Item[] | undefined) => list?.map(({ id }) => id).join(' ') ?? '-'

  test('another collation: the order is the server’s, the report names both rows, once', async () => {
    const world = await scripted()
    const list = await load<Item[]>(world, collated, '/ruled', rows(), at(0))
    const before = list.data
    for (let n = 1; n <= 3; n++) {
      await world.stream.patch(n, [put(item('C', { group: 'C', n, version: n + 1 }))])
      await world.advance(1_500)
      await world.answer(
        '/ruled',
        [item('B', { group: 'B' }), item('C', { group: 'C', n }), item('a', { group: 'a' })],
        n,
      )
    }
    expect([ids(before), ids(list.data), world.reads('/ruled')]).toEqual(['B C a', 'B C a', 4])
    expect(world.reports.map(({ message }) => message)).toEqual([
      expect.stringContaining('row C before a, which its "orderBy" puts the other way'),
    ])
  })

  test('a new row is shown once it is read, and stays where the server has it', async () => {
    const world = await scripted()
    const list = await load<Item[]>(world, collated, '/ruled', rows(), at(0))
    const row = item('b', { group: 'b' })
    world.write({ op: 'insert', row })
    await world.confirm(1, [row])
    await world.advance(1_000)
    await world.answer('/ruled', [...rows(), row], 1)
    await world.advance(20_000)
    expect([ids(list.data), world.reads('/ruled')]).toEqual(['B C a b', 2])
    expect(world.sync.outbox.getState().entries).toEqual([])
  })

  test('rows that "where" does not take stay, and are not taken out by own changes of others', async () => {
    const world = await scripted()
    const query = listBy({ where: (row) => !row.done, orderBy: byRankAndId })
    const list = await load<Item[]>(world, query, '/ruled', [item('a', { done: true }), item('b', { rank: 2 })], at(0))
    world.write({ op: 'set', id: 'b', to: { done: true } })
    expect(shown(list.data)).toBe('a✓ b✓2')
    expect(world.reports.map(({ message }) => message)).toEqual([
      expect.stringContaining('has row a, which its "where" does not take'),
    ])
  })
})

describe('in a declared list of 10 000', () => {
  const calls = { where: 0, orderBy: 0 }
  const query = listBy({
    where: (row) => {
      calls.where++
      return !row.done
    },
    orderBy: (a, b) => {
      calls.orderBy++
      return byRank(a, b)
    },
  })
  const SIZE = 10_000
  const LOG = Math.ceil(Math.log2(SIZE))
  const begin = async () => {
    const world = await scripted()
    const rows = Array.from({ length: SIZE }, (_, n) => item(`r${n}`, { rank: n }))
    await load(world, query, '/ruled', rows, at(0))
    return world
  }
  const countOf = async (run: () => unknown): Promise<typeof calls> => {
    Object.assign(calls, { where: 0, orderBy: 0 })
    await run()
    return { ...calls }
  }
  const atMost = (now: typeof calls, where: number, orderBy: number): void => {
    expect(now.where, `"where" ran ${now.where} times`).toBeLessThanOrEqual(where)
    expect(now.orderBy, `"orderBy" ran ${now.orderBy} times`).toBeLessThanOrEqual(orderBy)
  }

  test('an own change of one row runs the rules a few times, one that moves as often as a search', async () => {
    const { write } = await begin()
    atMost(await countOf(() => write({ op: 'count', id: 'r5000' })), 6, 6)
    atMost(await countOf(() => write({ op: 'set', id: 'r1', to: { rank: 7_000.5 } })), 6, 2 * LOG + 6)
    atMost(await countOf(() => write({ op: 'set', id: 'r2', to: { done: true } })), 6, 6)
    atMost(await countOf(() => write({ op: 'insert', row: item('new', { rank: 3.5 }) })), 6, 2 * LOG + 6)
  })

  test('also with many pending changes of other rows', async () => {
    const { write } = await begin()
    for (let n = 0; n < 50; n++) write({ op: 'set', id: `r${n}`, to: { rank: 9_000.5 } })
    atMost(await countOf(() => write({ op: 'count', id: 'r5000' })), 6, 6)
  })

  test('a pushed change of one row runs them a few times', async () => {
    const { stream, reads } = await begin()
    const row = item('r7', { rank: 7, n: 1, version: 2 })
    atMost(await countOf(() => stream.patch(1, [put(row)])), 6, 6)
    atMost(await countOf(() => stream.patch(2, [put(item('other', { done: true }))])), 6, 6)
    expect(reads('/ruled')).toBe(1)
  })

  test('an answer, and its echo, run them a few times', async () => {
    const { write, confirm, stream, reads } = await begin()
    const handle = write({ op: 'count', id: 'r7' })
    const row = item('r7', { rank: 7, n: 1, version: 2 })
    atMost(await countOf(() => confirm(1, [row])), 12, 12)
    atMost(await countOf(() => stream.patch(1, [put(row)], { mutations: [handle.id] })), 6, 6)
    expect(reads('/ruled')).toBe(1)
  })

  test('a read is checked once', async () => {
    const { sync, answer } = await begin()
    const rows = Array.from({ length: SIZE }, (_, n) => item(`r${n}`, { rank: n, n: 1 }))
    void sync.queryClient.refetchQueries({ queryKey: query.queryKey })
    atMost(await countOf(() => answer('/ruled', rows, 1)), SIZE + 6, SIZE + 6)
  })
})
