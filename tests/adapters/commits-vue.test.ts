// @vitest-environment jsdom
/**
 * How often Vue renders, beside TanStack's own composables in the same run: for everything that changes what is shown, under
 * both plugins, with a QueryClient of vue-query's copy of query-core and with one of another copy.
 */
import { QueryClient as OtherQueryClient } from '@tanstack/react-query'
import * as tanstack from '@tanstack/vue-query'
import type { AnyQueryClient, SyncClient } from 'tidemark'
import { createSyncClient, defineMutation, entity } from 'tidemark'
import * as tidemark from 'tidemark/vue'
import { afterEach, describe, expect, test } from 'vitest'
import type { App } from 'vue'
import { createApp, defineComponent, h } from 'vue'

interface Row {
  id: string
  value: number
}
const KEY = ['rows']
const COMPONENTS = 20
const row = entity<Row>('row')
const server = { value: 0, delay: undefined as number | undefined }
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function read(): Promise<Row[]> {
  if (server.delay !== undefined) await sleep(server.delay)
  return [{ id: 'a', value: server.value }]
}
const query = {
  queryKey: KEY,
  queryFn: read,
  staleTime: Number.POSITIVE_INFINITY,
  rows: [row, (rows: Row[]) => rows, { where: () => true }],
}

type Client = Pick<
  tanstack.QueryClient,
  'setQueryData' | 'setQueriesData' | 'refetchQueries' | 'invalidateQueries' | 'resetQueries'
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
  resetQueries: (client) => client.resetQueries({ queryKey: KEY }),
}

const apps: App[] = []
afterEach(() => {
  for (const app of apps.splice(0)) app.unmount()
  document.body.replaceChildren()
})

interface Seen {
  renders: number
  box: HTMLElement
}

/** A page of many components on one query. */
function mount(library: { useQuery: typeof tanstack.useQuery }, readsAll: boolean, use: (app: App) => void): Seen {
  const box = document.body.appendChild(document.createElement('div'))
  const seen: Seen = { renders: 0, box }
  const Cell = defineComponent(() => {
    const result = library.useQuery<Row[]>(query as never)
    return () => {
      seen.renders++
      return h('b', [result.data.value?.[0]?.value, readsAll ? result.fetchStatus.value : ''])
    }
  })
  const app = createApp({ render: () => Array.from({ length: COMPONENTS }, (_, key) => h(Cell, { key })) })
  use(app)
  app.mount(box)
  apps.push(app)
  return seen
}

async function quiet(seen: Seen): Promise<void> {
  for (let before = -1, calm = 0; calm < 3; before = seen.renders) {
    await sleep(15)
    calm = before === seen.renders ? calm + 1 : 0
  }
}

async function count(
  library: { useQuery: typeof tanstack.useQuery },
  make: () => { client: Client; use: (app: App) => void },
  way: (client: Client) => unknown,
  readsAll: boolean,
) {
  server.value = 0
  server.delay = undefined
  const { client, use } = make()
  client.setQueryData(KEY, [{ id: 'a', value: 0 }])
  const seen = mount(library, readsAll, use)
  await quiet(seen)
  seen.renders = 0
  server.value = 1
  await way(client)
  await quiet(seen)
  return { renders: seen.renders, text: seen.box.textContent }
}

const ownClient = () => new tanstack.QueryClient() as unknown as AnyQueryClient & Client
const otherClient = () => new OtherQueryClient() as unknown as AnyQueryClient & Client
const composables = { useQuery: tidemark.useQuery as unknown as typeof tanstack.useQuery }

const peer = () => {
  const client = ownClient()
  return { client, use: (app: App) => void app.use(tanstack.VueQueryPlugin, { queryClient: client as never }) }
}
const withSync = (make: typeof ownClient) => () => {
  const client = make()
  const sync = createSyncClient({ queryClient: client })
  return { client, use: (app: App) => void app.use(tidemark.syncPlugin, { client: sync }) }
}

describe.each([
  [
    'VueQueryPlugin',
    () => {
      const client = ownClient()
      return { client, use: (app: App) => void app.use(tidemark.VueQueryPlugin, { queryClient: client as never }) }
    },
  ],
  ['syncPlugin', withSync(ownClient)],
  ["syncPlugin over another copy's QueryClient", withSync(otherClient)],
])('%s', (_, make) => {
  test.each(Object.entries(ways))('renders as often as TanStack for %s', async (_name, way) => {
    for (const readsAll of [false, true]) {
      const expected = await count(tanstack, peer, way, readsAll)
      expect(await count(composables, make, way, readsAll)).toEqual(expected)
      expect(expected.renders).toBeGreaterThan(0)
    }
  })
})

test('a write, its answer and a refusal are one round each, and what is pending agrees in each', async () => {
  const answers: Array<{ resolve(value: Row): void; reject(error: unknown): void }> = []
  const bump = defineMutation({
    mutationKey: ['bump'],
    mutationFn: (_: Row) => new Promise<Row>((resolve, reject) => answers.push({ resolve, reject })),
    optimistic: (view, next) => view.upsert(row, next),
    apply: (base, saved) => base.upsert(row, saved),
    invalidates: () => [],
  })
  const client = ownClient()
  client.setQueryData(KEY, [{ id: 'a', value: 0 }])
  const sync: SyncClient = createSyncClient({ queryClient: client, mutations: [bump] })
  const box = document.body.appendChild(document.createElement('div'))
  const texts: string[] = []
  new MutationObserver(() => void texts.push(box.textContent ?? '')).observe(box, {
    subtree: true,
    characterData: true,
    childList: true,
  })
  const Cell = defineComponent(() => {
    const { data } = composables.useQuery<Row[]>(query as never)
    const pending = tidemark.usePending({ entity: row, id: 'a' })
    return () => h('b', `${data.value?.[0]?.value}${pending.value.length > 0 ? 'p' : '-'}`)
  })
  let isPending = () => false
  const Form = defineComponent(() => {
    const mutation = tidemark.useMutation(bump)
    isPending = () => mutation.isPending.value
    return () => h('b', mutation.isPending.value ? 'pp' : '--')
  })
  const app = createApp({ render: () => [h(Cell), h(Form), h(Cell)] }).use(tidemark.syncPlugin, { client: sync })
  app.mount(box)
  apps.push(app)
  await sleep(20)
  const step = async (act: () => void): Promise<string[]> => {
    texts.length = 0
    act()
    await sleep(40)
    return [...texts]
  }
  expect(await step(() => void sync.mutate(bump, { id: 'a', value: 1 }))).toEqual(['1p--1p'])
  expect(isPending()).toBe(false) // not the form's write
  expect(await step(() => answers[0]?.resolve({ id: 'a', value: 2 }))).toEqual(['2---2-'])
  expect(await step(() => void sync.mutate(bump, { id: 'a', value: 3 }))).toEqual(['3p--3p'])
  expect(await step(() => answers[1]?.reject(Object.assign(new Error('No.'), { status: 422 })))).toEqual(['2---2-'])
})
