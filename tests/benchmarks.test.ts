// The tables of the benchmarks say what the recorded run says. Nothing is measured here: `npm run bench` does that.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { page, withShortTable } from '../benchmarks/harness/report'
import { figureOf, readBudgets, readResults } from '../benchmarks/harness/results'

const results = readResults()
if (results === undefined) throw new Error('benchmarks/results.json is missing: npm run bench -- --record')

test('docs/benchmarks.md says what was recorded', () => {
  expect(readFileSync('docs/benchmarks.md', 'utf8')).toBe(page(results, readBudgets()))
})

test('the table of the README says what was recorded', () => {
  const readme = readFileSync('README.md', 'utf8')
  expect(withShortTable(readme, results)).toBe(readme)
})

test('each budget is of a row that was recorded', () => {
  const missing = readBudgets().filter(
    ({ row, size, contender = 'tidemark' }) => figureOf(results, row, size, contender) === undefined,
  )
  expect(missing).toEqual([])
})

test('the recorded run names no place', () => {
  const text = readFileSync('benchmarks/results.json', 'utf8')
  expect(text).not.toMatch(/\/(home|root|tmp|work|Users)\b|localhost|hostname/)
})
