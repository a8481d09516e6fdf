// A production build has none of the sentences for developers in it; a build for development has all of them.
import { fileURLToPath } from 'node:url'
import type { Rolldown } from 'vite'
import { build } from 'vite'
import { expect, test } from 'vitest'
import { alias } from '../../scripts/aliases.ts'
import { MISTAKES } from './silence.ts'

/** A word group of each sentence that stands in the sources as it is. */
const PARTS = [
  'which has no effect',
  'has no effect in this version',
  'which is never called',
  'where its "rows" look',
  'touches no query that is cached',
  'was never started',
  'with the Response itself',
  'and no query listens to it',
  'for no entry of the outbox has this id',
  'was given the QueryClient itself',
  'has rendered on the server before',
  'and was started there',
  'that is no number',
]

/** Of sentences about what is a mistake only perhaps. */
const AIDS = [
  'A recipe gave two results',
  'setQueryData was called',
  'does not say which writes',
  'did you mean',
  'has no option',
]

async function bundle(mode: 'production' | 'development'): Promise<string> {
  const entry = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
  const built = (await build({
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    mode,
    define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
    resolve: { alias },
    build: { write: false, minify: mode === 'production', lib: { entry, formats: ['es'] } },
  })) as Rolldown.RolldownOutput[]
  return built.flatMap(({ output }) => output.map((file) => ('code' in file ? file.code : ''))).join('\n')
}

test('each part is one of a sentence', () => {
  const sentences = MISTAKES.map(({ begins }) => begins).join('\n')
  expect(PARTS.filter((part) => !sentences.includes(part) && !part.startsWith('for no entry'))).toEqual([])
})

test('sentences are in a build for development, and not in one for production', { timeout: 120_000 }, async () => {
  const development = await bundle('development')
  const parts = [...PARTS, ...AIDS]
  expect(parts.filter((part) => !development.includes(part))).toEqual([])
  const production = await bundle('production')
  expect(production).toContain('is not registered')
  expect(parts.filter((part) => production.includes(part))).toEqual([])
})
