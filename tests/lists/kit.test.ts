// What the kit and the mock send, and what it costs their clients: invalidations reach everybody, rows cost no read that they
// need not.
import { defineMutation, entity, queryOptions, syncStream } from 'tidemark'
import { createMockServer } from 'tidemark/mocks'
import { describe, expect, onTestFinished, test } from 'vitest'
import { virtualClock } from '../kit/clock'
import type { Change, Item } from '../kit/lists'
import { changing, doneItems, item, itemRow, oneItem, openItems, orderedItems, rankedItems, shown } from '../kit/lists'
import type { Watch } from '../kit/world'
import { createWorld } from '../kit/world'
import type { ServerName, Told } from './servers'
import { stage } from './servers'

const ROWS = [item('a'), item('b', { rank: 2 }), item('c', { done: true, rank: 3 }), item('d', { rank: 4 })]
const SERVERS: ServerName[] = ['the kit', 'the mock', 'plain REST with a stream']

async function begin(name: ServerName, told: Told, hasApply = true, isBare = false) {
  const { client, server, pass } = await stage(name, { rows: ROWS, told, isBare })
  const [writer, other] = [await client(changing(hasApply ? {} : { apply: undefined })), await client()]
  const watch = (query: { queryKey: readonly unknown[] }): Watch<Item[]>[] =>
    [writer, other].map((each) => each.watch<Item[]>(query))
  const count = () => {
    writer.count()
    other.count()
  }
  const reads = (path: string) => [writer.reads(path), other.reads(path)]
  return { server, pass, writer, other, watch, count, reads }
}

const texts = (views: readonly Watch<Item[]>[]) => views.map(({ data }) => shown(data))

describe.each(SERVERS)('%s', (name) => {
  test.each(['invalidate', 'put, invalidate', 'invalidate, put'] as const)(
    'an invalidation reaches the writer and the other, once: %s',
    async (told) => {
      const { watch, pass, count, reads, writer } = await begin(name, told)
      const views = [watch(openItems), watch(doneItems), watch(oneItem('a'))]
      await pass()
      count()
      writer.write({ op: 'count', id: 'a' })
      await pass()
      expect([reads('/open'), reads('/done')]).toEqual(Array(2).fill([1, 1]))
      expect(views[0]?.map(({ data }) => shown(data))).toEqual(Array(2).fill('a#1 b2 d4'))
      expect(views[2]?.map(({ data }) => (data as unknown as Item).n)).toEqual([1, 1])
    },
  )

  test.each([
    ['put', true],
    ['put', false],
    ['merge', true],
    ['merge', false],
  ] as const)('many changes in their places cost nobody a read: %s, with apply: %s', async (told, hasApply) => {
    const { watch, pass, count, reads, writer, server } = await begin(name, told, hasApply)
    const views = [watch(openItems), watch(orderedItems), watch(rankedItems)]
    await pass()
    count()
    for (const id of ['a', 'b', 'c', 'a', 'a']) writer.write({ op: 'count', id })
    await server.commit([{ op: 'count', id: 'd' }])
    await pass()
    await server.commit([{ op: 'set', id: 'd', to: { group: 'y' } }])
    await pass()
    const open = 'a#3 b2#1 d4#1y'
    const ranked = 'a#3 b2#1 c✓3#1 d4#1y'
    expect(views.map(texts)).toEqual([open, open, ranked].map((each) => [each, each]))
    expect(['/open', '/ranked', '/ordered'].map(reads)).toEqual(Array(3).fill([0, 0]))
  })

  test('twenty own writes are one read of an undeclared list; twenty of others at most two', async () => {
    const { watch, pass, count, reads, writer } = await begin(name, 'put')
    const views = watch(doneItems)
    await pass()
    count()
    for (let n = 0; n < 20; n++) writer.write({ op: 'count', id: 'c' })
    await pass()
    const [own, others] = reads('/done') as [number, number]
    expect([own, others <= 2, texts(views)]).toEqual([1, true, ['c✓3#20', 'c✓3#20']])
  })

  test('an undeclared list is read at most once a second for what others do', async () => {
    const { watch, pass, count, reads, server } = await begin(name, 'put')
    const views = watch(doneItems)
    await pass()
    count()
    for (let n = 0; n < 40; n++) {
      await server.commit([{ op: 'count', id: 'c' }])
      await pass(100)
    }
    const [first] = reads('/done') as [number, number]
    expect(first).toBeGreaterThanOrEqual(4)
    expect(first).toBeLessThanOrEqual(5)
    await pass()
    expect(texts(views)).toEqual(['c✓3#40', 'c✓3#40'])
  })

  test('a search that cannot be declared: a new row is in it once it is read, a changed one stands where it stood', async () => {
    const search = queryOptions({
      queryKey: ['items', 'search', 'x'],
      queryFn: ({ fetch }) => fetch('/done').then((answer): Promise<Item[]> => answer.json()),
      rows: [itemRow, (items) => items],
    })
    const { watch, pass, count, reads, writer } = await begin(name, 'put')
    const views = watch(search)
    await pass()
    count()
    writer.write({ op: 'insert', row: item('e', { done: true, rank: 9 }) })
    expect(texts(views)).toEqual(['c✓3', 'c✓3'])
    await pass()
    expect([texts(views), reads('/done')]).toEqual([Array(2).fill('c✓3 e✓9'), [1, 1]])
    writer.write({ op: 'set', id: 'c', to: { rank: 10 } })
    expect(texts(views)).toEqual(['c✓10 e✓9', 'c✓3 e✓9'])
    await pass()
    expect([texts(views), reads('/done')]).toEqual([Array(2).fill('e✓9 c✓10'), [2, 2]])
  })

  test('a transaction of several rows is one publish for who is not the writer, where all of it moves', async () => {
    const { watch, pass, other, server } = await begin(name, 'put')
    const [, views] = watch(openItems)
    await pass()
    const steps: Change[] = [
      { op: 'set', id: 'a', to: { rank: 9 } },
      { op: 'count', id: 'b' },
      { op: 'remove', id: 'd' },
    ]
    await server.commit(steps)
    await pass()
    expect(shown(views?.data)).toBe('b2#1 a9')
    expect(other.reads('/open')).toBe(2)
  })
})

describe('rows without versions', () => {
  test.each(['put', 'merge'] as const)('what the kit sends costs no read either: %s', async (told) => {
    const { watch, pass, count, reads, writer } = await begin('the kit', told, false, true)
    const views = [watch(openItems), watch(rankedItems)]
    await pass()
    count()
    for (const id of ['a', 'c', 'a']) writer.write({ op: 'count', id })
    await pass()
    expect(views.map(texts)).toEqual([Array(2).fill('a#2 b2 d4'), Array(2).fill('a#2 b2 c✓3#1 d4')])
    expect(['/open', '/ranked'].map(reads)).toEqual(Array(2).fill([0, 0]))
  })
})

test('a table of the mock tells its rows: a declared list is not read, what declares no rows under its key is', async () => {
  const clock = virtualClock()
  const server = createMockServer({ tables: { items: { rows: ROWS, entity: 'item' } }, clock })
  onTestFinished(() => server.close())
  const all = queryOptions({
    queryKey: ['items'],
    queryFn: ({ fetch }) => fetch('/api/items').then((answer): Promise<Item[]> => answer.json()),
    rows: [itemRow, (items) => items, { where: () => true }],
  })
  const total = queryOptions({
    queryKey: ['items', 'total'],
    queryFn: ({ fetch }) =>
      fetch('/api/sync/queries/items').then(async (answer) => ((await answer.json()) as Item[]).length),
  })
  const edit = defineMutation({
    mutationKey: ['items', 'edit'],
    mutationFn: async ({ id, ...to }: Partial<Item> & { id: string }, { fetch }) =>
      (await fetch(`/api/items/${id}`, { method: 'PATCH', body: JSON.stringify(to) })).json() as Promise<Item>,
    optimistic: (view, { id, ...to }) => view.row(itemRow, id).update((row) => void Object.assign(row, to)),
    apply: (base, row) => base.upsert(itemRow, row),
  })
  const worlds = [1, 2].map((seed) =>
    createWorld({
      ...{ seed, mutations: [edit], stream: syncStream({ url: '/api/sync' }) },
      platform: { clock, fetch: server.fetch as never },
    }),
  )
  const lists = worlds.map((world) => {
    onTestFinished(world.sync.start())
    world.watch(total)
    return world.watch<Item[]>(all)
  })
  const pass = async () => {
    for (let n = 0; n < 40; n++) await clock.advance(100)
  }
  const reads = () =>
    ['/api/items', '/api/sync/queries/items'].map(
      (wanted) => server.log.filter(({ method, path }) => method === 'GET' && path === wanted).length,
    )
  await pass()
  expect(reads()).toEqual([2, 2])
  worlds[0]?.sync.mutate(edit, { id: 'a', n: 1 })
  expect(texts(lists)).toEqual(['a#1 b2 c✓3 d4', 'a b2 c✓3 d4'])
  await pass()
  expect([texts(lists), reads()]).toEqual([Array(2).fill('a#1 b2 c✓3 d4'), [2, 4]])
})

test('a transaction with rows of two kinds costs the queries of neither a read', async () => {
  const clock = virtualClock()
  const tables = { items: { rows: ROWS, entity: 'item' }, users: { rows: [{ id: 'u', name: 'x' }], entity: 'user' } }
  const server = createMockServer({ tables, clock })
  onTestFinished(() => server.close())
  const userRow = entity<{ id: string; name: string }>('user')
  const queries = [
    queryOptions({
      queryKey: ['items'],
      queryFn: ({ fetch }) => fetch('/api/items').then((answer): Promise<Item[]> => answer.json()),
      rows: [itemRow, (items) => items, { where: () => true }],
    }),
    queryOptions({
      queryKey: ['users'],
      queryFn: ({ fetch }) =>
        fetch('/api/users').then((answer): Promise<{ id: string; name: string }[]> => answer.json()),
      rows: [userRow, (users) => users, { where: () => true }],
    }),
  ]
  const world = createWorld({
    stream: syncStream({ url: '/api/sync' }),
    platform: { clock, fetch: server.fetch as never },
  })
  onTestFinished(world.sync.start())
  const [items, users] = queries.map((query) => world.watch<unknown[]>(query))
  const pass = async () => {
    for (let n = 0; n < 40; n++) await clock.advance(100)
  }
  await pass()
  const reads = () => server.log.filter(({ method }) => method === 'GET').length
  const before = reads()
  await server.write(async (tx) => {
    await tx.put('item', 'a', item('a', { n: 1 }), { topics: ['items'] })
    await tx.put('user', 'u', { id: 'u', name: 'y' }, { topics: ['users'] })
  })
  await pass()
  expect([shown(items?.data as Item[]), users?.data, reads() - before]).toEqual([
    'a#1 b2 c✓3 d4',
    [{ id: 'u', name: 'y' }],
    0,
  ])
})
