// @vitest-environment jsdom
// `useSyncAction` without a form, also in React 18: its calls, in events and transitions.
import { startTransition, useState } from 'react'
import { defineMutation } from 'tidemark'
import { usePending, useSyncAction } from 'tidemark/react'
import { expect, test } from 'vitest'
import { settle } from './driver.ts'
import { list, mount, withTodos } from './sync-action-page.tsx'
import type { Todo } from './todos.ts'
import { addTodo, todoRow, todoWorld } from './todos.ts'

test('the action can be called in an event or a transition, and its newest call counts', async () => {
  const world = todoWorld()
  let act: (todo: Todo) => void = () => {}
  const Component = () => {
    const [state, add, isPending] = useSyncAction(addTodo)
    act = add
    return (
      <p>
        {list()}|{state.pending.length}|{String(isPending)}|{JSON.stringify(state.data ?? null)}|
        {state.error === null ? 'fine' : state.error.code}
      </p>
    )
  }
  const page = mount(world, <Component />)
  await withTodos(world)
  act({ id: 'b', title: 'B' })
  startTransition(() => act({ id: 'c', title: 'C' }))
  await settle()
  expect(page.read()).toBe('A,B,C|2|true|null|fine')
  await world.net.take('POST').answer({ detail: 'No B.' }, { status: 422 })
  await settle()
  expect(page.read()).toBe('A,C|1|true|null|fine') // the newest is on its way
  await world.net.take('POST').answer({ id: 'c', title: 'C' })
  await settle()
  expect(page.read()).toBe('A,C|0|false|{"id":"c","title":"C"}|fine')
  await world.sync.close()
  act({ id: 'd', title: 'D' })
  await settle()
  expect(page.read()).toContain('|stopped')
})

test('what cannot be stored is thrown at the caller of the action', async () => {
  const world = todoWorld()
  let act: (variables: unknown) => void = () => {}
  const Component = () => {
    const [, add] = useSyncAction(addTodo as ReturnType<typeof defineMutation<unknown, Todo>>)
    act = add
    return null
  }
  mount(world, <Component />)
  await settle()
  expect(() => act({ id: 'b', title: () => 'B' })).toThrow('which JSON does not keep')
  expect(world.sync.outbox.getState().entries).toEqual([])
})

test('a copy with callbacks of its own is the same mutation, in each render another object', async () => {
  const world = todoWorld()
  const called: string[] = []
  let act: (todo: Todo) => void = () => {}
  const Component = () => {
    const [state, add, isPending] = useSyncAction({
      ...addTodo,
      onSuccess: ({ id }) => void called.push(`saved ${id}`),
      onError: ({ code }, { id }) => void called.push(`${code} ${id}`),
    })
    act = add
    return `${list()}|${state.pending.length}|${isPending}|${state.error?.code ?? 'fine'}`
  }
  const page = mount(world, <Component />)
  await withTodos(world)
  act({ id: 'b', title: 'B' })
  await settle()
  act({ id: 'c', title: 'C' })
  await settle()
  expect(page.read()).toBe('A,B,C|2|true|fine')
  await world.net.take('POST').answer({ id: 'b', title: 'B' })
  await settle()
  expect(called).toEqual(['saved b'])
  await world.net.take('POST').answer({ detail: 'No C.' }, { status: 422 })
  await settle()
  expect(page.read()).toBe('A,B|0|false|rejected')
  expect(called).toEqual(['saved b', 'rejected c'])
  expect(world.warnings).toEqual([])
})

/** Its answer has no data: base is read again, and lacks the write until then. */
const markTodo = defineMutation({
  mutationKey: ['todos', 'mark'],
  mutationFn: ({ id }: { id: string }, { fetch }) => fetch(`/todos/${id}/mark`),
  optimistic: (view, { id }) =>
    view.row(todoRow, id).update((todo) => {
      todo.title = 'marked'
    }),
})

test('a write that base does not contain stays pending when one page follows another', async () => {
  const world = todoWorld({ mutations: [markTodo] })
  let turn: () => void = () => {}
  const Page = () => `${list()}|${usePending({ entity: todoRow, id: 'a' }, (writes) => writes.length)}`
  const Pages = () => {
    const [page, setPage] = useState(0)
    turn = () => startTransition(() => setPage(page + 1))
    return (
      <>
        {page}|<Page key={page} />
      </>
    )
  }
  const page = mount(world, <Pages />)
  await withTodos(world)
  world.sync.mutate(markTodo, { id: 'a' })
  await settle()
  await world.net.take('POST').answer({}, { headers: { 'sync-cursor': 'e:1' } })
  await settle()
  expect(page.read()).toBe('0|marked|1')
  turn()
  await settle()
  expect(page.read()).toBe('1|marked|1')
  await world.net.take('GET').answer([{ id: 'a', title: 'marked' }], { headers: { 'sync-cursor': 'e:1' } })
  await settle()
  expect(page.read()).toBe('1|marked|0')
})
