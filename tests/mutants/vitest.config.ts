// The queue's tests on sources that are broken in one place; `tests/mutants/run.ts` runs it once per mutant.
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import { defineConfig } from 'vitest/config'
import { alias } from '../../scripts/aliases.ts'
import { mutants } from './mutants.ts'
import { placeOf } from './place.ts'
import { QuickestFirst } from './quickest.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const wanted = process.env['MUTANT'] ?? ''
const mutant = mutants.find(({ name }) => name === wanted)
if (mutant === undefined && wanted !== '') throw new Error(`There is no mutant "${wanted}".`)

const place = mutant === undefined ? undefined : placeOf(mutant)

const plugin: Plugin = {
  name: 'mutant',
  enforce: 'pre',
  transform(code, id) {
    if (mutant === undefined || place === undefined || !id.endsWith(`/${place.file}`)) return undefined
    return { code: code.slice(0, place.start) + mutant.replace + code.slice(place.end), map: null }
  },
}

export default defineConfig({
  root,
  plugins: [plugin],
  resolve: { alias },
  test: {
    environment: 'node',
    pool: 'threads', // they start faster, and there is one for each file
    fsModuleCache: false, // or a mutant would be served the modules of another
    include: [
      'tests/evidence/**/*.test.ts',
      'tests/meaning/**/*.test.ts',
      'tests/scenarios/**/*.test.ts',
      'tests/client/**/*.test.ts',
      'tests/lists/**/*.test.ts',
      'tests/properties/**/*.test.ts',
    ],
    testTimeout: 30_000, // a busy machine is no mutant
    bail: 1,
    sequence: { sequencer: QuickestFirst },
    reporters: ['dot'],
    env: { RUNS: process.env['RUNS'] ?? '1800' },
  },
})
