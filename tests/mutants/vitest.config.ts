// The queue's tests on sources of which one line is broken; `tests/mutants/run.ts` runs it once per mutant.
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import { defineConfig } from 'vitest/config'
import { alias } from '../../scripts/aliases.ts'
import { mutants } from './mutants.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const wanted = process.env['MUTANT'] ?? ''
const mutant = mutants.find(({ name }) => name === wanted)
if (mutant === undefined && wanted !== '') throw new Error(`There is no mutant "${wanted}".`)

const plugin: Plugin = {
  name: 'mutant',
  enforce: 'pre',
  transform(code, id) {
    if (mutant === undefined || !id.endsWith(`/${mutant.file}`)) return undefined
    if (code.split(mutant.find).length !== 2)
      throw new Error(`The mutant "${mutant.name}" does not find its line in ${mutant.file}.`)
    return { code: code.replace(mutant.find, () => mutant.replace), map: null }
  },
}

export default defineConfig({
  root,
  plugins: [plugin],
  resolve: { alias },
  test: {
    environment: 'node',
    fsModuleCache: false, // or a mutant would be served the modules of another
    include: [
      'tests/evidence/**/*.test.ts',
      'tests/meaning/**/*.test.ts',
      'tests/scenarios/**/*.test.ts',
      'tests/client/**/*.test.ts',
      'tests/properties/**/*.test.ts',
    ],
    testTimeout: 30_000, // a busy machine is no mutant
    bail: 1,
    reporters: ['dot'],
    env: { RUNS: process.env['RUNS'] ?? '1800' },
  },
})
