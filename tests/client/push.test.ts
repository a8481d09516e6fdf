// What the stream brings, as people see it: rows wherever they are cached, one publish for one transaction.
import {
  createQueryStore,
  defineMutation,
  entity,
  infiniteQueryOptions,
  QueryObserver,
  queryOptions,
  syncStream,
} from 'tidemark'
import { describe, expect, test } from 'vitest'
import { createWorld } from '../kit/world'

interface Task {
  id: string
  title: string
  version: number
}
const taskRow = entity<Task>('task')
const json =
  <T>(url: string) =>
  ({ fetch }: { fetch: (url: string) => Promise<Response> }) =>
    fetch(url).then((response): Promise<T> => response.json())
const listQuery = queryOptions({
  queryKey: ['tasks'],
  queryFn: json<Task[]>('/tasks'),
  rows: [taskRow, (rows) => rows, { where: () => true }],
})
const wrappedQuery = queryOptions({
  queryKey: ['wrapped'],
  queryFn: json<{ total: number; items: Task[] }>('/wrapped'),
  rows: [taskRow, (data) => data.items, { where: () => true }],
})
const detailQuery = (id: string) =>
  queryOptions({ queryKey: ['task', id], queryFn: json<Task>(`/task/${id}`), rows: [taskRow, (row) => row] })
const pagesQuery = infiniteQueryOptions({
  queryKey: ['pages'],
  queryFn: ({ fetch, pageParam }) =>
    fetch(`/pages/${pageParam}`).then((response): Promise<{ items: Task[]; next: number | null }> => response.json()),
  initialPageParam: 0,
  getNextPageParam: (page) => page.next,
  rows: [taskRow, (page) => page.items, { where: () => true }],
})
const rename = defineMutation({
  mutationKey: ['rename'],
  mutationFn: (task: Task, { fetch }) =>
    fetch('/rename', { body: JSON.stringify(task) }).then((response): Promise<Task> => response.json()),
  optimistic: (view, task) =>
    view.row(taskRow, task.id).update((draft) => {
      draft.title = task.title
    }),
  apply: (base, saved) => base.upsert(taskRow, saved),
})

const task = (id: string, version = 1, title = `${id}${version}`): Task => ({ id, title, version })
const at = (position: number) => ({ headers: { 'sync-cursor': `e:${position}` } })
const put = (id: string, version: number) => ({ op: 'put', type: 'task', id, version, value: task(id, version) })

async function start() {
  const world = createWorld({ mutations: [rename], stream: syncStream({ url: '/stream' }) })
  const { sync, net, settle } = world
  sync.start()
  await settle()
  const stream = net.stream()
  await stream.send('hello', { protocol: 1, epoch: 'e', resume: 'fresh', cursor: 'e:1' })
  let last = 1
  return {
    ...world,
    async event(name: string, data: object, position = last + 1) {
      await stream.send(name, { prev: `e:${last}`, ...data }, `e:${position}`)
      last = position
    },
    async load<T>(query: { queryKey: readonly unknown[] }, body: unknown) {
      const watch = world.watch<T>(query)
      await settle()
      await net.take('GET').answer(body, at(last))
      return watch
    },
  }
}

describe('a patch', () => {
  test('changes the row in lists, wrapped lists, details and pages, each published once', async () => {
    const { load, event, net } = await start()
    const list = await load<Task[]>(listQuery, [task('a'), task('b')])
    const wrapped = await load<{ total: number; items: Task[] }>(wrappedQuery, { total: 1, items: [task('a')] })
    const detail = await load<Task>(detailQuery('a'), task('a'))
    const other = await load<Task>(detailQuery('b'), task('b'))
    const pages = await load<{ pages: Array<{ items: Task[] }> }>(pagesQuery, { items: [task('a')], next: null })
    const counts = [list, wrapped, detail, other, pages].map(({ values }) => values.length)
    await event('patch', {
      changes: [{ op: 'merge', type: 'task', id: 'a', base: 1, version: 2, value: { title: 'new', version: 2 } }],
      mutations: [],
    })
    expect(list.data?.map(({ title }) => title)).toEqual(['new', 'b1'])
    expect(list.data?.[1]).toBe(list.values.at(-2)?.[1])
    expect(wrapped.data?.items[0]?.title).toBe('new')
    expect(detail.data?.title).toBe('new')
    expect(pages.data?.pages[0]?.items[0]?.title).toBe('new')
    expect([list, wrapped, detail, other, pages].map(({ values }) => values.length)).toEqual(
      counts.map((count, i) => count + (i === 3 ? 0 : 1)),
    )
    expect(net.waiting).toEqual([])
  })

  test('of several rows is one publish, and no listener sees one query without the other', async () => {
    const { load, event, sync } = await start()
    const list = await load<Task[]>(listQuery, [task('a'), task('b')])
    await load<Task>(detailQuery('b'), task('b'))
    const seen: string[] = []
    const a = new QueryObserver(sync.viewClient, listQuery)
    const b = createQueryStore(sync, detailQuery('b'))
    a.subscribe(({ data }) => seen.push(`${data?.[1]?.title} ${b.getState().data?.title}`))
    b.subscribe(({ data }) => seen.push(`${a.getCurrentResult().data?.[1]?.title} ${data?.title}`))
    seen.length = 0
    await event('patch', { changes: [put('a', 2), put('b', 2)], mutations: [] })
    expect(seen).toEqual(['b2 b2', 'b2 b2'])
    expect(list.values.at(-1)).toEqual([task('a', 2), task('b', 2)])
  })

  test('in parts is applied when its last part is there', async () => {
    const { load, event, net } = await start()
    const list = await load<Task[]>(listQuery, [task('a'), task('b')])
    await net.stream().send('patch', { prev: 'e:1', txn: 't', more: true, changes: [put('a', 2)], mutations: [] })
    expect(list.data).toEqual([task('a'), task('b')])
    await event('patch', { txn: 't', changes: [put('b', 2)], mutations: [] })
    expect(list.values.slice(-2)).toEqual([
      [task('a'), task('b')],
      [task('a', 2), task('b', 2)],
    ])
  })

  test('that is older than the row changes nothing and asks nobody', async () => {
    const { load, event, net } = await start()
    const list = await load<Task[]>(listQuery, [task('a', 5)])
    await event('patch', { changes: [put('a', 4)], mutations: [] })
    expect(list.data).toEqual([task('a', 5)])
    expect(net.waiting).toEqual([])
  })

  test('on a version that the row does not have reads the query again', async () => {
    const { load, event, net, settle } = await start()
    const list = await load<Task[]>(listQuery, [task('a', 1)])
    await event('patch', {
      changes: [{ op: 'merge', type: 'task', id: 'a', base: 2, version: 3, value: { title: 'x' } }],
      mutations: [],
    })
    expect(list.data).toEqual([task('a', 1)])
    await net.take('GET', '/tasks').answer([task('a', 3)], at(2))
    await settle()
    expect(list.data).toEqual([task('a', 3)])
  })

  test('of a new row reads the lists that it may belong to, and no detail of another row', async () => {
    const { load, event, net } = await start()
    await load<Task[]>(listQuery, [task('a')])
    await load<Task>(detailQuery('a'), task('a'))
    await event('patch', { changes: [put('c', 1)], mutations: [] })
    expect(net.waiting.map(({ url }) => url)).toEqual(['/tasks'])
  })

  test('that pollutes is refused, and the query is read again', async () => {
    const { load, event, net, reports } = await start()
    const list = await load<Task[]>(listQuery, [task('a')])
    const value = [{ op: 'add', path: '/__proto__/polluted', value: true }]
    await event('patch', {
      changes: [{ op: 'patch', type: 'task', id: 'a', base: 1, version: 2, value }],
      mutations: [],
    })
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(list.data).toEqual([task('a')])
    expect(reports.map(({ code }) => code)).toEqual(['protocol'])
    expect(net.waiting.map(({ url }) => url)).toEqual(['/tasks'])
  })

  test('that deletes a row takes it out, and a read from before does not bring it back', async () => {
    const { load, event, net, sync, settle } = await start()
    const list = await load<Task[]>(listQuery, [task('a'), task('b')])
    void sync.queryClient.refetchQueries({ queryKey: ['tasks'] })
    await settle()
    await event('patch', { changes: [{ op: 'del', type: 'task', id: 'a', version: 2 }], mutations: [] })
    expect(list.data).toEqual([task('b')])
    await net.take('GET', '/tasks').answer([task('a'), task('b')])
    await settle()
    expect(list.data).toEqual([task('b')])
  })
})

describe('an invalidation', () => {
  test('reads what is watched and leaves the rest stale', async () => {
    const { load, event, net, sync } = await start()
    await load<Task[]>(listQuery, [])
    const detail = await load<Task>(detailQuery('a'), task('a'))
    detail.stop()
    await event('invalidate', { keys: [['tasks'], ['task']], mutations: [] })
    expect(net.waiting.map(({ url }) => url)).toEqual(['/tasks'])
    expect(sync.queryClient.getQueryState(['task', 'a'])?.isInvalidated).toBe(true)
  })

  test('by entity passes over queries that have the version already', async () => {
    const { load, event, net } = await start()
    await load<Task>(detailQuery('a'), task('a', 3))
    await event('invalidate', { entities: [{ type: 'task', id: 'a', version: 3 }], mutations: [] })
    expect(net.waiting).toEqual([])
    await event('invalidate', { entities: [{ type: 'task', id: 'a', version: 4 }], mutations: [] })
    expect(net.waiting.map(({ url }) => url)).toEqual(['/task/a'])
  })

  test('that echoes our own write, whose answer brought its row alone, is read: more may have changed', async () => {
    const { load, event, net, sync, settle } = await start()
    const list = await load<Task[]>(listQuery, [task('a')])
    const handle = sync.mutate(rename, task('a', 1, 'mine'))
    await settle()
    await net.take('POST').answer(task('a', 2, 'mine'), at(2))
    await event('invalidate', { keys: [['tasks']], mutations: [{ id: handle.id }] })
    await net.take('GET').answer([task('a', 2, 'mine')], at(3))
    expect(list.data).toEqual([task('a', 2, 'mine')])
    await event('invalidate', { keys: [['tasks']], mutations: [{ id: handle.id }] })
    expect(net.waiting).toEqual([])
    expect(sync.outbox.getState().entries).toEqual([])
  })

  test('is spread over the time that it says', async () => {
    const { load, event, net, advance } = await start()
    await load<Task[]>(listQuery, [])
    await event('invalidate', { keys: [['tasks']], mutations: [], spread: 10_000 })
    expect(net.waiting).toEqual([])
    await advance(10_000)
    expect(net.waiting).toHaveLength(1)
  })

  test('of one key among ten thousand cached queries touches one', async () => {
    const { event, sync } = await start()
    for (let i = 0; i < 10_000; i++) sync.queryClient.setQueryData(['many', i], { id: String(i) })
    const updated: unknown[] = []
    sync.queryClient.getQueryCache().subscribe((change) => {
      if (change.type === 'updated') updated.push(change.query.queryKey)
    })
    await event('invalidate', { keys: [['many', 77]], mutations: [] })
    expect(updated).toEqual([['many', 77]])
  })

  test('again and again while a read is on its way reads once more, a second after that began', async () => {
    const { load, event, net, settle, advance } = await start()
    await load<Task[]>(listQuery, [])
    for (let i = 0; i < 20; i++) await event('invalidate', { keys: [['tasks']], mutations: [] })
    expect(net.waiting).toHaveLength(1)
    await net.take('GET').answer([], at(5))
    await advance(999)
    expect(net.waiting).toEqual([])
    await advance(1)
    expect(net.waiting).toHaveLength(1)
    await net.take('GET').answer([], at(21))
    await settle()
    expect(net.waiting).toEqual([])
  })
})

describe('a merge that brings the whole row', () => {
  const title = 'whole'
  const merge = (base: number, version: number) => ({
    changes: [{ op: 'merge', type: 'task', id: 'a', base, version, value: { title }, row: task('a', version, title) }],
    mutations: [],
  })

  test.each([
    ['of no version', { id: 'a', title: 'old' }],
    ['of an older version', task('a', 1)],
  ])('takes the place of a row %s, and nothing is read', async (_, row) => {
    const { load, event, net } = await start()
    const list = await load<Task[]>(listQuery, [row])
    await event('patch', merge(2, 3))
    expect(list.data).toEqual([task('a', 3, title)])
    expect(net.waiting).toEqual([])
  })

  test('is nothing to a row that is newer', async () => {
    const { load, event, net } = await start()
    const list = await load<Task[]>(listQuery, [task('a', 7)])
    await event('patch', merge(2, 3))
    expect(list.data).toEqual([task('a', 7)])
    expect(net.waiting).toEqual([])
  })
})

describe('a patch whose row says another id, or none', () => {
  test.each([
    ['put', { title: 'A' }, 'undefined'],
    ['put', { id: 'b', title: 'A' }, 'b'],
    ['merge', { id: 'b' }, 'b'],
  ])('%s %j: the row stays findable, the queries are read again, and it is said', async (op, value, said) => {
    const { load, event, net, reports, settle } = await start()
    const list = await load<Task[]>(listQuery, [task('a')])
    await event('patch', { changes: [{ op, type: 'task', id: 'a', base: 1, version: 2, value }], mutations: [] })
    await settle()
    expect(list.data).toEqual([task('a')])
    expect(net.waiting.map(({ url }) => url)).toEqual(['/tasks'])
    expect(reports.map(({ code, message }) => [code, message])).toEqual([
      [
        'protocol',
        `A pushed change of task a could not be applied, so its queries are read again: its row says that its id is ${said}.`,
      ],
    ])
  })
})

describe('a state', () => {
  test('replaces a whole query and is patched on its version', async () => {
    const { load, event, net } = await start()
    const counter = await load<{ count: number }>(
      queryOptions({ queryKey: ['counter'], queryFn: json<{ count: number }>('/counter') }),
      { count: 0 },
    )
    await event('state', { key: ['counter'], version: 7, value: { count: 7 }, mutations: [] })
    expect(counter.data).toEqual({ count: 7 })
    await event('state', {
      key: ['counter'],
      base: 7,
      version: 8,
      patch: [{ op: 'replace', path: '/count', value: 8 }],
      mutations: [],
    })
    expect(counter.data).toEqual({ count: 8 })
    await event('state', {
      key: ['counter'],
      base: 9,
      version: 10,
      patch: [{ op: 'replace', path: '/count', value: 10 }],
      mutations: [],
    })
    expect(counter.data).toEqual({ count: 8 })
    expect(net.waiting.map(({ url }) => url)).toEqual(['/counter'])
  })
})
