// @vitest-environment jsdom
// `useSyncAction`: what an Action shows and leaves alone. Interleavings are searched in a browser (actions.browser.test.tsx).
import type { ReactNode } from 'react'
import { Activity, startTransition, useState, useTransition } from 'react'
import { createRoot } from 'react-dom/client'
import { defineMutation } from 'tidemark'
import { SyncProvider, usePending, useQuery, useSyncAction } from 'tidemark/react'
import { afterEach, expect, test } from 'vitest'
import { settle } from './driver.ts'
import type { Todo } from './todos.ts'
import { addTodo, titles, todoRow, todosQuery, todoWorld } from './todos.ts'

const ends: Array<() => void> = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
  document.body.replaceChildren()
})

type World = ReturnType<typeof todoWorld>

function mount(world: World, node: ReactNode) {
  const box = document.body.appendChild(document.createElement('div'))
  const errors: unknown[] = []
  const root = createRoot(box, { onUncaughtError: (error) => void errors.push(error) })
  root.render(<SyncProvider client={world.sync}>{node}</SyncProvider>)
  ends.push(() => root.unmount())
  return { box, errors, read: () => box.textContent }
}

async function withTodos(world: World): Promise<void> {
  await settle()
  await world.net.take('GET').answer([{ id: 'a', title: 'A' }])
  await settle()
}

const list = () => titles(useQuery(todosQuery).data)

function Form() {
  const [state, add, isPending] = useSyncAction(addTodo, (form: FormData): Todo => {
    const title = String(form.get('title'))
    return { id: title.toLowerCase(), title }
  })
  const pending = usePending({ mutationKey: ['todos'] }, (writes) => writes.length)
  return (
    <form action={add}>
      <input name="title" />
      <p>
        {list()}|{isPending ? 'saving' : 'saved'}|{pending}|{state.pending.length}|{state.error?.message ?? 'fine'}
      </p>
    </form>
  )
}

function submit(box: HTMLElement, title: string): void {
  const input = box.querySelector('input')
  if (input === null) throw new Error('there is no form')
  input.value = title
  box.querySelector('form')?.requestSubmit()
}

test('a form is saved in the background: the Action is over when the view has changed', async () => {
  const world = todoWorld()
  const page = mount(world, <Form />)
  await withTodos(world)
  submit(page.box, 'B')
  await settle()
  expect(page.read()).toBe('A,B|saving|1|1|fine')
  expect(page.box.querySelector('input')?.value).toBe('') // React resets the form of an Action that is over
  await world.net.take('POST').answer({ id: 'b', title: 'B' })
  await settle()
  expect(page.read()).toBe('A,B|saved|0|0|fine')
  expect(page.errors).toEqual([])
})

test('a refusal is in the state until the entry is discarded, or sent again', async () => {
  const world = todoWorld()
  const page = mount(world, <Form />)
  await withTodos(world)
  submit(page.box, 'B')
  await settle()
  await world.net.take('POST').answer({ detail: 'One B is enough.' }, { status: 422 })
  await settle()
  expect(page.read()).toContain('A|saved|0|0|')
  expect(page.read()).toContain('One B is enough.')
  const [failed] = world.sync.outbox.getState().failed
  world.sync.retry(failed?.id ?? '')
  await settle()
  expect(page.read()).toBe('A,B|saving|1|1|fine')
  await world.net.take('POST').answer({ detail: 'One B is enough.' }, { status: 422 })
  await settle()
  expect(page.read()).toContain('One B is enough.')
  world.sync.discard(world.sync.outbox.getState().failed[0]?.id ?? '')
  await settle()
  expect(page.read()).toBe('A|saved|0|0|fine')
})

test('no transition waits for an Action, offline neither', async () => {
  const world = todoWorld()
  const App = () => {
    const [page, setPage] = useState('list')
    const [isMoving, move] = useTransition()
    return (
      <>
        <Form />
        <button type="button" onClick={() => move(() => setPage('detail'))}>
          {page} {isMoving ? 'moving' : 'still'}
        </button>
      </>
    )
  }
  const page = mount(world, <App />)
  await withTodos(world)
  await world.net.network.set('offline')
  submit(page.box, 'B')
  await settle()
  page.box.querySelector('button')?.click()
  await settle()
  expect(page.read()).toContain('A,B|saving|1|1')
  expect(page.read()).toContain('detail still')
})

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

test('what ends while an Activity hides the form is there when it is shown again', async () => {
  const world = todoWorld()
  let show: (isShown: boolean) => void = () => {}
  const App = () => {
    const [isShown, setShown] = useState(true)
    show = setShown
    return (
      <Activity mode={isShown ? 'visible' : 'hidden'}>
        <Form />
      </Activity>
    )
  }
  const page = mount(world, <App />)
  await withTodos(world)
  submit(page.box, 'B')
  await settle()
  submit(page.box, 'C')
  await settle()
  expect(page.read()).toBe('A,B,C|saving|2|2|fine')
  show(false)
  await settle()
  await world.net.take('POST').answer({ id: 'b', title: 'B' })
  await world.net.take('POST').answer({ detail: 'No C.' }, { status: 422 })
  await settle()
  expect(page.read()).toBe('A,B,C|saving|2|2|fine') // hidden, it is not rendered for what it does not show
  show(true)
  await settle()
  expect(page.read()).toContain('A,B|saved|0|0|')
  expect(page.read()).toContain('No C.')
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
