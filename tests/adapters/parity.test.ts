// @vitest-environment jsdom
// The same components over TanStack's client and over ours: what each render shows, and so how many renders there are,
// is the same. Each test is one of the behaviours that TanStack documents for its hooks.
import { keepPreviousData, skipToken } from 'tidemark'
import { describe, expect, test } from 'vitest'
import type { Component, Driver, Mounted } from './driver.ts'
import { reactDriver } from './react-driver.ts'
import { vueDriver } from './vue-driver.ts'

/** A server that answers when it is told to. */
function createServer() {
  const waiting: Array<{ input: unknown; resolve: (value: unknown) => void; reject: (error: Error) => void }> = []
  const next = () => {
    const request = waiting.shift()
    if (request === undefined) throw new Error('Nothing was asked.')
    return request
  }
  return {
    asked: () => waiting.length,
    ask: (input?: unknown) => new Promise<unknown>((resolve, reject) => void waiting.push({ input, resolve, reject })),
    answer: (value: unknown) => next().resolve(value),
    fail: (message: string) => next().reject(new Error(message)),
  }
}

interface Run {
  server: ReturnType<typeof createServer>
  queryClient: ReturnType<Driver['createQueryClient']>
  page: () => Mounted
  act: Driver['act']
  /** A value that the component reads; setting it renders it anew. */
  props: { set(value: unknown): void }
  /** A result that the component hands out, for the script to call. */
  result: () => { refetch(): unknown; fetchNextPage(): unknown; mutate(variables: unknown): void }
}

type Story = { component: (run: Run, log: (text: string) => string) => Component; script: (run: Run) => Promise<void> }

async function tell(driver: Driver, host: 'tanStack' | 'queryClient', story: Story): Promise<string[]> {
  const queryClient = driver.createQueryClient()
  queryClient.setDefaultOptions({ queries: { retry: false } })
  const shown: string[] = []
  let page!: Mounted
  const run: Run = {
    server: createServer(),
    queryClient,
    page: () => page,
    act: driver.act,
    props: { set: (value) => void queryClient.setQueryData(['props'], value) },
    result: () => {
      throw new Error('The component hands out no result.')
    },
  }
  run.props.set(1)
  const log = (text: string) => {
    shown.push(text)
    return text
  }
  page = driver.mount({ [host]: queryClient } as never, story.component(run, log))
  await driver.act()
  await story.script(run)
  page.unmount()
  document.body.replaceChildren()
  return shown
}

/** A component that reads its props as TanStack's own hook reads them. */
const useProps = ({ useQuery }: Parameters<Component>[0]) => {
  const props = useQuery<number>(() => ({
    queryKey: ['props'],
    queryFn: skipToken,
    staleTime: Number.POSITIVE_INFINITY,
  }))
  return () => props().data ?? 0
}

const stories: Record<string, Story & { ends: string }> = {
  'shows pending, then data': {
    component:
      ({ server }, log) =>
      ({ useQuery }) => {
        const result = useQuery(() => ({ queryKey: ['a'], queryFn: () => server.ask() }))
        return () => log(`${result().status} ${result().data}`)
      },
    script: async ({ server, act }) => act(() => server.answer('one')),
    ends: 'success one',
  },
  'renders only for the fields that it reads': {
    component:
      ({ server }, log) =>
      ({ useQuery }) => {
        const result = useQuery(() => ({ queryKey: ['a'], queryFn: () => server.ask() }))
        return () => log(`${result().data}`)
      },
    async script({ server, act, queryClient }) {
      await act(() => server.answer('one'))
      await act(() => void queryClient.invalidateQueries())
      await act(() => server.answer('one'))
    },
    ends: 'one',
  },
  'shows fetching in the background to those who read it': {
    component:
      ({ server }, log) =>
      ({ useQuery }) => {
        const result = useQuery(() => ({ queryKey: ['a'], queryFn: () => server.ask() }))
        return () => log(`${result().data} ${result().isFetching} ${result().isRefetching}`)
      },
    async script({ server, act, queryClient }) {
      await act(() => server.answer('one'))
      await act(() => void queryClient.invalidateQueries())
      await act(() => server.answer('two'))
    },
    ends: 'two false false',
  },
  'selects, and renders only when the selection changes': {
    component:
      ({ server }, log) =>
      ({ useQuery }) => {
        const result = useQuery(() => ({
          queryKey: ['a'],
          queryFn: () => server.ask(),
          select: ({ n }: { n: number }) => ({ even: n % 2 === 0 }),
        }))
        return () => log(`${JSON.stringify(result().data)}`)
      },
    async script({ server, act, queryClient }) {
      await act(() => server.answer({ n: 1 }))
      await act(() => void queryClient.invalidateQueries())
      await act(() => server.answer({ n: 3 }))
      await act(() => void queryClient.setQueryData(['a'], { n: 4 }))
    },
    ends: '{"even":true}',
  },
  'shows an error of the server, keeps data through a later one': {
    component:
      ({ server }, log) =>
      ({ useQuery }) => {
        const result = useQuery(() => ({ queryKey: ['a'], queryFn: () => server.ask() }))
        return () => log(`${result().status} ${result().data} ${result().error?.message} ${result().failureCount}`)
      },
    async script({ server, act, queryClient }) {
      await act(() => server.fail('first'))
      await act(() => void queryClient.refetchQueries())
      await act(() => server.answer('one'))
      await act(() => void queryClient.refetchQueries())
      await act(() => server.fail('second'))
    },
    ends: 'error one second 1',
  },
  'shows placeholder data until there is data': {
    component:
      ({ server }, log) =>
      ({ useQuery }) => {
        const result = useQuery(() => ({ queryKey: ['a'], queryFn: () => server.ask(), placeholderData: 'none yet' }))
        return () => log(`${result().data} ${result().isPlaceholderData}`)
      },
    script: async ({ server, act }) => act(() => server.answer('one')),
    ends: 'one false',
  },
  'keeps the previous page while the next is fetched': {
    component:
      ({ server }, log) =>
      (hooks) => {
        const page = useProps(hooks)
        const result = hooks.useQuery(() => ({
          queryKey: ['page', page()],
          queryFn: () => server.ask(),
          placeholderData: keepPreviousData,
        }))
        return () => log(`${page()} ${result().data} ${result().isPlaceholderData}`)
      },
    async script({ server, act, props }) {
      await act(() => server.answer('one'))
      await act(() => props.set(2))
      await act(() => server.answer('two'))
      await act(() => props.set(1))
    },
    ends: '1 one false',
  },
  'starts with initial data, and fetches what is stale': {
    component:
      ({ server }, log) =>
      ({ useQuery }) => {
        const result = useQuery(() => ({ queryKey: ['a'], queryFn: () => server.ask(), initialData: 'seed' }))
        return () => log(`${result().status} ${result().data}`)
      },
    script: async ({ server, act }) => act(() => server.answer('one')),
    ends: 'success one',
  },
  'asks nothing while it is disabled, and something when it is enabled': {
    component:
      ({ server }, log) =>
      (hooks) => {
        const step = useProps(hooks)
        const result = hooks.useQuery(() => ({ queryKey: ['a'], queryFn: () => server.ask(), enabled: step() === 2 }))
        return () => log(`${result().status} ${result().fetchStatus} ${result().data}`)
      },
    async script({ server, act, props }) {
      expect(server.asked()).toBe(0)
      await act(() => props.set(2))
      await act(() => server.answer('one'))
    },
    ends: 'success idle one',
  },
  'asks nothing with skipToken': {
    component:
      ({ server }, log) =>
      (hooks) => {
        const step = useProps(hooks)
        const result = hooks.useQuery(() => ({
          queryKey: ['a', step()],
          queryFn: step() === 2 ? () => server.ask() : skipToken,
        }))
        return () => log(`${result().status} ${result().fetchStatus} ${result().data}`)
      },
    async script({ server, act, props }) {
      expect(server.asked()).toBe(0)
      await act(() => props.set(2))
      await act(() => server.answer('one'))
    },
    ends: 'success idle one',
  },
  'refetches when it is told to': {
    component:
      (run, log) =>
      ({ useQuery }) => {
        const result = useQuery(() => ({ queryKey: ['a'], queryFn: () => run.server.ask() }))
        run.result = result as unknown as Run['result']
        return () => log(`${result().data}`)
      },
    async script({ server, act, result }) {
      await act(() => server.answer('one'))
      await act(() => void result().refetch())
      await act(() => server.answer('two'))
    },
    ends: 'two',
  },
  'shows what setQueryData writes, and what is removed by reset': {
    component:
      ({ server }, log) =>
      ({ useQuery }) => {
        const result = useQuery(() => ({ queryKey: ['a'], queryFn: () => server.ask() }))
        return () => log(`${result().status} ${result().data}`)
      },
    async script({ server, act, queryClient }) {
      await act(() => server.answer('one'))
      await act(() => void queryClient.setQueryData(['a'], 'mine'))
      await act(() => void queryClient.resetQueries())
      await act(() => server.answer('two'))
    },
    ends: 'success two',
  },
  'counts what is being fetched': {
    component:
      ({ server }, log) =>
      ({ useQuery, useIsFetching }) => {
        useQuery(() => ({ queryKey: ['a'], queryFn: () => server.ask() }))
        const fetching = useIsFetching()
        return () => log(`${fetching()}`)
      },
    script: async ({ server, act }) => act(() => server.answer('one')),
    ends: '0',
  },
  'shows several queries, combined': {
    component:
      ({ server }, log) =>
      ({ useQueries }) => {
        const combined = useQueries(() => ({
          queries: [1, 2].map((n) => ({ queryKey: ['n', n], queryFn: () => server.ask(n) })),
          combine: (results) => results.map(({ data }) => data ?? '-').join(''),
        }))
        return () => log(`${combined()}`)
      },
    async script({ server, act }) {
      await act(() => server.answer('one'))
      await act(() => server.answer('two'))
    },
    ends: 'onetwo',
  },
  'fetches further pages': {
    component:
      (run, log) =>
      ({ useInfiniteQuery }) => {
        const result = useInfiniteQuery(() => ({
          queryKey: ['pages'],
          queryFn: ({ pageParam }: { pageParam: number }) => run.server.ask(pageParam),
          initialPageParam: 0,
          getNextPageParam: (_: unknown, all: unknown[]) => (all.length < 2 ? all.length : undefined),
        }))
        run.result = result as unknown as Run['result']
        return () => {
          const { data, hasNextPage, isFetchingNextPage } = result() as unknown as Record<string, unknown>
          return log(`${(data as { pages: unknown[] } | undefined)?.pages} ${hasNextPage} ${isFetchingNextPage}`)
        }
      },
    async script({ server, act, result }) {
      await act(() => server.answer('one'))
      await act(() => void result().fetchNextPage())
      await act(() => server.answer('two'))
    },
    ends: 'one,two false false',
  },
  'runs an inline mutation with its steps': {
    component:
      (run, log) =>
      ({ useMutation }) => {
        const result = useMutation({ mutationFn: (n: unknown) => run.server.ask(n) })
        run.result = result as unknown as Run['result']
        return () => log(`${result().status} ${result().data} ${result().error?.message}`)
      },
    async script({ server, act, result }) {
      await act(() => result().mutate(1))
      await act(() => server.answer('saved'))
      await act(() => result().mutate(2))
      await act(() => server.fail('refused'))
    },
    ends: 'error undefined refused',
  },
}

describe.each([reactDriver, vueDriver])('a component in $name', (driver) => {
  test.each(Object.entries(stories))('%s, render for render as over TanStack', async (_, { ends, ...story }) => {
    const theirs = await tell(driver, 'tanStack', story)
    const ours = await tell(driver, 'queryClient', story)
    expect(ours).toEqual(theirs)
    expect(ours.at(-1)).toBe(ends)
  })
})
