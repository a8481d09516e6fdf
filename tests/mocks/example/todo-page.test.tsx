// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { createMockServer } from 'tidemark/mocks/node'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TodoPage } from './todo-page'
import type { Todo } from './todos'

const server = createMockServer({ tables: { todos: { rows: [] as Todo[], entity: 'todo' } } })
beforeAll(() => server.listen())
afterEach(() => [cleanup(), server.reset()])
afterAll(() => server.close())

async function addMilk() {
  render(<TodoPage />)
  await waitFor(() => expect(server.streams).toBe(1))
  fireEvent.change(screen.getByLabelText('Title'), { target: { value: 'Milk' } })
  fireEvent.click(screen.getByText('Add'))
  screen.getByText('Milk') // at once, whatever the server will say
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
