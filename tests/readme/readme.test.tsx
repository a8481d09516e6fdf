// @vitest-environment jsdom
// README.md: its code blocks are files that compile and run, its links lead somewhere, its commands are scripts.
import { existsSync, readFileSync } from 'node:fs'
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { createMockServer } from 'tidemark/mocks/node'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { App } from './todo-list'

const readme = readFileSync('README.md', 'utf8')

describe('the README', () => {
  test('shows code that is tested', () => {
    const blocks = [...readme.matchAll(/^<!-- (\S+) -->\n```tsx?\n([\s\S]*?)^```$/gm)]
    expect(blocks.map(([, path]) => path)).toEqual([
      'tests/readme/sync.ts',
      'tests/readme/todo-list.tsx',
      'tests/readme/todos.ts',
    ])
    for (const [, path = '', code] of blocks) expect(code).toBe(readFileSync(path, 'utf8'))
    expect(readme.match(/^```tsx?$/gm)).toHaveLength(blocks.length)
  })

  test('links to pages that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path)
    expect(links.filter((path) => !/^https:/.test(path) && !existsSync(path))).toEqual([])
    expect(links.length).toBeGreaterThan(2)
  })

  test('has two commands for a fresh machine, each in one line', () => {
    const commands = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
    expect(commands).toEqual(['npm ci && npm start\n', 'npm ci && npm test\n'])
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test']))
  })
})

describe('its code', () => {
  const server = createMockServer({
    tables: { todos: { rows: [] as { id: string; title: string }[], entity: 'todo' } },
  })
  beforeAll(() => server.listen())
  afterEach(() => [cleanup(), server.reset()])
  afterAll(() => server.close())

  test('shows a todo before the server has it, and what others add', async () => {
    const held = server.faults.hold({ on: 'write', at: 'request' })
    render(<App />)
    await waitFor(() => expect(server.streams).toBe(1))
    fireEvent.click(screen.getByText('Add milk'))
    screen.getByText('Milk')
    await screen.findByText('Saving')
    expect(await server.database.todos.all()).toEqual([])
    held.release()
    await screen.findByText('Saved')
    expect(await server.database.todos.all()).toMatchObject([{ title: 'Milk' }])
    await server.database.todos.put({ id: 'b', title: 'Bread' })
    await screen.findByText('Bread')
  })

  test('takes back what is refused, and says why', async () => {
    server.faults.status(422, { on: 'write', problem: { detail: 'No milk today' } })
    render(<App />)
    await waitFor(() => expect(server.streams).toBe(1))
    fireEvent.click(screen.getByText('Add milk'))
    await screen.findByText('No milk today')
    expect(screen.queryByText('Milk')).toBeNull()
  })
})
