// The same page in a browser, as in Storybook: the service worker stands where the network was.
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { createMockServer } from 'tidemark/mocks/browser'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TodoPage } from './todo-page'
import type { Todo } from './todos'

const server = createMockServer({ tables: { todos: { rows: [] as Todo[], entity: 'todo' } } })
beforeAll(() => server.start({ quiet: true, onUnhandledFrame: 'bypass' }))
afterEach(() => [cleanup(), server.reset()])
afterAll(() => server.close())

async function addMilk() {
  render(<TodoPage />)
  await waitFor(() => expect(server.streams).toBe(1))
  fireEvent.change(screen.getByLabelText('Title'), { target: { value: 'Milk' } })
  fireEvent.click(screen.getByText('Add'))
  await screen.findByText('Milk')
}

test('adds a todo once although the answer is lost', async () => {
  server.faults.loseAnswer({ on: 'POST /api/todos' })
  await addMilk()
  await waitFor(async () => expect(await server.database.todos.all()).toHaveLength(1))
  expect(screen.getAllByText('Milk')).toHaveLength(1)
})

test('takes back a todo that is refused, and says why', async () => {
  const held = server.faults.hold({ on: 'write' })
  server.faults.status(422, { on: 'write', problem: { detail: 'No more todos today' } })
  await addMilk()
  held.release()
  expect((await screen.findByRole('alert')).textContent).toBe('No more todos today')
  expect(screen.queryByText('Milk')).toBeNull()
})

test('shows what others write, also after the stream broke in the middle of an event', async () => {
  await addMilk()
  await waitFor(async () => expect(await server.database.todos.all()).toHaveLength(1))
  server.faults.cut()
  await server.database.todos.put({ id: 'eggs', title: 'Eggs' })
  await screen.findByText('Eggs')
  await waitFor(() => expect(server.streams).toBe(1))
  await server.database.todos.delete('eggs')
  await waitFor(() => expect(screen.queryByText('Eggs')).toBeNull())
})
