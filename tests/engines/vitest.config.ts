// The same scenarios in Chromium, Firefox ESR and WebKitGTK, a project for each. Run by `npm run test:engines`, never by
// `npm test`. An engine that is not there is left out, loudly; under `CI` or `REQUIRE_CHROMIUM` that is a failure.
import { fileURLToPath } from 'node:url'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import { defineConfig } from 'vitest/config'
import { alias } from '../../scripts/aliases.ts'
import { PATIENCE } from '../kit/patience.ts'
import { ENGINES, missing } from './needs.ts'

const isRequired = Boolean(process.env['CI'] || process.env['REQUIRE_CHROMIUM'])

const projects: TestProjectInlineConfiguration[] = []
for (const need of ENGINES) {
  const lack = missing(need)
  if (lack !== undefined && !isRequired) leaveOut(lack)
  else
    projects.push({
      resolve: { alias },
      test: {
        name: need.name,
        environment: 'node',
        include: ['tests/engines/**/*.test.ts'],
        provide: { engine: need.name },
        testTimeout: 120_000,
        hookTimeout: 120_000,
        expect: { poll: { timeout: PATIENCE.timeout, interval: 25 } },
      },
    })
}

/** Configurations are read more than once: the environment remembers what was said. */
function leaveOut(lack: string): void {
  if (process.env['TIDEMARK_LEFT_OUT']?.includes(lack)) return
  process.env['TIDEMARK_LEFT_OUT'] = `${process.env['TIDEMARK_LEFT_OUT'] ?? ''}${lack}`
  console.warn(`\nLEFT OUT of this run: ${lack}\n`)
}

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    projects,
    passWithNoTests: true,
    maxWorkers: 2,
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'coverage/engines-results.json' }]] : ['default'],
  },
})
