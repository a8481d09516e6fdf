// Reads: what comes into the base, by which way, and what is shown of it.
import {
  createQueryStore,
  defineMutation,
  dehydrate,
  hydrate,
  QueryClient,
  QueryObserver,
  queryOptions,
  syncStream,
} from 'tidemark'
import { describe, expect, test } from 'vitest'
import { at, doc, docQuery, expectSettled, loadDoc, reads, takeRead, takeWrite, watchDoc, writing } from '../kit/docs'
import { greet } from '../kit/stream'
import type { Todo } from '../kit/todos'
import {
  adding,
  editing,
  loadTodos,
  post,
  take,
  titles,
  titlesShown,
  todo,
  todoQuery,
  todoRow,
  todosQuery,
} from '../kit/todos'
import { createWorld } from '../kit/world'

const push = writing('push')
const add = writing('add')

describe('what a query shows', () => {
  test('optimistic: false shows the base, never a pending change', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = world.watch<{ tokens: string[] }>({ ...docQuery('q1'), optimistic: false } as never)
    const q2 = await loadDoc(world, doc('q2', 0))
    await takeRead(world, 'q1').answer(doc('q1', 0), at(0))
    world.sync.mutate(push, { token: 'm', to: ['q1', 'q2'] })
    expect([q1.data?.tokens, q2.now]).toEqual([[], 'm'])
    await world.settle()
    await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] }, at(1))
    expect(q1.values.map((value) => value?.tokens.join())).toEqual([undefined, '', 'm'])
  })

  test('the plain client shows base, the view client shows views', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    await loadDoc(world, doc('q1', 0))
    const { queryKey } = docQuery('q1')
    const plain = new QueryObserver<{ tokens: string[] }>(world.sync.queryClient, { queryKey, enabled: false })
    const view = new QueryObserver<{ tokens: string[] }>(world.sync.viewClient, { queryKey, enabled: false })
    const stops = [plain.subscribe(() => {}), view.subscribe(() => {})]
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    expect(plain.getCurrentResult().data?.tokens).toEqual([])
    expect(view.getCurrentResult().data?.tokens).toEqual(['m'])
    for (const stop of stops) stop()
  })

  test('select runs on the view, and its rollback is exact', async () => {
    const edit = editing()
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    await loadTodos(world, [todo('1', 'a')], at(0))
    const store = createQueryStore(world.sync, { ...todosQuery, select: (rows: Todo[]) => titles(rows) } as never)
    const seen: unknown[] = []
    const stop = store.subscribe((state) => seen.push((state as { data: unknown }).data))
    world.sync.mutate(edit, { id: '1', title: 'A' })
    await world.settle()
    await take(world, '/edit').answer({ title: 'No.' }, { status: 422 })
    expect(seen.filter((each, i) => each !== seen[i - 1])).toEqual(['A', 'a'])
    stop()
  })

  test('a listener of one query never sees another half-way', async () => {
    const world = createWorld({ mutations: [push], stream: syncStream({ url: '/sync' }) })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0))
    const q2 = await loadDoc(world, doc('q2', 0))
    const seen: string[] = []
    const stores = ['q1', 'q2'].map((id) => createQueryStore(world.sync, docQuery(id)))
    const look = () => seen.push(stores.map((store) => store.getState().data?.tokens.join('') ?? '-').join(' '))
    const stops = stores.map((store) => store.subscribe(look))
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1', 'q2'] })
    await world.settle()
    await stream.patch(
      1,
      ['q1', 'q2'].map((id) => ({ op: 'put', type: 'doc', id, version: 1, value: doc(id, 1, 'o', 'm') })),
      { mutations: [handle.id] },
    )
    world.sync.mutate(push, { token: 'n', to: ['q1', 'q2'] })
    expect(new Set(seen)).toEqual(new Set(['m m', 'om om', 'omn omn']))
    expect([q1.shown, q2.shown]).toEqual([
      ['-', '', 'm', 'o m', 'o m n'],
      ['-', '', 'm', 'o m', 'o m n'],
    ])
    for (const stop of stops) stop()
  })

  test('when a covering read comes, equal rows keep their reference and nobody is told', async () => {
    const edit = editing()
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    const list = await loadTodos(world, [todo('1', 'a'), todo('2', 'b')], at(0))
    world.sync.mutate(edit, { id: '1', title: 'A' })
    const shown = list.data
    await world.settle()
    await take(world, '/edit').answer({}, at(1))
    await world.settle()
    await world.net.take('GET').answer([todo('1', 'A'), todo('2', 'b')], at(1))
    expect(list.data).toBe(shown)
    expect(list.values).toHaveLength(3)
    expect(world.sync.outbox.getState().entries).toEqual([])
  })

  test('a refetch that brings one new row leaves the others alone', async () => {
    const world = createWorld()
    world.sync.start()
    const list = await loadTodos(world, [todo('1', 'a'), todo('2', 'b')], at(0))
    const [a, b] = list.data ?? []
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await world.net.take('GET').answer([todo('0', 'new'), todo('1', 'a'), todo('2', 'B')], at(1))
    expect(list.data?.[1]).toBe(a)
    expect(list.data?.[2]).not.toBe(b)
  })
})

describe('what an answer does', () => {
  test('apply writes rows wherever they are, in the transition that drops the layer', async () => {
    const edit = editing({ apply: (base, saved) => saved && base.upsert(todoRow, saved) })
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    const list = await loadTodos(world, [todo('1', 'a', { version: 1 })], at(0))
    const detail = world.watch<Todo>(todoQuery('1'))
    await world.settle()
    await world.net.take('GET').answer(todo('1', 'a', { version: 1 }), at(0))
    const handle = world.sync.mutate(edit, { id: '1', title: 'b' })
    await world.settle()
    await take(world, '/edit').answer(todo('1', 'b!', { version: 2 }), at(1))
    await handle.reflected
    expect(titlesShown(list)).toEqual(['-', 'a', 'b', 'b!'])
    expect(detail.values.map((row) => row?.title)).toEqual([undefined, 'a', 'b', 'b!'])
    await world.advance(60_000)
    expect(world.net.log.filter(({ method }) => method === 'GET')).toHaveLength(2)
  })

  test('apply that throws is reported, and its queries are read again', async () => {
    const edit = editing({
      apply: () => {
        throw new Error('oops')
      },
    })
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    const list = await loadTodos(world, [todo('1', 'a')], at(0))
    const handle = world.sync.mutate(edit, { id: '1', title: 'b' })
    await world.settle()
    await take(world, '/edit').answer(todo('1', 'b'), at(1))
    await handle.confirmed
    await world.settle()
    await world.net.take('GET').answer([todo('1', 'b')], at(1))
    expect(world.reports).toMatchObject([{ code: 'recipe', cause: { message: 'oops' } }])
    expect(titlesShown(list)).toEqual(['-', 'a', 'b'])
  })

  test('invalidates names what is read again, once, when the scope is idle', async () => {
    const edit = editing({ invalidates: ({ id }) => [['todo', id]] })
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    await loadTodos(world, [todo('1', 'a')])
    const detail = world.watch<Todo>(todoQuery('1'))
    await world.settle()
    await world.net.take('GET', '/todos/1').answer(todo('1', 'a'))
    world.sync.mutate(edit, { id: '1', title: 'b' })
    world.sync.mutate(edit, { id: '1', title: 'c' })
    await world.settle()
    await take(world, '/edit').answer({})
    await world.settle()
    expect(world.net.waiting.filter(({ url }) => url === '/todos/1')).toHaveLength(0)
    await take(world, '/edit').answer({})
    await world.settle()
    await world.net.take('GET', '/todos/1').answer(todo('1', 'c'))
    await world.advance(1000)
    expect(world.net.log.filter(({ url }) => url === '/todos/1')).toHaveLength(2)
    expect(detail.values.map((row) => row?.title)).toEqual([undefined, 'a', 'b', 'c'])
  })

  test('a pessimistic mutation on a plain server without a stream leads to fresh data', async () => {
    const rename = defineMutation<string, unknown>({
      mutationKey: ['rename'],
      mutationFn: (title, context) => post('/rename', title, context),
    })
    const world = createWorld({ mutations: [rename], stream: false })
    world.sync.start()
    const list = await loadTodos(world, [todo('1', 'a')])
    const handle = world.sync.mutate(rename, 'b')
    expect(titles(list.data)).toBe('a')
    await world.settle()
    await take(world, '/rename').answer({})
    await handle.confirmed
    await world.settle()
    await world.net.take('GET').answer([todo('1', 'b')])
    await handle.reflected
    expect(titlesShown(list)).toEqual(['-', 'a', 'b'])
  })

  test('callbacks are called at confirmed or rejected, once, with what they are promised', async () => {
    const calls: unknown[][] = []
    const edit = editing({
      onSuccess: (...args) => calls.push(['success', ...args]),
      onError: (error, variables) => calls.push(['error', error.code, variables]),
      onSettled: (data, error, variables) => calls.push(['settled', data, error?.code, variables]),
    })
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    const [one, two] = [
      { id: '1', title: 'a' },
      { id: '2', title: 'b' },
    ]
    world.sync.mutate(edit, one)
    world.sync.mutate(edit, two)
    await world.settle()
    await take(world, '/edit').answer(todo('1', 'a'))
    await world.settle()
    await take(world, '/edit').answer({ title: 'No.' }, { status: 422 })
    expect(calls).toEqual([
      ['success', todo('1', 'a'), one],
      ['settled', todo('1', 'a'), undefined, one],
      ['error', 'rejected', two],
      ['settled', undefined, 'rejected', two],
    ])
  })

  test('a callback that throws, at once or later, is reported and harms nothing', async () => {
    const edit = editing({
      onSuccess: () => {
        throw new Error('at once')
      },
      onSettled: () => Promise.reject(new Error('later')),
    })
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    const handle = world.sync.mutate(edit, { id: '1', title: 'a' })
    await world.settle()
    await take(world, '/edit').answer({})
    await handle.confirmed
    await world.settle()
    expect(world.reports.map(({ cause }) => (cause as Error).message)).toEqual(['at once', 'later'])
    expect(world.sync.outbox.getState().entries).toEqual([])
  })
})

describe('every way in', () => {
  test('setQueryData counts as base without a cursor, is warned of under a pending change, and is stale', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0))
    const { queryKey } = docQuery('q1')
    world.sync.queryClient.setQueryData(queryKey, doc('q1', 0, 'x'))
    expect([q1.now, world.warnings]).toEqual(['x', []])
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    world.warnings.length = 0
    world.sync.queryClient.setQueryData(queryKey, doc('q1', 0, 'y'))
    expect(q1.now).toBe('y m')
    expect(world.warnings).toHaveLength(1)
    expect(world.warnings[0]).toContain('setQueryData')
    await world.settle()
    await takeWrite(world).answer({}, at(1))
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
    expect(q1.now).toBe('m')
    expectSettled(world, 'q1')
  })

  test('what was dehydrated is hydrated with its position', async () => {
    const server = createWorld()
    server.sync.start()
    await loadDoc(server, doc('q1', 5, 'a'), at(5))
    const state = dehydrate(server.sync.queryClient)
    const world = createWorld({ mutations: [push] })
    hydrate(world.sync.queryClient, structuredClone(state))
    world.sync.start()
    const q1 = watchDoc(world, 'q1')
    expect(q1.shown).toEqual(['a'])
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 4), at(4))
    expect(q1.shown).toEqual(['a'])
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 6, 'a', 'b'), at(6))
    expect(q1.shown).toEqual(['a', 'a b'])
  })

  test('hydrating something older does not take a query back', async () => {
    const old = createWorld()
    old.sync.start()
    await loadDoc(old, doc('q1', 3), at(3))
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 5, 'a'), at(5))
    const state = dehydrate(old.sync.queryClient)
    for (const query of state.queries) query.state.dataUpdatedAt = Number.MAX_SAFE_INTEGER
    hydrate(world.sync.queryClient, state)
    expect(q1.shown).toEqual(['-', 'a'])
  })

  test('initial data is a base, shown with what is pending', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    const q1 = world.watch<{ tokens: string[] }>({ ...docQuery('q1'), initialData: doc('q1', 0, 'a') } as never)
    expect(q1.data?.tokens).toEqual(['a', 'm'])
    expect(world.sync.getBase(docQuery('q1').queryKey)?.tokens).toEqual(['a'])
  })

  test('a client that is brought along with data keeps it as base', async () => {
    const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
    queryClient.setQueryData(docQuery('q1').queryKey, doc('q1', 0, 'a'))
    const world = createWorld({ mutations: [push], queryClient })
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    expect(world.sync.getView(docQuery('q1').queryKey)?.tokens).toEqual(['a', 'm'])
    queryClient.clear()
  })

  test('resetQueries empties the base, and the next read brings it with what is pending', async () => {
    const world = createWorld({ mutations: [add] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 5, 'a'), at(5))
    world.sync.mutate(add, { token: 'm', to: ['q1'] })
    void world.sync.queryClient.resetQueries({ queryKey: ['doc', 'q1'] })
    expect(q1.now).toBe('-')
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 6, 'b'), at(6))
    expect(q1.shown).toEqual(['-', 'a', 'a m', '-', 'b m'])
  })

  test('cancelQueries does not take back what a patch brought meanwhile', async () => {
    const world = createWorld({ mutations: [add], stream: syncStream({ url: '/sync' }) })
    world.sync.start()
    const stream = await greet(world)
    const q1 = await loadDoc(world, doc('q1', 0))
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await stream.patch(1, [{ op: 'put', type: 'doc', id: 'q1', version: 1, value: doc('q1', 1, 'o') }])
    await world.sync.queryClient.cancelQueries()
    expect(q1.shown).toEqual(['-', '', 'o'])
    expect(world.sync.getBase(docQuery('q1').queryKey)?.tokens).toEqual(['o'])
  })

  test('cancelQueries does not take back what an answer brought meanwhile, also without cursors', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0), {})
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await takeWrite(world).answer({ docs: [doc('q1', 1, 'm')] })
    await world.sync.queryClient.cancelQueries()
    expect(q1.shown).toEqual(['-', '', 'm'])
    expect(world.sync.getBase(docQuery('q1').queryKey)?.tokens).toEqual(['m'])
  })

  test('a query that the plain client prefetched goes through the same gates', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const fetched = world.sync.queryClient.fetchQuery(docQuery('q1'))
    await world.settle()
    const read = takeRead(world, 'q1')
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    const request = takeWrite(world)
    // Without cursors it cannot be told whether it contains the mutation: it is asked again, and stays one fetch.
    await read.answer(doc('q1', 1, 'm'))
    expect(world.sync.getBase(docQuery('q1').queryKey)).toBeUndefined()
    await request.answer({})
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'm'))
    expect((await fetched).tokens).toEqual(['m'])
    expect(watchDoc(world, 'q1').now).toBe('m')
  })

  test('a plain query function without the context’s fetch works, by order of requests', async () => {
    let answer: (tokens: string[]) => void = () => {}
    const plain = queryOptions({
      queryKey: ['doc', 'q1'],
      queryFn: () => new Promise<{ tokens: string[] }>((resolve) => (answer = (tokens) => resolve({ tokens }))),
    })
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = world.watch<{ tokens: string[] }>(plain)
    await world.settle()
    answer([])
    await world.settle()
    expect(world.sync.getMode(['doc', 'q1'])).toBe('fence')
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({})
    await world.settle()
    answer(['m'])
    await world.settle()
    expect(q1.values.map((value) => value?.tokens.join())).toEqual([undefined, '', 'm'])
    expectSettled(world)
  })

  test('another component with plain options under the same key takes nothing away', async () => {
    const edit = editing()
    const world = createWorld({ mutations: [edit] })
    world.sync.start()
    const list = await loadTodos(world, [todo('1', 'a')], at(0))
    const { queryKey } = todosQuery
    const other = new QueryObserver(world.sync.viewClient, {
      queryKey,
      queryFn: () => Promise.resolve([todo('1', 'plain')]),
      staleTime: Number.POSITIVE_INFINITY,
    })
    const stop = other.subscribe(() => {})
    world.sync.mutate(edit, { id: '1', title: 'b' })
    expect(titles(list.data)).toBe('b')
    expect(other.getCurrentResult().data).toBe(list.data)
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    expect(titles(list.data)).toBe('b')
    stop()
  })

  test('a malformed Sync-Cursor is reported, and the answer counts as one without a cursor', async () => {
    const world = createWorld({ mutations: [add] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0, 'a'), { headers: { 'sync-cursor': 'not a cursor!' } })
    expect(q1.now).toBe('a')
    expect(world.reports).toMatchObject([{ code: 'protocol' }])
    expect(world.sync.getMode(docQuery('q1').queryKey)).toBe('fence')
    const handle = world.sync.mutate(add, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({}, { headers: { 'sync-cursor': '???' } })
    await handle.confirmed
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'a', 'm'))
    expect(q1.shown).toEqual(['-', 'a', 'a m'])
    expect(world.reports).toHaveLength(2)
    expectSettled(world, 'q1')
  })

  test('an older answer never replaces a newer one', async () => {
    const world = createWorld()
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 5, 'a'), at(5))
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 3), at(3))
    expect(q1.shown).toEqual(['-', 'a'])
    expect(world.sync.queryClient.isFetching()).toBe(0)
  })

  test('an answer without a cursor does not replace a base that has one; it is asked again', async () => {
    const world = createWorld()
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 5, 'a'), at(5))
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 9, 'b'))
    await world.advance(1000)
    await takeRead(world, 'q1').answer(doc('q1', 9, 'b'), at(9))
    expect(q1.shown).toEqual(['-', 'a', 'b'])
  })

  test('a read that failed keeps what is shown, and the next one mends it', async () => {
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0, 'a'))
    world.sync.mutate(push, { token: 'm', to: ['q1'] })
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await takeRead(world, 'q1').answer({}, { status: 500 })
    expect(q1.now).toBe('a m')
    await takeWrite(world).answer({}, at(1))
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'a', 'm'), at(1))
    expect(q1.shown).toEqual(['-', 'a', 'a m'])
    expectSettled(world, 'q1')
  })

  test('a read made of several requests counts by what all of them agree on', async () => {
    const both = queryOptions({
      queryKey: ['doc', 'q1'],
      queryFn: async ({ fetch }) => {
        const parts = await Promise.all(['/a', '/b'].map((url) => fetch(url).then((r): Promise<string[]> => r.json())))
        return { tokens: parts.flat() }
      },
    })
    const world = createWorld({ mutations: [push] })
    world.sync.start()
    const q1 = world.watch<{ tokens: string[] }>(both)
    await world.settle()
    for (const url of ['/a', '/b']) await world.net.take('GET', url).answer([], at(0, []))
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    await world.net.take('GET', '/a').answer(['m'], at(1, [handle.id]))
    await world.net.take('GET', '/b').answer([], at(0, []))
    expect(q1.data?.tokens).toEqual(['m'])
    expect(world.sync.getBase(['doc', 'q1'])).toEqual({ tokens: [] })
    await world.advance(1000)
    for (const [url, part] of [
      ['/a', ['m']],
      ['/b', []],
    ] as const)
      await world.net.take('GET', url).answer(part, at(1, [handle.id]))
    expect(world.sync.getBase(['doc', 'q1'])).toEqual({ tokens: ['m'] })
    expect(q1.values.map((value) => value?.tokens.join())).toEqual([undefined, '', 'm'])
  })
})

test('a confirmed change that no read brings is asked for again after 10 s, and reported once', async () => {
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  await takeWrite(world).answer({}, at(1))
  await world.settle()
  for (let waited = 0; waited < 60; waited++) {
    for (const read of world.net.waiting.filter(({ method }) => method === 'GET'))
      await read.answer(doc('q1', 0), at(0))
    await world.advance(1000)
  }
  expect(q1.now).toBe('m')
  expect(world.reports).toMatchObject([{ code: 'protocol' }])
  expect(reads(world, 'q1')).toBeLessThan(30)
  for (const read of world.net.waiting.filter(({ method }) => method === 'GET'))
    await read.answer(doc('q1', 1, 'm'), at(1))
  await world.advance(40_000)
  for (const read of world.net.waiting.filter(({ method }) => method === 'GET'))
    await read.answer(doc('q1', 1, 'm'), at(1))
  expect(q1.shown).toEqual(['-', '', 'm'])
  expectSettled(world, 'q1')
})

test('a new row is shown once while its answer, its echo and a read come in any order', async () => {
  const orders = [
    ['answer', 'echo', 'read'],
    ['answer', 'read', 'echo'],
    ['echo', 'answer', 'read'],
    ['echo', 'read', 'answer'],
    ['read', 'answer', 'echo'],
    ['read', 'echo', 'answer'],
  ]
  for (const order of orders) {
    const create = adding({ apply: (base, saved) => saved && base.upsert(todosQuery.queryKey, todoRow, saved) })
    const world = createWorld({ mutations: [create], stream: syncStream({ url: '/sync' }) })
    world.sync.start()
    const stream = await greet(world)
    const list = await loadTodos(world, [], at(0))
    const { id } = world.sync.mutate(create, todo('n', 'new'))
    await world.settle()
    void world.sync.queryClient.refetchQueries()
    await world.settle()
    const read = world.net.take('GET')
    const request = take(world, '/add')
    for (const step of order) {
      if (step === 'answer') await request.answer(todo('n', 'new'), at(1))
      if (step === 'echo') await stream.invalidate(1, [['todos']], { mutations: [id] })
      if (step === 'read') await read.answer([todo('n', 'new')], at(1))
      await world.settle()
    }
    await world.advance(1000)
    for (const each of world.net.waiting.filter(({ method }) => method === 'GET'))
      await each.answer([todo('n', 'new')], at(1))
    expect(titlesShown(list), order.join()).toEqual(['-', '', 'new'])
    expect(world.sync.getBase(todosQuery.queryKey), order.join()).toEqual([todo('n', 'new')])
    expect(world.sync.outbox.getState().entries, order.join()).toEqual([])
  }
})
