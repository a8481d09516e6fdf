// @vitest-environment jsdom
// `useSyncAction`: what an Action shows and leaves alone. Interleavings are searched in a browser (actions.browser.test.tsx).
import { Activity, useState, useTransition } from 'react'
import { usePending, useSyncAction } from 'tidemark/react'
import { expect, test } from 'vitest'
import { settle } from './driver.ts'
import { list, mount, withTodos } from './sync-action-page.tsx'
import type { Todo } from './todos.ts'
import { addTodo, todoWorld } from './todos.ts'

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
