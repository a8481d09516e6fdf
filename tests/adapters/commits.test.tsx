// @vitest-environment jsdom
/**
 * How often React commits, beside TanStack's own hooks in the same run: for everything that changes what is shown, under both
 * providers, with a QueryClient of the hooks' own copy of query-core and with one of another copy.
 */
import * as tanstack from '@tanstack/react-query'
import { QueryClient as OtherQueryClient } from '@tanstack/vue-query'
import type { ReactNode } from 'react'
import { Component, Profiler } from 'react'
import { createRoot } from 'react-dom/client'
import type { AnyQueryClient, SyncClient } from 'tidemark'
import { createSyncClient, defineMutation, entity, queryOptions, syncStream } from 'tidemark'
import * as tidemark from 'tidemark/react'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { greet } from '../kit/stream.ts'
import { createWorld } from '../kit/world.ts'

interface Row {
  id: string
  value: number
}

const KEY = ['rows'] as const
const COMPONENTS = 20
const row = entity<Row>('row')

/** An answer that the test gives: `next` is what the server has. */
const server = { value: 0, delay: undefined as number | undefined }
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function read(): Promise<Row[]> {
  if (server.delay !== undefined) await sleep(server.delay)
  return [{ id: 'a', value: server.value }]
}

const query = queryOptions({
  queryKey: KEY,
  queryFn: read,
  staleTime: Number.POSITIVE_INFINITY,
  topics: ['rows'],
  rows: [row, (rows) => rows, { where: () => true }],
})

type Client = Pick<
  tanstack.QueryClient,
  'setQueryData' | 'setQueriesData' | 'refetchQueries' | 'invalidateQueries' | 'fetchQuery' | 'resetQueries'
>

const ways: Record<string, (client: Client) => unknown> = {
  setQueryData: (client) => client.setQueryData(KEY, [{ id: 'a', value: 1 }]),
  'setQueryData twice in one turn': (client) => {
    client.setQueryData(KEY, [{ id: 'a', value: 1 }])
    client.setQueryData(KEY, [{ id: 'a', value: 2 }])
  },
  setQueriesData: (client) => client.setQueriesData({ queryKey: KEY }, [{ id: 'a', value: 1 }]),
  refetchQueries: (client) => client.refetchQueries({ queryKey: KEY }),
  'a slow refetch': (client) => {
    server.delay = 5
    return client.refetchQueries({ queryKey: KEY })
  },
  invalidateQueries: (client) => client.invalidateQueries({ queryKey: KEY }),
  fetchQuery: (client) => client.fetchQuery({ queryKey: KEY, queryFn: read }),
  resetQueries: (client) => client.resetQueries({ queryKey: KEY }),
}

interface Library {
  name: string
  useQuery: (options: typeof query) => { data: Row[] | undefined; fetchStatus: string }
  /** The provider, and what the test changes. */
  make: () => { client: Client; wrap: (children: ReactNode) => ReactNode }
}

const ownClient = () => new tanstack.QueryClient() as unknown as AnyQueryClient & Client
const otherClient = () => new OtherQueryClient() as unknown as AnyQueryClient & Client

const peer: Library = {
  name: 'TanStack',
  useQuery: tanstack.useQuery as never,
  make: () => {
    const client = ownClient()
    return {
      client,
      wrap: (children) => (
        <tanstack.QueryClientProvider client={client as never}>{children}</tanstack.QueryClientProvider>
      ),
    }
  },
}

const useQuery = tidemark.useQuery as never

const libraries: Library[] = [
  {
    name: 'QueryClientProvider',
    useQuery,
    make: () => {
      const client = ownClient()
      return {
        client,
        wrap: (children) => (
          <tidemark.QueryClientProvider client={client as never}>{children}</tidemark.QueryClientProvider>
        ),
      }
    },
  },
  ...(
    [
      ['SyncProvider', ownClient],
      ["SyncProvider over another copy's QueryClient", otherClient],
    ] as const
  ).map(
    ([name, make]): Library => ({
      name,
      useQuery,
      make: () => {
        const client = make()
        const sync = createSyncClient({ queryClient: client })
        return {
          client,
          wrap: (children) => <tidemark.SyncProvider client={sync}>{children}</tidemark.SyncProvider>,
        }
      },
    }),
  ),
]

const unmounts: Array<() => void> = []
beforeEach(() => {
  server.value = 0
  server.delay = undefined
})
afterEach(() => {
  for (const unmount of unmounts.splice(0)) unmount()
  document.body.replaceChildren()
})

function mount(node: ReactNode) {
  const box = document.body.appendChild(document.createElement('div'))
  const seen = { commits: 0, errors: [] as unknown[], texts: [] as string[] }
  const note = (error: unknown) => void seen.errors.push(error)
  const root = createRoot(box, { onUncaughtError: note, onCaughtError: note, onRecoverableError: note })
  const onRender = () => {
    seen.commits++
  }
  // What stands on the page after each commit, as far as one can look: before the next task.
  const observer = new MutationObserver(() => void seen.texts.push(box.textContent ?? ''))
  observer.observe(box, { childList: true, subtree: true, characterData: true })
  root.render(
    <Profiler id="page" onRender={onRender}>
      {node}
    </Profiler>,
  )
  unmounts.push(() => {
    observer.disconnect()
    root.unmount()
  })
  return { box, seen }
}

/** Until nothing has been committed for a while: timers of 0 ms and of a few milliseconds are over then. */
async function quiet(seen: { commits: number }): Promise<void> {
  for (let before = -1, calm = 0; calm < 3; before = seen.commits) {
    await sleep(15)
    calm = before === seen.commits ? calm + 1 : 0
  }
}

async function countCommits(library: Library, way: (client: Client) => unknown, readsAll: boolean) {
  server.value = 0
  server.delay = undefined
  const { client, wrap } = library.make()
  client.setQueryData(KEY, [{ id: 'a', value: 0 }])
  const Cell = () => {
    const result = library.useQuery(query)
    return (
      <b>
        {result.data?.[0]?.value}
        {readsAll ? result.fetchStatus : ''}
      </b>
    )
  }
  const { seen, box } = mount(wrap(Array.from({ length: COMPONENTS }, (_, at) => <Cell key={String(at)} />)))
  await quiet(seen)
  seen.commits = 0
  seen.texts.length = 0
  server.value = 1
  await way(client)
  await quiet(seen)
  expect(seen.errors).toEqual([])
  const half = seen.texts.filter((text) => new Set(partsOf(text)).size > 1)
  expect(half, 'half old, half new').toEqual([])
  return { commits: seen.commits, text: box.textContent }
}

/** What each of the components shows. */
function partsOf(text: string): string[] {
  const size = text.length / COMPONENTS
  return Array.from({ length: COMPONENTS }, (_, at) => text.slice(at * size, (at + 1) * size))
}

/** TanStack's own figures, taken before the first provider of ours is mounted: it sets a scheduler. */
const figures = new Map<string, Awaited<ReturnType<typeof countCommits>>>()
beforeAll(async () => {
  for (const [name, way] of Object.entries(ways))
    for (const readsAll of [false, true]) figures.set(`${name} ${readsAll}`, await countCommits(peer, way, readsAll))
})

describe.each(libraries)('$name', (library) => {
  test.each(Object.keys(ways))('commits as often as TanStack for %s', async (name) => {
    for (const readsAll of [false, true]) {
      const counted = await countCommits(library, ways[name] as (client: Client) => unknown, readsAll)
      expect(counted).toEqual(figures.get(`${name} ${readsAll}`))
      expect(counted.commits).toBeGreaterThan(0)
    }
  })

  test.each(['setQueryData', 'refetchQueries', 'setQueriesData'])(
    'renders parents before children when %s takes away what both read',
    async (name) => {
      const { client, wrap } = library.make()
      const user = { queryKey: ['user'], queryFn: () => null, staleTime: Number.POSITIVE_INFINITY }
      client.setQueryData(user.queryKey, { name: 'Ada' })
      const useUser = () => library.useQuery(user as never).data as unknown as { name: string } | null
      const Child = () => {
        const now = useUser()
        if (!now) throw new Error('a child was rendered without its parent')
        return <p>{now.name}</p>
      }
      const Parent = () => (useUser() ? [<Child key="1" />, <Child key="2" />] : <p>signed out</p>)
      class Boundary extends Component<{ children: ReactNode }> {
        override state = { failed: false }
        static getDerivedStateFromError = () => ({ failed: true })
        override render() {
          return this.state.failed ? 'failed' : this.props.children
        }
      }
      const { box, seen } = mount(
        wrap(
          <Boundary>
            <Parent />
          </Boundary>,
        ),
      )
      await quiet(seen)
      expect(box.textContent).toBe('AdaAda')
      if (name === 'setQueryData') client.setQueryData(user.queryKey, null)
      else if (name === 'setQueriesData') client.setQueriesData({ queryKey: user.queryKey }, null)
      else await client.refetchQueries({ queryKey: user.queryKey })
      await quiet(seen)
      expect(seen.errors).toEqual([])
      expect(box.textContent).toBe('signed out')
    },
  )
})

describe.each([
  ['the same copy', ownClient],
  ['another copy', otherClient],
] as const)('own writes and pushes, query-core in %s', (_, makeClient) => {
  interface Answer {
    resolve(value: Row): void
    reject(error: unknown): void
  }

  function setUp() {
    const answers: Answer[] = []
    const bump = defineMutation({
      mutationKey: ['bump'],
      mutationFn: (_: Row) => new Promise<Row>((resolve, reject) => answers.push({ resolve, reject })),
      optimistic: (view, next) => view.upsert(row, next),
      apply: (base, saved) => base.upsert(row, saved),
      invalidates: () => [],
    })
    const other = { ...query, queryKey: ['others'] } as unknown as typeof query
    const client = makeClient()
    const world = createWorld({ queryClient: client, mutations: [bump], stream: syncStream({ url: '/stream' }) })
    const sync: SyncClient = world.sync
    for (const key of [KEY, ['others']]) client.setQueryData(key, [{ id: 'a', value: 0 }])
    const Cell = ({ of }: { of: typeof query }) => {
      const { data } = tidemark.useQuery(of)
      const pending = tidemark.usePending({ entity: row, id: 'a' }, (writes) => writes.length)
      return (
        <b>
          {data?.[0]?.value}
          {pending > 0 ? 'p' : '-'}
        </b>
      )
    }
    let mutate: (next: Row) => void = () => {}
    const Form = () => {
      const mutation = tidemark.useMutation(bump)
      mutate = mutation.mutate
      return <i>{mutation.isPending ? 'pp' : '--'}</i>
    }
    const cells = Array.from({ length: COMPONENTS }, (_, at) => (
      <Cell key={String(at)} of={at % 2 === 0 ? query : other} />
    ))
    const page = mount(
      <tidemark.SyncProvider client={sync}>
        {cells.slice(1)}
        <Form />
      </tidemark.SyncProvider>,
    )
    return { ...page, world, sync, answers, mutate: (next: Row) => mutate(next) }
  }

  test('a write, its answer and its end are one commit each, and what is pending agrees in each of them', async () => {
    const { seen, box, answers, mutate } = setUp()
    await quiet(seen)
    seen.commits = 0
    mutate({ id: 'a', value: 1 })
    await Promise.resolve()
    expect(seen.commits).toBe(1) // in the turn
    expect(new Set(partsOf(box.textContent ?? ''))).toEqual(new Set(['1p', 'pp']))
    await quiet(seen)
    const sending = seen.commits
    answers[0]?.resolve({ id: 'a', value: 2 })
    await quiet(seen)
    expect(seen.commits - sending).toBe(1)
    expect(new Set(partsOf(box.textContent ?? ''))).toEqual(new Set(['2-', '--']))
    const mixed = seen.texts.filter((text) => new Set(partsOf(text).map((part) => part.at(-1))).size > 1)
    expect(mixed).toEqual([])
    expect(seen.errors).toEqual([])
  })

  test('a refusal is one commit', async () => {
    const { seen, box, answers, mutate } = setUp()
    await quiet(seen)
    mutate({ id: 'a', value: 1 })
    await quiet(seen)
    seen.commits = 0
    answers[0]?.reject(Object.assign(new Error('No.'), { status: 422 }))
    await quiet(seen)
    expect(seen.commits).toBe(1)
    expect(new Set(partsOf(box.textContent ?? ''))).toEqual(new Set(['0-', '--']))
  })

  const put = (value: number) => ({
    op: 'put' as const,
    type: 'row',
    id: 'a',
    version: value,
    value: { id: 'a', value },
  })

  test('a push of rows that two queries hold is one commit', async () => {
    const { seen, box, world } = setUp()
    await quiet(seen)
    const stream = await greet(world)
    seen.commits = 0
    await stream.patch(1, [put(5)])
    await quiet(seen)
    expect(seen.commits).toBe(1)
    expect(new Set(partsOf(box.textContent ?? ''))).toEqual(new Set(['5-', '--']))
  })

  test('an echo that is faster than the answer ends nothing alone: what is pending agrees in each commit', async () => {
    const { seen, box, world, sync, answers, mutate } = setUp()
    await quiet(seen)
    const stream = await greet(world)
    mutate({ id: 'a', value: 1 })
    await quiet(seen)
    const id = sync.outbox.getState().entries[0]?.id ?? ''
    seen.commits = 0
    await stream.patch(1, [put(2)], { mutations: [id] })
    await quiet(seen)
    expect(seen.commits).toBe(1)
    expect(new Set(partsOf(box.textContent ?? ''))).toEqual(new Set(['2p', 'pp']))
    answers[0]?.resolve({ id: 'a', value: 2 })
    await quiet(seen)
    expect(seen.commits).toBe(2)
    expect(new Set(partsOf(box.textContent ?? ''))).toEqual(new Set(['2-', '--']))
    const mixed = seen.texts.filter((text) => new Set(partsOf(text).map((part) => part.at(-1))).size > 1)
    expect(mixed).toEqual([])
  })

  test('an echo of a write that has no answer is one commit', async () => {
    const { seen, box, world, sync, answers, mutate } = setUp()
    await quiet(seen)
    const stream = await greet(world)
    mutate({ id: 'a', value: 1 })
    await quiet(seen)
    const id = sync.outbox.getState().entries[0]?.id ?? ''
    answers[0]?.reject(new TypeError('Failed to fetch'))
    await quiet(seen)
    seen.commits = 0
    await stream.patch(1, [put(2)], { mutations: [id] })
    await quiet(seen)
    expect(seen.commits).toBe(1)
    expect(new Set(partsOf(box.textContent ?? ''))).toEqual(new Set(['2-', '--']))
  })
})
