// docs/troubleshooting.md has every sentence that a developer may read, by its beginning.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MISTAKES } from './client/silence.ts'

const page = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8')

/** What stands in code on the page and is the beginning of a message; `…` stands for what differs. */
const beginnings = [...page.matchAll(/^\| `([^`]+)`/gm)].map(([, text = '']) => text)

/** Keys, names and texts of the mistakes' table differ from those that the page shows. */
function isOn(sentence: string): boolean {
  return beginnings.some((beginning) => patternOf(beginning).test(sentence))
}

function patternOf(beginning: string): RegExp {
  const parts = beginning.split(/…|"\w+(?:")|\("…"\)|\d+/)
  const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.+?')}`)
}

test('the page has rows', () => {
  expect(beginnings.length).toBeGreaterThan(40)
})

test.each(MISTAKES.map(({ name, begins }) => [name, begins.replace(/^SyncError: /, '')] as const))(
  'the page has the sentence: %s',
  (_, begins) => {
    expect(isOn(begins)).toBe(true)
  },
)

test('the page has no sentence that nobody says', () => {
  const sentences = MISTAKES.map(({ begins }) => begins.replace(/^SyncError: /, ''))
  const after = page.slice(page.indexOf('## Sentences on the console'))
  const said = [...after.matchAll(/^\| `([^`]+)`/gm)].map(([, text = '']) => text)
  const others = said.filter((beginning) => !sentences.some((sentence) => patternOf(beginning).test(sentence)))
  // Those have tests of their own: tests/client/warnings.test.ts and others.
  expect(others).toEqual([
    'Query … was read again because a row had changed, and has the same rows',
    'Mutation … changes todo 1 in scope "a" while scope "b" changes it too',
    'setQueryData was called on … while a mutation of it is pending',
    'A recipe gave two results on the same data',
    'Mutation … has a recipe that changes its own result when it runs again',
    'Mutation … was defined twice',
  ])
})
