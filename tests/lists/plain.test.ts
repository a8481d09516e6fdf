// Faults that a search from outside has found over a plain REST server: what was shown, or not read, until somebody asked again.
import { createQueryStore, infiniteQueryOptions, queryOptions } from 'tidemark'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Change, Item } from '../kit/lists'
import { changing, item, itemRow, shown } from '../kit/lists'
import type { Answer } from '../kit/network'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'
import { at } from './scripted'

const everything = queryOptions({
  queryKey: ['items', 'all'],
  queryFn: ({ fetch }) => fetch('/all').then((answer): Promise<Item[]> => answer.json()),
  rows: [itemRow, (items) => items, { where: () => true }],
})
const inGroup = queryOptions({
  queryKey: ['items', 'group'],
  queryFn: ({ fetch }) => fetch('/group').then((answer): Promise<Item[]> => answer.json()),
  rows: [itemRow, (items) => items, { where: ({ group }) => group === 'b' }],
})
const one = queryOptions({
  queryKey: ['item', 'a'],
  queryFn: ({ fetch }) => fetch('/one').then((answer): Promise<Item | null> => answer.json()),
  rows: [itemRow, (row) => row as Item],
})
const pages = infiniteQueryOptions({
  queryKey: ['items', 'pages'],
  queryFn: ({ fetch, pageParam }) =>
    fetch(`/pages?after=${pageParam}`).then((answer): Promise<{ items: Item[]; next: string | null }> => answer.json()),
  initialPageParam: '',
  getNextPageParam: ({ next }) => next,
  retry: 3,
  retryDelay: 0,
  rows: [itemRow, ({ items }) => items, { where: () => true }],
})

const mutation = changing()

/** Starts the client, and watches the query over rows that it was answered with. */
async function watched(query: { queryKey: readonly unknown[] }, answer: unknown, with_: Answer = {}) {
  const world = createWorld({ mutations: [mutation] })
  onTestFinished(world.sync.start())
  const list = world.watch<Item[]>(query)
  await world.settle()
  await world.net.waiting[0]?.answer(answer, with_)
  const write = (change: Change) => world.sync.mutate(mutation, [change])
  return { world, list, write }
}

/** Answers writes one after another, then reads, until nothing asks any more. */
async function answerAll(world: World, rows: (id: string) => Item | null, read: unknown, position?: number) {
  let reads = 0
  for (let n = 0; n < 12; n++) {
    await world.advance(500)
    const [next] = world.net.waiting
    if (next === undefined) continue
    const answer = position === undefined ? {} : at(position)
    if (next.method === 'GET') reads++
    const change = next.method === 'GET' ? undefined : (next.body as Change[])[0]
    const id = change === undefined ? '' : 'row' in change ? change.row.id : change.id
    await next.answer(change === undefined ? read : { rows: { [id]: rows(id) } }, answer)
  }
  return reads
}

describe('a row that was moved by hand, or taken out of pages, and then written again', () => {
  test.each([undefined, 2])(
    'is read for, though the answer of the second brings the row (position %s)',
    async (position) => {
      const rows = [item('a'), item('b'), item('c')]
      const { world, list, write } = await watched(everything, rows, position === undefined ? {} : at(0))
      write({ op: 'move', id: 'a', at: 'end' })
      const last = write({ op: 'count', id: 'a' })
      expect(shown(list.data)).toBe('b c a#1')
      const a = item('a', { n: 1, version: 3 })
      const reads = await answerAll(world, () => a, [item('b'), item('c'), a], position)
      await last.reflected
      expect([shown(list.data), reads]).toEqual(['b c a#1', 1])
    },
  )
})

describe('a page that is read again behind others', () => {
  test('leaves the read as old as those: a write that was accepted meanwhile stays', async () => {
    const world = createWorld({ mutations: [mutation] })
    onTestFinished(world.sync.start())
    const store = createQueryStore(world.sync, pages)
    const frames: string[] = []
    store.subscribe(({ data }) => {
      const frame = shown(data?.pages.flatMap(({ items }) => items))
      if (frame !== frames.at(-1)) frames.push(frame)
    })
    const page = async (...items: Item[]) => {
      await world.settle()
      const next = items.some(({ id }) => id === 'a') ? 'b' : null
      await world.net.take('GET').answer({ items, next })
    }
    await page(item('a'), item('b'))
    void store.getState().fetchNextPage()
    await page(item('c'))
    void store.getState().refetch()
    await page(item('a'), item('b'))
    world.sync.mutate(mutation, [{ op: 'count', id: 'a' }])
    await world.settle()
    await world.net.take('POST').answer({ rows: { a: item('a', { n: 1, version: 2 }) } })
    await world.settle()
    await world.net.take('GET').answer({ detail: 'no' }, { status: 500 })
    // The pause before a retry is query-core's own timer.
    while (world.net.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve))
    await page(item('c'))
    for (let n = 0; n < 6; n++) {
      await world.advance(1_000)
      const read = world.net.waiting[0]
      if (read?.url.endsWith('after=')) await page(item('a', { n: 1, version: 2 }), item('b'))
      else if (read !== undefined) await page(item('c'))
    }
    expect(frames.slice(-2)).toEqual(['a b c', 'a#1 b c'])
  })
})

test.each([true, false])(
  'a row enters by a second write, though the first was made before anybody had it (in a list: %s)',
  async (hasList) => {
    const world = createWorld({ mutations: [mutation] })
    onTestFinished(world.sync.start())
    world.sync.mutate(mutation, [{ op: 'set', id: 'x', to: { n: 1 } }])
    const from = hasList ? everything : { ...one, queryKey: ['item', 'x'] }
    world.watch(from)
    const list = world.watch<Item[]>(inGroup)
    await world.settle()
    const x = item('x', { group: 'a' })
    await world.net.take('GET', hasList ? '/all' : '/one').answer(hasList ? [x] : x)
    await world.net.take('GET', '/group').answer([item('y', { group: 'b' })])
    world.sync.mutate(mutation, [{ op: 'set', id: 'x', to: { group: 'b' } }])
    expect(list.data?.map(({ id, n }) => `${id} ${n}`)).toEqual(['y 0', 'x 1'])
  },
)

describe('a detail', () => {
  test('of a row that is deleted and made again is read', async () => {
    const { world, list, write } = await watched(one, item('a'))
    write({ op: 'remove', id: 'a' })
    await answerAll(world, () => null, null)
    write({ op: 'upsert', row: item('a', { n: 5 }) })
    await answerAll(world, () => item('a', { n: 5 }), item('a', { n: 5, version: 3 }))
    expect((list.data as unknown as Item | undefined)?.n).toBe(5)
  })

  test('is read for a write that changes nothing in it, and whose answer brings no row: its version is another', async () => {
    const world = createWorld({ mutations: [changing({ apply: undefined })] })
    const silent = changing({ apply: undefined })
    onTestFinished(world.sync.start())
    const view = world.watch<Item>(one)
    await world.settle()
    await world.net.take('GET').answer(item('a'))
    const handle = world.sync.mutate(silent, [{ op: 'set', id: 'a', to: { n: 0 } }])
    const reads = await answerAll(world, () => null, item('a', { version: 2 }))
    await handle.reflected
    expect([reads, view.data?.version]).toEqual([1, 2])
  })
})

test('a change there and back, both refused, is no reason to tell anybody of equal rows', async () => {
  const { world, list, write } = await watched(everything, [item('a'), item('b')])
  for (const n of [5, 0]) write({ op: 'set', id: 'a', to: { n } }).confirmed.catch(() => {})
  const { length } = list.values
  for (let n = 0; n < 2; n++) {
    await world.settle()
    await world.net.take('POST').answer({ detail: 'no' }, { status: 422 })
  }
  expect([shown(list.data), list.values.length]).toEqual(['a b', length])
})

test.each([
  ['removes', () => null],
  ['brings', () => item('a', { n: 7 })],
])('an answer that %s one of two rows says nothing of the other: that is shown until a read has it', async (_, row) => {
  const { world, list } = await watched(everything, [item('a'), item('b')])
  const handle = world.sync.mutate(mutation, [
    row() === null ? { op: 'remove', id: 'a' } : { op: 'set', id: 'a', to: { n: 7 } },
    { op: 'set', id: 'b', to: { n: 7 } },
  ])
  const from = list.values.length
  const end = row() === null ? [item('b', { n: 7 })] : [item('a', { n: 7 }), item('b', { n: 7 })]
  const reads = await answerAll(world, row, end)
  await handle.reflected
  expect([shown(list.data), reads, list.values.length - from]).toEqual([shown(end), 1, 0])
})
