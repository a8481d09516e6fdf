// @vitest-environment jsdom
/**
 * Suspense over views: whatever brings data releases it, a row that pending writes take away reads nothing again and again,
 * and no component is rendered without data. In React and in Vue.
 */
import type { ReactNode } from 'react'
import { Component, Suspense, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { defineMutation, entity, experimental_streamedQuery, QueryObserver, queryOptions } from 'tidemark'
import { SyncProvider, useSuspenseQueries, useSuspenseQuery } from 'tidemark/react'
import { syncPlugin, useQuery as useVueQuery } from 'tidemark/vue'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createApp, h } from 'vue'
import type { World } from '../kit/world.ts'
import { createWorld } from '../kit/world.ts'
import { settle } from './driver.ts'

interface Todo {
  id: string
  title: string
}
const todoRow = entity<Todo>('todo')
const detail = (id: string) =>
  queryOptions({
    queryKey: ['todo', id],
    queryFn: ({ fetch }) => fetch(`/todos/${id}`).then((answer): Promise<Todo> => answer.json()),
    rows: [todoRow, (todo) => [todo]],
  })
const removeTodo = defineMutation({
  mutationKey: ['todos', 'remove'],
  mutationFn: (id: string, { fetch }) => fetch(`/todos/${id}`, { method: 'DELETE' }).then(() => id),
  optimistic: (view, id) => view.remove(todoRow, id),
})
const draftTodo = defineMutation({
  mutationKey: ['todos', 'draft'],
  mutationFn: (todo: Todo, { fetch }) =>
    fetch('/todos', { method: 'POST', body: JSON.stringify(todo) }).then((answer): Promise<Todo> => answer.json()),
  optimistic: (view, todo) => view.set(detail(todo.id).queryKey, todo),
})
const a: Todo = { id: 'a', title: 'A' }

vi.setConfig({ testTimeout: 60_000 })

const ends: Array<() => void> = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
  document.body.replaceChildren()
})

function newWorld(): World {
  const world = createWorld({ mutations: [removeTodo, draftTodo] })
  ends.push(world.sync.start())
  return world
}

function render(world: World, node: ReactNode) {
  const box = document.body.appendChild(document.createElement('div'))
  const errors: unknown[] = []
  const root = createRoot(box, { onUncaughtError: (error) => void errors.push(error), onCaughtError: () => {} })
  root.render(
    <SyncProvider client={world.sync}>
      <Boundary>
        <Suspense fallback="waiting">{node}</Suspense>
      </Boundary>
    </SyncProvider>,
  )
  ends.push(() => root.unmount())
  // React holds a fallback for some tenths of a second before it shows what was suspended.
  const shows = (text: string) => vi.waitFor(() => expect(box.textContent).toContain(text), { timeout: 20_000 })
  return { box, errors, shows }
}

class Boundary extends Component<{ children: ReactNode }> {
  override state: { error: Error | undefined } = { error: undefined }
  static getDerivedStateFromError = (error: Error) => ({ error })
  override render() {
    return this.state.error === undefined ? this.props.children : `failed: ${this.state.error.message}`
  }
}

const seen: Array<Todo | undefined> = []
const One = () => {
  const { data } = useSuspenseQuery(detail('a'))
  seen.push(data)
  return <p>{data.title}</p>
}
const Several = () => {
  const [{ data }] = useSuspenseQueries({ queries: [detail('a')] })
  seen.push(data)
  return <p>{data.title}</p>
}

async function rest(world: World): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await settle()
    await world.settle()
  }
}

/** Whether the promise is fulfilled by now. */
async function state(promise: Promise<unknown>): Promise<unknown> {
  const open = Symbol('open')
  const found = await Promise.race([promise, settle().then(() => open)])
  return found === open ? 'waiting' : found
}

describe('what brings data', () => {
  const observe = (world: World) =>
    new QueryObserver(world.sync.viewClient, world.sync.viewClient.defaultQueryOptions(detail('a') as never) as never)

  test.each([
    ['setQueryData', (world: World) => void world.sync.queryClient.setQueryData(['todo', 'a'], a)],
    ['an own view.set', (world: World) => void world.sync.mutate(draftTodo, a)],
    [
      'hydrated state',
      (world: World) =>
        world.sync.queryClient
          .getQueryCache()
          .find({ queryKey: ['todo', 'a'] })
          ?.setState({ data: a, status: 'success' }),
    ],
  ])('%s releases what waits for a read that is on its way', async (_, bring) => {
    const world = newWorld()
    const options = world.sync.viewClient.defaultQueryOptions(detail('a') as never)
    const promise = observe(world).fetchOptimistic(options as never)
    await world.settle()
    expect(await state(promise)).toBe('waiting')
    bring(world)
    expect(await state(promise)).toMatchObject({ data: a, status: 'success' })
  })

  test('the first chunk of a streamed query releases it', async () => {
    const world = newWorld()
    let more: () => void = () => {}
    const streamed = {
      queryKey: ['streamed'],
      queryFn: experimental_streamedQuery({
        async *streamFn() {
          yield 'first'
          await new Promise<void>((resolve) => {
            more = resolve
          })
          yield 'second'
        },
      }),
    }
    const { viewClient } = world.sync
    const observer = new QueryObserver(viewClient, viewClient.defaultQueryOptions(streamed))
    expect(await state(observer.fetchOptimistic(viewClient.defaultQueryOptions(streamed)))).toMatchObject({
      data: ['first'],
    })
    more()
    await rest(world)
    expect(world.sync.getView(['streamed'])).toEqual(['first', 'second'])
  })

  test('a base is announced to the view client when its view is folded', async () => {
    const world = newWorld()
    observe(world)
    const told: unknown[] = []
    const cache = world.sync.viewClient.getQueryCache()
    const stop = cache.subscribe((event) => {
      if (event.type === 'updated') told.push(cache.find({ queryKey: ['todo', 'a'] })?.state.data)
    })
    world.sync.queryClient.setQueryData(['todo', 'a'], a)
    world.sync.queryClient.setQueryData(['todo', 'a'], { ...a, title: 'AA' })
    expect(told).toEqual([a, { ...a, title: 'AA' }])
    world.sync.mutate(removeTodo, 'a')
    expect(told.at(-1)).toBeUndefined()
    stop()
  })

  test('a refetch that is asked for reads, whatever pending writes hide', async () => {
    const world = newWorld()
    world.sync.queryClient.setQueryData(['todo', 'a'], a)
    world.sync.mutate(removeTodo, 'a')
    await world.settle()
    const refetched = observe(world).refetch()
    await world.settle()
    await world.net.take('GET').answer({ ...a, title: 'AA' })
    expect(await state(refetched)).toMatchObject({ data: undefined, status: 'pending' })
    expect(world.sync.getBase(['todo', 'a'])).toEqual({ ...a, title: 'AA' })
  })
})

describe.each([
  ['useSuspenseQuery', One],
  ['useSuspenseQueries', Several],
])('a row that is being deleted, %s', (_, Detail) => {
  async function deleting() {
    seen.length = 0
    const world = newWorld()
    const page = render(world, <Detail />)
    await rest(world)
    await world.net.take('GET').answer(a)
    await rest(world)
    await page.shows('A')
    const { sync, net } = world
    sync.mutate(removeTodo, 'a')
    await rest(world)
    const reads = () => net.log.filter(({ method }) => method === 'GET').length
    return { world, page, net, reads }
  }

  test('waits without a read, and is there again when the deletion is refused', async () => {
    const { world, page, net, reads } = await deleting()
    await page.shows('waiting')
    const before = reads()
    for (let round = 0; round < 20; round++) await rest(world)
    expect(reads()).toBe(before)
    await net.take('DELETE').answer({ detail: 'It is not yours.' }, { status: 403 })
    await rest(world)
    await page.shows('A')
    expect(page.errors).toEqual([])
    expect(seen).not.toContain(undefined)
  })

  test('fails to the nearest boundary when the server has deleted it', async () => {
    const { world, page, net, reads } = await deleting()
    await net.take('DELETE').answer({})
    await rest(world)
    const before = reads()
    await net.take('GET').answer({ detail: 'There is no such task.' }, { status: 404 })
    await rest(world)
    await page.shows('failed:')
    for (let round = 0; round < 10; round++) await rest(world)
    expect(reads()).toBe(before)
    expect(seen).not.toContain(undefined)
  })

  test('waits also where it is first rendered while the deletion is on its way', async () => {
    seen.length = 0
    const world = newWorld()
    world.sync.queryClient.setQueryData(['todo', 'a'], a)
    world.sync.mutate(removeTodo, 'a')
    const page = render(world, <Detail />)
    for (let round = 0; round < 10; round++) await rest(world)
    await page.shows('waiting')
    expect(world.net.log.filter(({ method }) => method === 'GET')).toEqual([])
    await world.net.take('DELETE').answer({})
    await rest(world)
    await world.net.take('GET').answer({ detail: 'There is no such task.' }, { status: 404 })
    await rest(world)
    await page.shows('failed:')
    expect(seen).not.toContain(undefined)
  })

  test('is let go when the query leaves the cache', async () => {
    const { world, page, net } = await deleting()
    world.sync.queryClient.removeQueries({ queryKey: ['todo', 'a'] })
    await rest(world)
    await net.take('GET').answer({ ...a, title: 'A again' })
    await rest(world)
    await page.shows('waiting') // the deletion is still on its way
    await net.take('DELETE').answer({ detail: 'It is not yours.' }, { status: 403 })
    await page.shows('A again')
    expect(seen).not.toContain(undefined)
  })
})

test.each([
  ['useSuspenseQuery', One],
  ['useSuspenseQueries', Several],
])('a row that was deleted while nobody watched is read when it is opened, %s', async (_, Detail) => {
  seen.length = 0
  const world = newWorld()
  void world.sync.queryClient.prefetchQuery(detail('a') as never)
  await rest(world)
  await world.net.take('GET').answer(a)
  await rest(world)
  world.sync.mutate(removeTodo, 'a')
  await rest(world)
  await world.net.take('DELETE').answer({})
  await rest(world)
  const page = render(world, <Detail />)
  await rest(world)
  await world.net.take('GET').answer({ detail: 'There is no such task.' }, { status: 404 })
  await page.shows('failed:')
  expect(seen).not.toContain(undefined)
})

test('a hook that suspends again is one hook, and React finds no other order', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {})
  const world = newWorld()
  let show: (id: string) => void = () => {}
  const Page = () => {
    const [id, setId] = useState('a')
    show = setId
    return <p>{useSuspenseQuery(detail(id)).data.title}</p>
  }
  const page = render(world, <Page />)
  await rest(world)
  await world.net.take('GET').answer(a)
  await page.shows('A')
  show('b')
  await rest(world)
  await world.net.take('GET').answer({ id: 'b', title: 'B' })
  await page.shows('B')
  expect(errors.mock.calls.flat().filter((said) => String(said).includes('order of Hooks'))).toEqual([])
})

test("Vue's suspense() waits for a row that is being deleted, and for nothing else", async () => {
  const world = newWorld()
  world.sync.queryClient.setQueryData(['todo', 'a'], a)
  world.sync.mutate(removeTodo, 'a')
  let suspense: () => Promise<{ data: Todo | undefined }> = async () => ({ data: undefined })
  const app = createApp({
    setup() {
      // biome-ignore lint/correctness/useHookAtTopLevel: Vue's setup(), not a component of React
      const query = useVueQuery(detail('a'))
      suspense = query.suspense as typeof suspense
      return () => h('p', query.data.value?.title)
    },
  })
  app.use(syncPlugin, { client: world.sync })
  app.mount(document.body.appendChild(document.createElement('div')))
  ends.push(() => app.unmount())
  await rest(world)
  const promise = suspense()
  for (let round = 0; round < 10; round++) await rest(world)
  expect(await state(promise)).toBe('waiting')
  const reads = () => world.net.log.filter(({ method }) => method === 'GET').length
  expect(reads()).toBeLessThanOrEqual(1)
  await world.net.take('DELETE').answer({ detail: 'It is not yours.' }, { status: 403 })
  await rest(world)
  expect(await state(promise)).toMatchObject({ data: a })
})
