// @vitest-environment jsdom
// What is special to Vue: scopes, reactive options, <Suspense>, proxies as variables. The rest is in the contract.
import type { SyncClient } from 'tidemark'
import { createSyncClient, isSyncError, queryOptions } from 'tidemark'
import {
  QueryClient,
  syncPlugin,
  useMutation,
  useOutbox,
  usePending,
  useQuery,
  useSyncClient,
  useSyncStatus,
  VueQueryPlugin,
} from 'tidemark/vue'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { App, Component } from 'vue'
import {
  createApp,
  defineComponent,
  effectScope,
  h,
  nextTick,
  onErrorCaptured,
  reactive,
  ref,
  Suspense,
  watchEffect,
} from 'vue'
import { settle } from './driver.ts'
import type { Todo } from './todos.ts'
import { addTodo, renameTodo, titles, todoRow, todosQuery, todoWorld } from './todos.ts'

const apps: App[] = []
afterEach(() => {
  for (const app of apps.splice(0)) app.unmount()
  document.body.replaceChildren()
})

function mount(sync: SyncClient | undefined, root: Component, more: (app: App) => void = () => {}) {
  const box = document.body.appendChild(document.createElement('div'))
  const errors: unknown[] = []
  const app = createApp(root)
  app.config.errorHandler = (error) => void errors.push(error)
  app.config.warnHandler = () => {}
  if (sync !== undefined) app.use(syncPlugin, { client: sync })
  more(app)
  app.mount(box)
  apps.push(app)
  return { app, errors, read: () => box.textContent }
}

const a: Todo = { id: 'a', title: 'A' }
const b: Todo = { id: 'b', title: 'B' }

const todoQuery = (id: string) =>
  queryOptions({
    queryKey: ['todo', id],
    queryFn: ({ fetch }) => fetch(`/todo/${id}`).then((r): Promise<Todo> => r.json()),
    rows: [todoRow, (todo) => todo],
    staleTime: Number.POSITIVE_INFINITY,
  })

describe('options', () => {
  test('may be a getter: another key is another query, and its view', async () => {
    const world = todoWorld()
    const id = ref('a')
    const page = mount(
      world.sync,
      defineComponent(() => {
        const { data } = useQuery(() => todoQuery(id.value))
        return () => data.value?.title ?? '-'
      }),
    )
    await settle()
    await world.net.take('GET', '/todo/a').answer(a)
    world.sync.mutate(renameTodo, { id: 'b', title: 'B!' })
    id.value = 'b'
    await settle()
    expect(page.read()).toBe('-')
    await world.net.take('GET', '/todo/b').answer(b)
    await settle()
    expect(page.read()).toBe('B!')
    id.value = 'a'
    await nextTick()
    expect(page.read()).toBe('A')
  })

  test('may have refs in them, in the key too', async () => {
    const world = todoWorld()
    const id = ref('a')
    const enabled = ref(false)
    const page = mount(
      world.sync,
      defineComponent(() => {
        const { data, fetchStatus } = useQuery({
          queryKey: ['todo', id],
          queryFn: async () => id.value,
          enabled,
        })
        return () => `${data.value} ${fetchStatus.value}`
      }),
    )
    await settle()
    expect(page.read()).toBe('undefined idle')
    enabled.value = true
    await settle()
    expect(page.read()).toBe('a idle')
    id.value = 'b'
    await settle()
    expect(page.read()).toBe('b idle')
  })

  test('of a definition with rows find them once, though Vue copies options', async () => {
    const world = todoWorld()
    const locate = vi.fn((todos: Todo[]) => todos)
    const query = queryOptions({ ...todosQuery, rows: [todoRow, locate] })
    const step = ref(0)
    mount(
      world.sync,
      defineComponent(() => {
        const { data } = useQuery(() => ({ ...query, meta: { step: step.value } }))
        return () => titles(data.value)
      }),
    )
    await settle()
    await world.net.take('GET').answer([a])
    await settle()
    const calls = locate.mock.calls.length
    step.value++
    await settle()
    expect(locate.mock.calls.length).toBe(calls)
  })
})

describe('variables', () => {
  test('may be reactive, deep inside too: what is recorded is plain and never changes', async () => {
    const world = todoWorld()
    const todo = reactive({ id: 'a', title: ref('A'), tags: [reactive({ name: 'x' })] })
    let mutate!: (todo: unknown) => void
    mount(
      world.sync,
      defineComponent(() => {
        mutate = useMutation(addTodo).mutate as never
        return () => ''
      }),
    )
    await settle()
    mutate(todo)
    mutate(ref({ id: 'b', title: 'B' }))
    todo.title = 'changed'
    const [first, second] = world.sync.outbox.getState().entries
    expect(first?.variables).toStrictEqual({ id: 'a', title: 'A', tags: [{ name: 'x' }] })
    expect(second?.variables).toStrictEqual({ id: 'b', title: 'B' })
  })

  test('reach a serializer of the application without proxies', async () => {
    const seen: unknown[] = []
    const serializer = {
      serialize: (value: unknown) => {
        seen.push(structuredClone(value)) // throws on a proxy
        return JSON.stringify(value)
      },
      deserialize: (text: string) => JSON.parse(text) as unknown,
    }
    const sync = createSyncClient({ mutations: [addTodo], serializer })
    let mutate!: (todo: Todo) => void
    mount(
      sync,
      defineComponent(() => {
        mutate = useMutation(addTodo).mutate
        return () => ''
      }),
    )
    mutate(reactive({ id: 'a', title: 'A' }))
    expect(seen[0]).toEqual({ id: 'a', title: 'A' })
  })
})

describe('scopes', () => {
  test('that end take their subscriptions along', async () => {
    const world = todoWorld()
    const { app } = mount(world.sync, { render: () => '' })
    const scope = effectScope()
    const seen: string[] = []
    const rendered = app.runWithContext(() =>
      scope.run(() => {
        const { data } = useQuery(todosQuery)
        const network = useSyncStatus((status) => status.network)
        const failed = useOutbox((outbox) => outbox.failed.length)
        const pending = usePending({}, (writes) => writes.length)
        watchEffect(() => void seen.push(`${titles(data.value)} ${network.value} ${failed.value} ${pending.value}`))
        return { pending }
      }),
    )
    await settle()
    world.sync.mutate(addTodo, b)
    await settle()
    expect(seen.at(-1)).toBe('- online 0 1')
    const query = world.sync.queryClient.getQueryCache().find({ queryKey: ['todos'] })
    expect(query?.getObserversCount()).toBe(1)
    scope.stop()
    expect(query?.getObserversCount()).toBe(0)
    world.sync.mutate(addTodo, a)
    await world.net.network.set('offline')
    await settle()
    expect(seen.at(-1)).toBe('- online 0 1')
    expect(rendered?.pending.value).toBe(1)
  })

  test('an application that is unmounted stops its client', async () => {
    const world = todoWorld()
    const { app } = mount(world.sync, { render: () => '' })
    await settle()
    app.unmount()
    apps.pop()
    world.sync.mutate(addTodo, a)
    await settle()
    expect(world.net.waiting).toHaveLength(0)
  })

  test('an application of Vue 3.4, without onUnmount, stops its client too', async () => {
    const world = todoWorld()
    const page = mount(undefined, { render: () => '' }, (app) => {
      Object.assign(app, { onUnmount: undefined })
      app.use(syncPlugin, { client: world.sync })
    })
    await settle()
    page.app.unmount()
    apps.pop()
    world.sync.mutate(addTodo, a)
    await settle()
    expect(world.net.waiting).toHaveLength(0)
  })
})

describe('<Suspense>', () => {
  test('waits for suspense(), and shows the view with what is pending', async () => {
    const world = todoWorld()
    const List = defineComponent(async () => {
      const { data, suspense } = useQuery(todosQuery)
      await suspense()
      return () => titles(data.value)
    })
    const page = mount(world.sync, {
      render: () => h(Suspense, null, { default: () => h(List), fallback: () => 'waiting' }),
    })
    await settle()
    expect(page.read()).toBe('waiting')
    world.sync.mutate(addTodo, b)
    await world.net.take('GET').answer([a])
    await settle()
    expect(page.read()).toBe('A,B')
  })
})

describe('several clients', () => {
  test('have keys of their own', async () => {
    const first = todoWorld()
    const second = todoWorld()
    const page = mount(
      first.sync,
      defineComponent(() => {
        expect(useSyncClient()).toBe(first.sync)
        expect(useSyncClient('second')).toBe(second.sync)
        return () => 'both'
      }),
      (app) => syncPlugin.install(app, { client: second.sync, queryClientKey: 'second' }), // Vue uses a plugin once
    )
    expect(page.errors).toEqual([])
    expect(page.read()).toBe('both')
  })
})

describe('plugins', () => {
  test('a QueryClient is made from queryClientConfig as TanStack does, and gets a sync client', async () => {
    const page = mount(
      undefined,
      defineComponent(() => {
        const { data } = useQuery({ queryKey: ['n'] })
        const stream = useSyncStatus((status) => status.stream)
        return () => `${data.value} ${stream.value}`
      }),
      (app) =>
        app.use(VueQueryPlugin, {
          queryClientConfig: { defaultOptions: { queries: { queryFn: async ({ queryKey }) => `got ${queryKey[0]}` } } },
        }),
    )
    await settle()
    expect(page.read()).toBe('got n off')
  })

  test('a persister works on the plain client, and nothing is fetched before it is done', async () => {
    const queryClient = new QueryClient()
    let restore!: () => void
    const restored = new Promise<void>((resolve) => {
      restore = resolve
    })
    const given: unknown[] = []
    const queryFn = vi.fn(async () => 'fetched')
    const page = mount(
      undefined,
      defineComponent(() => {
        const { data } = useQuery({ queryKey: ['n'], queryFn })
        return () => `${data.value}`
      }),
      (app) =>
        app.use(VueQueryPlugin, {
          queryClient,
          clientPersister: (client) => {
            given.push(client)
            return [() => {}, restored]
          },
          clientPersisterOnSuccess: (client) => void given.push(client),
        }),
    )
    await settle()
    expect(queryFn).not.toHaveBeenCalled()
    restore()
    await settle()
    expect(page.read()).toBe('fetched')
    expect(given).toEqual([queryClient, queryClient])
  })

  test('a client that is none names what to pass', () => {
    expect(() => createApp({}).use(syncPlugin, {} as never)).toThrow(/needs a sync client/)
    expect(() => createApp({}).use(syncPlugin, undefined as never)).toThrow(/needs a sync client/)
  })
})

describe('errors', () => {
  test('of a defined mutation are thrown where throwOnError says so', async () => {
    const world = todoWorld()
    let mutate!: (todo: Todo) => void
    const Adder = defineComponent(() => {
      mutate = useMutation({ ...addTodo, throwOnError: (error) => isSyncError(error, 'rejected') }).mutate
      return () => 'adder'
    })
    const caught: unknown[] = []
    const page = mount(
      world.sync,
      defineComponent(() => {
        onErrorCaptured((error) => {
          caught.push(error)
          return false
        })
        return () => h(Adder)
      }),
    )
    await settle()
    mutate(a)
    await settle()
    await world.net.take('POST').answer({ title: 'No' }, { status: 422 })
    await settle()
    expect(caught).toMatchObject([{ code: 'rejected' }])
    expect(page.read()).toBe('adder')
  })

  test('composables outside of setup say where they belong', () => {
    expect(() => useSyncClient()).toThrow(/setup\(\)/)
  })
})
