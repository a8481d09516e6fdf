// Mistakes that are no errors: nothing throws, and nothing happens. Each is one sentence in development; `begins` is its
// beginning, which docs/troubleshooting.md has too.
import type { MutationDefinition, SyncClientOptions } from 'tidemark'
import { defineMutation, entity, infiniteQueryOptions, QueryObserver, queryOptions, syncStream } from 'tidemark'
import { greet } from '../kit/stream'
import { adding, editing, loadTodos, take, todo, todoRow, todosQuery } from '../kit/todos'
import type { World } from '../kit/world'

export interface Mistake {
  readonly name: string
  readonly begins: string
  /** The rest of the sentence, as far as it matters. */
  readonly says: RegExp
  readonly options?: SyncClientOptions | undefined
  /** `false`: the client is not started. */
  readonly starts?: boolean
  run(world: World): unknown
}

interface User {
  id: string
  name: string
}
const userRow = entity<User>('user')
const add = adding()
const edit = editing()
const quiet = adding({ optimistic: undefined })
/** As an application in JavaScript may write it. */
const loose = (value: unknown): never => value as never

const json = (value: unknown): Response => Response.json(value)

/** Fetches a query whose data is there at once. */
async function show({ watch, settle }: World, options: object): Promise<void> {
  watch(options as { queryKey: readonly unknown[] })
  await settle()
}

const shown = (data: unknown, more: object = {}): object => ({ queryKey: ['list'], queryFn: async () => data, ...more })

/** A client with one mutation, `['m']`, that is called after `before`. */
function written(
  definition: Partial<MutationDefinition<void, unknown>>,
  before: (world: World) => unknown = () => {},
): Pick<Mistake, 'options' | 'run'> {
  const mutation = defineMutation<void, unknown>({ mutationKey: ['m'], mutationFn: async () => 1, ...definition })
  const run = async (world: World) => {
    await before(world)
    world.sync.mutate(mutation)
    await world.settle()
  }
  return { options: { mutations: [mutation] }, run }
}

export const MISTAKES: readonly Mistake[] = [
  {
    name: 'a query says persist',
    begins: 'Query ["list"] says "persist", which has no effect in this version',
    says: /nothing is kept over a reload/,
    run: async (world) => {
      await show(world, shown(1, { persist: true }))
      await show(world, shown(1, { queryKey: ['other'], persist: { maxAge: 5 } }))
    },
  },
  {
    name: 'a query has a field that is nearly one of ours',
    begins: 'Query ["list"] has a field "topic", which has no effect',
    says: /did you mean "topics"\?$/,
    run: (world) => show(world, shown(1, { topic: ['todos'] })),
  },
  {
    name: "a query has a field that is nearly one of TanStack's",
    begins: 'Query ["list"] has a field "stale_time", which has no effect',
    says: /did you mean "staleTime"\?$/,
    run: (world) => show(world, shown(1, { stale_time: 5 })),
  },
  {
    name: 'a query that is there already is watched with such a field',
    begins: 'Query ["list"] has a field "row", which has no effect',
    says: /did you mean "rows"\?$/,
    run: async (world) => {
      world.sync.queryClient.setQueryData(['list'], [])
      await show(world, shown([], { row: [todoRow, (rows: unknown) => rows] }))
    },
  },
  {
    name: 'topics of a query that are no list',
    begins: 'Query ["list"] has "topics" that are no list',
    says: /topics: \['todos'\]\.$/,
    run: (world) => show(world, shown(1, { topics: 'todos' })),
  },
  {
    name: 'rows of another form',
    begins: 'Query ["list"] has "rows" of another form',
    says: /\[entity, locate\]/,
    run: (world) => show(world, shown([], { rows: [(rows: unknown) => rows, todoRow], retry: false })),
  },
  {
    name: 'locate that returns an object around the list',
    begins: 'Query ["list"] has no "todo" where its "rows" look',
    says: /fields items, total and no id; return the list, \(data\) => data\.items\.$/,
    options: { mutations: [edit] },
    run: async (world) => {
      await show(world, shown({ items: [todo('1', 'old')], total: 1 }, { rows: [todoRow, (data: unknown) => data] }))
      world.sync.mutate(edit, { id: '1', title: 'new' })
    },
  },
  {
    name: 'rows as an object',
    begins: 'Query ["list"] has "rows" of another form',
    says: /e\.g\. \[todoRow, \(todos\) => todos\]\.$/,
    run: (world) => show(world, shown([], { rows: { todo: (rows: unknown) => rows }, retry: false })),
  },
  {
    name: 'a row that is put into a query without rows',
    begins: 'Mutation ["m"] puts a row of "todo" into query ["list"], where it is shown nowhere',
    says: /give it rows: \[todoRow, \(data\) => data\]\.$/,
    ...written({ optimistic: (view) => view.insert(['list'], todoRow, todo('2', 'new')) }, (world) =>
      show(world, shown([todo('1', 'old')])),
    ),
  },
  {
    name: 'rows whose id has another name',
    begins: 'Query ["list"] has rows of "todo" without an id',
    says: /fields key: say entity\('todo', \{ id: \(row\) => … \}\)\.$/,
    run: (world) =>
      show(world, shown([{ key: '1' }], { rows: [todoRow, (rows: unknown) => rows, { where: () => true }] })),
  },
  {
    name: 'rows of the pages where those of one page are meant',
    begins: 'Mutation ["todos","edit"] touches no query that is cached: "locate" of query ["pages"] returned',
    says: /a value of type undefined/,
    options: { mutations: [edit] },
    run: async (world) => {
      const pages = infiniteQueryOptions({
        queryKey: ['pages'],
        queryFn: async () => ({ items: [todo('1', 'old')] }),
        initialPageParam: 0,
        getNextPageParam: () => undefined,
        rows: [todoRow, (data) => (data as unknown as { pages?: unknown }).pages],
      })
      await show(world, pages)
      world.sync.mutate(edit, { id: '1', title: 'new' })
    },
  },
  {
    name: 'locate that returns nothing',
    begins: 'Mutation ["todos","edit"] touches no query that is cached: "locate" of query ["list"] returned',
    says: /a value of type undefined, where the list of "todo" or one row is meant\.$/,
    options: { mutations: [edit] },
    run: async (world) => {
      const rows = [todoRow, (data: { itmes?: unknown }) => data.itmes]
      await show(world, shown({ items: [todo('1', 'old')] }, { rows }))
      world.sync.mutate(edit, { id: '1', title: 'new' })
    },
  },
  {
    name: 'rows of another entity',
    begins: 'Mutation ["todos","edit"] touches no query that is cached: none has "rows" of "todo"',
    says: /those of "user"\.$/,
    options: { mutations: [edit] },
    run: async (world) => {
      await show(
        world,
        shown([{ id: '1', name: 'Ada' }], { rows: [userRow, (rows: unknown) => rows, { where: () => true }] }),
      )
      world.sync.mutate(edit, { id: '1', title: 'new' })
    },
  },
  {
    name: 'a key that is nearly a cached one',
    begins: 'Mutation ["m"] touches no query that is cached: nothing is under the key ["todo"]',
    says: /did you mean \["todos"\]\?$/,
    ...written({ optimistic: (view) => view.insert(['todo'], todoRow, todo('1', 'new')) }, (world) =>
      loadTodos(world, []),
    ),
  },
  {
    name: 'a change of what nobody has fetched',
    begins: 'Mutation ["todos","add"] touches no query that is cached: nothing of it is shown before',
    says: /one of its queries is fetched\.$/,
    options: { mutations: [add] },
    run: (world) => world.sync.mutate(add, todo('1', 'new')),
  },
  ...['optimstic', 'invalidate'].map((field) => ({
    name: `a mutation has the field ${field}`,
    begins: `Mutation ["m"] has a field "${field}", which has no effect`,
    says: new RegExp(`did you mean "${field === 'optimstic' ? 'optimistic' : 'invalidates'}"\\?$`),
    options: { mutations: [defineMutation(loose({ mutationKey: ['m'], mutationFn: async () => 1, [field]() {} }))] },
    run: () => {},
  })),
  {
    name: 'a mutation has onMutate',
    begins: 'Mutation ["m"] has "onMutate", which is never called',
    says: /"optimistic" takes its place/,
    options: { mutations: [defineMutation(loose({ mutationKey: ['m'], mutationFn: async () => 1, onMutate() {} }))] },
    run: () => {},
  },
  {
    name: "a mutation's retry is a function",
    begins: 'Mutation ["m"] has a "retry" that is no number',
    says: /e\.g\. 3\.$/,
    options: {
      mutations: [defineMutation(loose({ mutationKey: ['m'], mutationFn: async () => 1, retry: () => true }))],
    },
    run: () => {},
  },
  {
    name: "a mutation's policy of conflicts is unknown",
    begins: 'Mutation ["m"] has an unknown "conflict", "client-win"',
    says: /did you mean "client-wins"\?$/,
    options: {
      mutations: [defineMutation(loose({ mutationKey: ['m'], mutationFn: async () => 1, conflict: 'client-win' }))],
    },
    run: () => {},
  },
  {
    name: "a mutation's scope is a text",
    begins: 'Mutation ["m"] has a "scope" without an id',
    says: /scope: \{ id: 'todos' \}\.$/,
    options: { mutations: [defineMutation(loose({ mutationKey: ['m'], mutationFn: async () => 1, scope: 'todos' }))] },
    run: () => {},
  },
  {
    name: "a mutation's scope returns a text",
    begins: 'The "scope" of mutation ["m"] returned "list:1", which counts as none',
    says: /return \{ id: 'todos' \}\.$/,
    ...written({ scope: loose(() => 'list:1') }),
  },
  ...(
    [
      ['platform', { fetcher: fetch }, /did you mean "fetch"\?$/],
      ['stream', { url: '/sync', topic: ['todos'] }, /did you mean "topics"\?$/],
      ['breaker', { treshold: 5 }, /did you mean "threshold"\?$/],
    ] as const
  ).map(([option, value, says]) => ({
    name: `the option ${option} has an unknown field`,
    begins: `The option "${option}" has a field "${Object.keys(value).at(-1)}", which has no effect`,
    says,
    options: loose({ [option]: option === 'stream' ? syncStream(value) : value }),
    run: () => {},
  })),
  {
    name: 'topics of the stream that are a text',
    begins: 'The option "stream" has "topics" that are neither a list nor',
    says: /topics: \['todos'\]\.$/,
    options: { stream: syncStream({ url: '/sync', topics: loose('todos') }) },
    run: () => {},
  },
  {
    name: 'a client that nobody starts, with a write',
    begins: 'This sync client was never started, so nothing is sent and no stream is open',
    says: /<SyncProvider client=\{sync\}>.*app\.use\(syncPlugin.*sync\.start\(\)\.$/,
    starts: false,
    options: { mutations: [quiet] },
    run: async ({ sync, advance }) => {
      sync.mutate(quiet, todo('1', 'one'))
      sync.mutate(quiet, todo('2', 'two'))
      await advance(60_000)
    },
  },
  {
    name: 'a client that nobody starts, with a stream',
    begins: 'This sync client was never started, so nothing is sent and no stream is open',
    says: /sync\.start\(\)/,
    starts: false,
    options: { stream: syncStream({ url: '/sync' }) },
    run: async (world) => {
      await show(world, shown(1))
      await world.advance(60_000)
    },
  },
  {
    name: 'a client that two requests share on a server',
    begins: 'SyncError: This sync client has rendered on the server before',
    says: /one user to another; make a client per request/,
    starts: false,
    run: async ({ sync, settle }) => {
      sync.renderedOnServer()
      await settle()
      sync.renderedOnServer()
    },
  },
  {
    name: 'a client that is started on a server',
    begins: 'SyncError: This sync client renders on the server and was started there',
    says: /start it in the browser only/,
    run: ({ sync }) => sync.renderedOnServer(),
  },
  {
    name: 'a write on a server',
    begins: 'SyncError: mutate() was called on a sync client that renders on the server',
    says: /call it in the browser, or ask your server directly/,
    starts: false,
    options: { mutations: [quiet] },
    run: ({ sync }) => {
      sync.renderedOnServer()
      sync.mutate(quiet, todo('1', 'one'))
    },
  },
  {
    name: 'mutationFn returns the answer itself',
    begins: '"mutationFn" of mutation ["m"] resolved with the Response itself',
    says: /answer\.json\(\)/,
    ...written({ mutationFn: async () => json({ id: 1 }) }),
  },
  {
    name: 'queryFn returns the answer itself',
    begins: 'Query ["list"] has a Response as its data',
    says: /return \(await answer\.json\(\)\)\.$/,
    run: (world) => show(world, shown(json([]))),
  },
  {
    name: 'optimistic is asynchronous',
    begins: 'SyncError: "optimistic" of mutation ["m"] returned a promise',
    says: /put asynchronous work into "mutationFn"\.$/,
    ...written(
      {
        optimistic: loose(async (view: { insert(...args: unknown[]): void }) => {
          await undefined
          view.insert(todosQuery.queryKey, todoRow, todo('1', 'new'))
        }),
      },
      (world) => loadTodos(world, []),
    ),
  },
  {
    name: 'a recipe is asynchronous',
    begins: 'SyncError: A recipe of mutation ["m"] threw on query ["todos"]',
    says: /is skipped there/,
    ...written(
      {
        mutationFn: () => new Promise(() => {}),
        optimistic: (view) =>
          view.update(
            ['todos'],
            loose(async () => []),
          ),
      },
      (world) => loadTodos(world, []),
    ),
  },
  {
    name: 'invalidates returns one key',
    begins: 'SyncError: A callback of mutation ["m"] threw',
    says: /not affected/,
    ...written({ invalidates: loose(() => ['todos']) }),
  },
  {
    name: 'invalidates names a key that is nearly a cached one',
    begins: 'A write invalidates the key ["todo"], under which nothing is cached',
    says: /did you mean \["todos"\]\?$/,
    ...written({ invalidates: () => [['todo']] }, (world) => loadTodos(world, [])),
  },
  {
    name: 'the server names a key that is nearly a cached one',
    begins: 'The server invalidates the key ["lists"], under which nothing is cached',
    says: /did you mean \["list"\]\?$/,
    options: { stream: syncStream({ url: '/sync' }) },
    run: async (world) => {
      await show(world, shown([], { queryKey: ['list', 1] }))
      const stream = await greet(world)
      await stream.invalidate(1, [['lists']])
    },
  },
  {
    name: 'the server says todo where a query says todos, in an invalidation',
    begins: 'The server tells of the topic "todo", and no query listens to it',
    says: /query \["list"\] has the topic "todos"; did you mean "todo"\?$/,
    options: { stream: syncStream({ url: '/sync' }) },
    run: async (world) => {
      await show(world, shown([], { topics: ['todos'] }))
      const stream = await greet(world)
      await stream.send('invalidate', { topics: ['todo'] }, 1)
      await stream.send('invalidate', { topics: ['todo'] }, 2)
    },
  },
  {
    name: 'the server says Todo where a query says todos, in a patch',
    begins: 'The server tells of the topic "Todo", and no query listens to it',
    says: /did you mean "Todo"\?$/,
    options: { stream: syncStream({ url: '/sync' }) },
    run: async (world) => {
      await show(world, shown([], { topics: ['todos'] }))
      const stream = await greet(world)
      const change = { op: 'put', type: 'todo', id: '1', version: 1, value: todo('1', 'new') }
      await stream.send('patch', { changes: [change], topics: ['Todo'] }, 1)
    },
  },
  {
    name: 'the stream asks for todos, and the kind of row is todo',
    begins: 'The stream asks for the topic "todos" and hears nothing of a write that changed a row of "todo"',
    says: /did you mean "todo"\?$/,
    options: { stream: syncStream({ url: '/sync', topics: ['todos'] }), mutations: [add] },
    run: async (world) => {
      await loadTodos(world, [])
      const stream = await greet(world)
      await world.net.take('GET').answer([])
      const { id } = world.sync.mutate(add, todo('1', 'new'))
      await world.settle()
      await stream.ack(1, [id])
      await take(world, '/add').answer(todo('1', 'new'))
    },
  },
  ...(['retry', 'edit', 'discard', 'resolve'] as const).map((call) => ({
    name: `${call} of an id that there never was`,
    begins: `sync.${call}("nope") did nothing`,
    says: /take the id of an entry of sync\.outbox\.$/,
    run: ({ sync }: World) => void (sync[call] as (id: string, more: unknown) => unknown)('nope', { reject: true }),
  })),
  {
    name: 'a filter of pending writes has an unknown field',
    begins: 'A filter of pending writes has a field "ids", which has no effect',
    says: /did you mean "id"\?$/,
    run: ({ sync }) => sync.pending(loose({ entity: todoRow, ids: '1' })),
  },
  {
    name: 'a filter of pending writes has the name of an entity',
    begins: 'A filter of pending writes has an "entity" that is none',
    says: /pass what entity\('todo'\) returned\.$/,
    run: ({ sync }) => sync.pending(loose({ entity: 'todo' })),
  },
  {
    name: 'a filter of pending writes has an id alone',
    begins: 'A filter of pending writes has an "id" without an "entity"',
    says: /name both\.$/,
    run: ({ sync }) => sync.pending({ id: '1' }),
  },
  {
    name: 'an observer is given the QueryClient while a provider shows views',
    begins: 'A hook of query ["todos"] was given the QueryClient itself',
    says: /without the pending writes: give it sync\.viewClient/,
    run: async (world) => {
      providing(world)
      const observer = new QueryObserver(world.sync.queryClient, todosQuery)
      observer.subscribe(() => {})
      new QueryObserver(world.sync.queryClient, todosQuery).subscribe(() => {})
    },
  },
  {
    name: 'an observer is given the QueryClient before the provider is mounted',
    begins: 'A hook of query ["todos"] was given the QueryClient itself',
    says: /optimistic: false/,
    run: async (world) => {
      new QueryObserver(world.sync.queryClient, todosQuery).subscribe(() => {})
      providing(world)
    },
  },
]

/** What a provider of an adapter does. */
function providing({ sync }: World): () => void {
  const advice = (sync as unknown as Record<symbol, { provided(): () => void } | undefined>)[
    Symbol.for('tidemark.advice')
  ]
  return advice?.provided() ?? (() => {})
}

/** What looks like one of the mistakes, and is none. */
export const NO_MISTAKES: readonly Omit<Mistake, 'begins' | 'says'>[] = [
  {
    name: 'fields of libraries in a query',
    run: (world) =>
      show(
        world,
        shown(1, {
          trpc: { path: 'todos' },
          tags: [],
          entry: 1,
          selected: true,
          mode: 1,
          _type: 'q',
          page: 3,
          beta: 1,
        }),
      ),
  },
  {
    name: 'a client that was stopped on purpose',
    options: { mutations: [quiet] },
    run: async ({ sync, advance }) => {
      sync.stop()
      sync.mutate(quiet, todo('1', 'one'))
      await advance(60_000)
    },
  },
  {
    name: 'a client that is started a little later',
    starts: false,
    options: { mutations: [quiet] },
    run: async ({ sync, advance }) => {
      sync.mutate(quiet, todo('1', 'one'))
      await advance(1000)
      sync.start()
      await advance(20_000)
    },
  },
  {
    name: 'keys of a list and of details, both named',
    ...written({ invalidates: () => [['todo'], ['todos'], ['nothing']] }, (world) => loadTodos(world, [])),
  },
  {
    name: 'topics that differ by an id',
    options: { stream: syncStream({ url: '/sync' }) },
    run: async (world) => {
      await show(world, shown([], { topics: ['list:1'] }))
      const stream = await greet(world)
      await stream.send('invalidate', { topics: ['list:2'] }, 1)
    },
  },
  {
    name: 'a topic of nearly the same name on a query that has the rows',
    options: { stream: syncStream({ url: '/sync' }) },
    run: async (world) => {
      await show(
        world,
        shown([todo('1', 'one')], {
          topics: ['todos'],
          rows: [todoRow, (rows: unknown) => rows, { where: () => true }],
        }),
      )
      const stream = await greet(world)
      const change = { op: 'put', type: 'todo', id: '1', version: 1, value: todo('1', 'new') }
      await stream.send('patch', { changes: [change], topics: ['todo'] }, 1)
    },
  },
  {
    name: 'an entry that is discarded twice',
    options: { mutations: [quiet] },
    run: ({ sync }) => {
      const { id } = sync.mutate(quiet, todo('1', 'one'))
      sync.discard(id)
      sync.discard(id)
    },
  },
  {
    name: 'rows of an empty list, and of one that is not there',
    run: async (world) => {
      await show(world, shown([], { rows: [todoRow, (rows: unknown) => rows, { where: () => true }] }))
      await show(world, shown({}, { queryKey: ['other'], rows: [todoRow, (data: { items?: unknown }) => data.items] }))
    },
  },
  {
    name: 'an observer of the view client, and one that wants base',
    run: async (world) => {
      providing(world)
      new QueryObserver(world.sync.viewClient, { ...todosQuery, structuralSharing: false }).subscribe(() => {})
      const base = queryOptions({ queryKey: ['base'], queryFn: async () => 1, optimistic: false })
      new QueryObserver(world.sync.queryClient, base).subscribe(() => {})
    },
  },
  {
    name: 'several renders of one request on a server, with a stream',
    starts: false,
    options: { stream: syncStream({ url: '/sync' }) },
    run: async (world) => {
      world.sync.renderedOnServer()
      world.sync.renderedOnServer()
      await show(world, shown(1))
      await world.advance(60_000)
    },
  },
  {
    name: 'filters of pending writes',
    run: ({ sync }) => {
      sync.pending()
      sync.pending({})
      sync.pending({ entity: todoRow, id: undefined, exact: true, mutationKey: ['m'], queryKey: ['q'], entryId: 'e' })
    },
  },
  {
    name: 'an observer of the QueryClient without a provider',
    run: (world) => void new QueryObserver(world.sync.queryClient, todosQuery).subscribe(() => {}),
  },
]
