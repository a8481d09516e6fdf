// @vitest-environment jsdom
// useMutation over the outbox: TanStack's fields and rules, for a write that outlives the component that made it.
import { defineMutation, isSyncError } from 'tidemark'
import { expect, test, vi } from 'vitest'
import { inBoth } from './both.ts'
import type { Component, MutationResult } from './driver.ts'
import type { Todo } from './todos.ts'
import { addTodo, renameTodo, todoWorld } from './todos.ts'

const a: Todo = { id: 'a', title: 'A' }
const b: Todo = { id: 'b', title: 'B' }
const refused = { title: 'Too long' }

/** A component with one mutation; `result()` is its newest result. */
function using(options: unknown = addTodo) {
  let result!: () => MutationResult
  const component: Component = ({ useMutation }) => {
    result = useMutation(options as typeof addTodo)
    return () => result().status
  }
  return { component, result: () => result() }
}

inBoth('a defined mutation', ({ show, act }) => {
  test('is idle, then pending until the server has accepted it', async () => {
    const world = todoWorld()
    const { component, result } = using()
    const page = show({ sync: world.sync }, component)
    await act()
    expect(page.read()).toBe('idle')
    expect(result()).toMatchObject({ data: undefined, error: null, variables: undefined, failureCount: 0 })
    await act(() => result().mutate(a))
    expect(page.read()).toBe('pending')
    expect(result()).toMatchObject({ isPending: true, isPaused: false, variables: a })
    expect(result().submittedAt).toBe(world.sync.outbox.getState().entries[0]?.createdAt)
    await act(() => world.net.take('POST').answer({ ...a, title: 'A!' }))
    expect(page.read()).toBe('success')
    expect(result()).toMatchObject({ isPending: false, data: { ...a, title: 'A!' }, error: null })
  })

  test('is pending in the turn of mutate', async () => {
    const world = todoWorld()
    const { component, result } = using()
    const page = show({ sync: world.sync }, component)
    await act()
    result().mutate(a)
    for (let i = 0; i < 3; i++) await Promise.resolve()
    expect(page.read()).toBe('pending')
  })

  test('has the fields that a result of TanStack has, and no others', async () => {
    const world = todoWorld()
    const defined = using()
    const inline = using({ mutationFn: async () => 1 })
    show({ sync: world.sync }, defined.component, inline.component)
    await act()
    expect(Object.keys(defined.result()).sort()).toEqual(Object.keys(inline.result()).sort())
  })

  test('is paused while offline, and goes on when the network is back', async () => {
    const world = todoWorld()
    const { component, result } = using()
    show({ sync: world.sync }, component)
    await act(() => world.net.network.set('offline'))
    await act(() => result().mutate(a))
    expect(result()).toMatchObject({ status: 'pending', isPaused: true })
    await act(() => world.net.network.set('online'))
    expect(result()).toMatchObject({ status: 'pending', isPaused: false })
    await act(() => world.net.take('POST').answer(a))
    expect(result()).toMatchObject({ status: 'success', isPaused: false })
  })

  test('counts the attempts that failed, and says why', async () => {
    const world = todoWorld()
    const { component, result } = using()
    show({ sync: world.sync }, component)
    await act()
    await act(() => result().mutate(a))
    await act(() => world.net.take('POST').answer({ title: 'Broken' }, { status: 500 }))
    expect(result()).toMatchObject({ status: 'pending', failureCount: 1, failureReason: { code: 'http' } })
    await act(() => world.advance(60_000))
    await act(() => world.net.take('POST').answer(a))
    expect(result()).toMatchObject({ status: 'success', failureCount: 0, failureReason: null })
  })

  test('that is refused has the error, and reset forgets it', async () => {
    const world = todoWorld()
    const { component, result } = using()
    show({ sync: world.sync }, component)
    await act()
    await act(() => result().mutate(a))
    await act(() => world.net.take('POST').answer(refused, { status: 422 }))
    expect(result()).toMatchObject({ status: 'error', data: undefined, failureCount: 1 })
    expect(isSyncError(result().error, 'rejected')).toBe(true)
    await act(() => result().reset())
    expect(result()).toMatchObject({ status: 'idle', error: null, variables: undefined })
  })

  test('calls back when it is accepted or refused, with what TanStack passes', async () => {
    const world = todoWorld()
    const { component, result } = using()
    show({ sync: world.sync }, component)
    await act()
    const callbacks = { onSuccess: vi.fn(), onError: vi.fn(), onSettled: vi.fn() }
    const context = { client: world.sync.queryClient, meta: undefined, mutationKey: ['todos', 'add'] }
    await act(() => result().mutate(a, callbacks))
    expect(callbacks.onSettled).not.toHaveBeenCalled()
    await act(() => world.net.take('POST').answer(a))
    expect(callbacks.onSuccess.mock.calls).toEqual([[a, a, undefined, context]])
    expect(callbacks.onSettled.mock.calls).toEqual([[a, null, a, undefined, context]])
    await act(() => result().mutate(b, callbacks))
    await act(() => world.net.take('POST').answer(refused, { status: 422 }))
    expect(callbacks.onError.mock.calls).toEqual([[result().error, b, undefined, context]])
    expect(callbacks.onSettled).toHaveBeenLastCalledWith(undefined, result().error, b, undefined, context)
  })

  test("a call's own callbacks are of the newest call only, and of a component that is still there", async () => {
    const world = todoWorld()
    const { component, result } = using()
    const page = show({ sync: world.sync }, component)
    const stop = world.sync.start()
    await act()
    const first = vi.fn()
    const second = vi.fn()
    await act(() => {
      result().mutate(a, { onSuccess: first })
      result().mutate(b, { onSuccess: second })
    })
    expect(result().variables).toEqual(b)
    await act(() => world.net.take('POST').answer(a))
    expect(first).not.toHaveBeenCalled()
    page.unmount()
    await act(() => world.net.take('POST').answer(b))
    expect(second).not.toHaveBeenCalled()
    stop()
  })

  test('a copy with callbacks is the same mutation: they fire for every call, mounted or not', async () => {
    const own = vi.fn()
    const added = vi.fn()
    const add = defineMutation({ ...addTodo, onSuccess: own })
    const world = todoWorld({ mutations: [add] })
    const { component, result } = using({ ...add, onSuccess: added })
    const page = show({ sync: world.sync }, component)
    const stop = world.sync.start()
    await act()
    await act(() => result().mutate(a))
    page.unmount()
    await act(() => world.net.take('POST').answer(a))
    expect(own).toHaveBeenCalledTimes(1)
    expect(added).toHaveBeenCalledTimes(1)
    expect(added.mock.calls[0]?.slice(0, 3)).toEqual([a, a, undefined])
    expect(world.warnings.join()).not.toContain('defined twice')
    stop()
  })

  test('the outbox calls the callbacks of the mutation itself once', async () => {
    const own = vi.fn()
    const add = defineMutation({ ...addTodo, onSuccess: own })
    const world = todoWorld({ mutations: [add] })
    const { component, result } = using(add)
    show({ sync: world.sync }, component)
    await act()
    await act(() => result().mutate(a))
    await act(() => world.net.take('POST').answer(a))
    expect(own).toHaveBeenCalledTimes(1)
  })

  test('mutateAsync resolves with the data or rejects with the error', async () => {
    const world = todoWorld()
    const { component, result } = using()
    show({ sync: world.sync }, component)
    await act()
    const good = result().mutateAsync(a)
    await act()
    await act(() => world.net.take('POST').answer(a))
    await expect(good).resolves.toEqual(a)
    const bad = result().mutateAsync(b)
    await act()
    await act(() => world.net.take('POST').answer(refused, { status: 422 }))
    await expect(bad).rejects.toMatchObject({ code: 'rejected' })
  })

  test('goes on without the component, and another component starts idle', async () => {
    const world = todoWorld()
    const first = using()
    const page = show({ sync: world.sync }, first.component)
    const stop = world.sync.start()
    await act()
    await act(() => first.result().mutate(a))
    page.unmount()
    const second = using()
    const next = show({ sync: world.sync }, second.component)
    await act()
    expect(next.read()).toBe('idle')
    expect(world.sync.outbox.getState().entries).toHaveLength(1)
    await act(() => world.net.take('POST').answer(a))
    expect(next.read()).toBe('idle')
    stop()
  })

  test('resolved conflicts and retries keep its result pending', async () => {
    const rename = defineMutation({ ...renameTodo, conflict: 'manual' as const })
    const world = todoWorld({ mutations: [rename] })
    const { component, result } = using(rename)
    show({ sync: world.sync }, component)
    await act()
    await act(() => result().mutate({ id: 'a', title: 'mine' }))
    await act(() => world.net.take('PUT').answer({ current: { value: { id: 'a', title: 'theirs' } } }, { status: 409 }))
    const [entry] = world.sync.outbox.getState().entries
    expect(entry?.status).toBe('conflicted')
    await act(() => world.sync.resolve(entry?.id ?? '', { variables: { id: 'a', title: 'both' } }))
    expect(result()).toMatchObject({ status: 'pending' })
    await act(() => world.net.take('PUT').answer({ id: 'a', title: 'both' }))
    expect(result()).toMatchObject({ status: 'success', data: { title: 'both' } })
  })

  test('a callback that throws stops nothing', async () => {
    const world = todoWorld()
    const { component, result } = using()
    show({ sync: world.sync }, component)
    await act()
    const thrown: unknown[] = []
    const listen = (reason: unknown) => void thrown.push(reason)
    const before = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', listen)
    const onSettled = vi.fn()
    const onSuccess = () => {
      throw new Error('mine')
    }
    await act(() => result().mutate(a, { onSuccess, onSettled }))
    await act(() => world.net.take('POST').answer(a))
    process.off('unhandledRejection', listen)
    for (const each of before) process.on('unhandledRejection', each)
    expect(thrown).toEqual([new Error('mine')])
    expect(onSettled).toHaveBeenCalledTimes(1)
    expect(result().status).toBe('success')
  })
})

inBoth('an inline mutation', ({ show, act }) => {
  test("is TanStack's own: it touches no outbox", async () => {
    const world = todoWorld()
    const done: string[] = []
    const { component, result } = using({
      mutationFn: async (n: number) => `${n}`,
      onMutate: () => ({ before: 0 }),
      onSuccess: (data: string, n: number, context: object) => void done.push(JSON.stringify([data, n, context])),
    })
    const page = show({ sync: world.sync }, component)
    await act()
    await act(() => result().mutate(5))
    expect(page.read()).toBe('success')
    expect(done).toEqual(['["5",5,{"before":0}]'])
    expect(world.sync.outbox.getState().entries).toEqual([])
  })
})
