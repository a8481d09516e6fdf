// docs/testing.md shows code that runs, names every fault, and every option.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { todoServer } from './support'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const page = read('docs/testing.md')

test('the files that the page shows are the files that are tested', () => {
  const shown = [...page.matchAll(/<!-- (\S+) -->\n```\w+\n([\s\S]*?)```/g)]
  expect(shown.map(([, path]) => path)).toEqual(
    ['todos.ts', 'todo-page.tsx', 'todo-page.test.tsx'].map((name) => `tests/mocks/example/${name}`),
  )
  for (const [, path = '', code] of shown) expect(code).toBe(read(path))
})

test('the page names every fault', () => {
  const faults = Object.keys(todoServer().faults)
  expect(faults.filter((name) => !page.includes(`| \`${name}(`))).toEqual([])
})

test('the page names every option', () => {
  const options = [...read('mocks/options.ts').matchAll(/^ {2}(\w+): true,$/gm)].map(([, name = '']) => name)
  expect(options.length).toBeGreaterThan(10)
  expect(options.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})

test('the first story of the page has 20 lines, its server included', () => {
  const lines = read('tests/mocks/example/todo-page.test.tsx').split('\n')
  const story = lines.slice(
    lines.findIndex((line) => line.startsWith('const server')),
    lines.indexOf('})') + 1,
  )
  expect(story.filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(20)
})
