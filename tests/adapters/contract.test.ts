// @vitest-environment jsdom
// What both adapters promise, written once. See driver.ts for how a component is written for either.
import { afterEach, describe, expect, test } from 'vitest'
import type { Component, Host, Mounted, MutationResult } from './driver.ts'
import { reactDriver } from './react-driver.ts'
import type { Todo } from './todos.ts'
import { addTodo, renameTodo, titles, todoRow, todosQuery, todoWorld } from './todos.ts'
import { vueDriver } from './vue-driver.ts'

describe.each([reactDriver, vueDriver])('in $name', ({ mount, act }) => {
  const mounted: Mounted[] = []
  afterEach(() => {
    for (const each of mounted.splice(0)) each.unmount()
    document.body.replaceChildren()
  })
  const show = (host: Host, ...components: Component[]): Mounted => {
    const made = mount(host, ...components)
    mounted.push(made)
    return made
  }
  const list: Component = ({ useQuery }) => {
    const result = useQuery<Todo[]>(() => todosQuery)
    return () => titles(result().data)
  }

  test('a write is on the screen in the turn of mutate, and leaves it when it is refused', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, list)
    await act()
    await act(() => world.net.take('GET').answer([{ id: 'a', title: 'A' }]))
    expect(page.read()).toBe('A')
    world.sync.mutate(addTodo, { id: 'b', title: 'B' })
    await Promise.resolve()
    await Promise.resolve()
    expect(page.read()).toBe('A,B')
    await act()
    await act(() => world.net.take('POST').answer({ title: 'No' }, { status: 422 }))
    expect(page.read()).toBe('A')
  })

  test('a mutation is idle, then pending until the server has accepted it', async () => {
    const world = todoWorld()
    let latest!: () => MutationResult
    const page = show({ sync: world.sync }, ({ useMutation }) => {
      latest = useMutation(addTodo)
      return () => latest().status
    })
    await act()
    expect(page.read()).toBe('idle')
    await act(() => latest().mutate({ id: 'a', title: 'A' }))
    expect(page.read()).toBe('pending')
    await act(() => world.net.take('POST').answer({ id: 'a', title: 'A!' }))
    expect(page.read()).toBe('success')
    expect(latest().data).toEqual({ id: 'a', title: 'A!' })
  })

  test('a row that asks what is pending is told of its own writes only', async () => {
    const world = todoWorld()
    const row =
      (id: string): Component =>
      ({ usePending }) => {
        const pending = usePending(
          () => ({ entity: todoRow, id }),
          (writes) => writes.length,
        )
        return () => `${id}${pending()}`
      }
    const page = show({ sync: world.sync }, row('a'), row('b'))
    await act()
    expect(page.read()).toBe('a0b0')
    const before = page.renders
    await act(() => world.sync.mutate(renameTodo, { id: 'b', title: 'B!' }))
    expect(page.read()).toBe('a0b1')
    expect(page.renders).toBe(before + 1)
  })

  test('selectors show network and outbox', async () => {
    const world = todoWorld()
    const page = show({ sync: world.sync }, ({ useSyncStatus, useOutbox }) => {
      const network = useSyncStatus(({ network }) => network)
      const keys = useOutbox(({ entries }) => entries.map(({ mutationKey }) => mutationKey.join('/')))
      return () => `${network()} ${keys()}`
    })
    await act(() => world.net.network.set('offline'))
    await act(() => world.sync.mutate(addTodo, { id: 'a', title: 'A' }))
    expect(page.read()).toBe('offline todos/add')
  })
})
