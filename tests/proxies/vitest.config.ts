// The client behind other people's proxies, on loopback: Debian's packages in Debian's configuration. Run by
// `npm run test:proxies`, never by `npm test`. Two files at a time, since one of them does little but wait; then, alone, those
// with figures and bounds: they are of a machine that does nothing else.
import { fileURLToPath } from 'node:url'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import { defineConfig } from 'vitest/config'
import { alias } from '../../scripts/aliases.ts'
import { PATIENCE } from '../kit/patience.ts'

const ALONE = ['tests/proxies/{buffering,latency}.test.ts']

const shared = {
  environment: 'node',
  globalSetup: ['tests/proxies/setup.ts'],
  maxConcurrency: 20, // proxies that wait cost nothing
  testTimeout: 180_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: PATIENCE.timeout, interval: 25 } },
} satisfies TestProjectInlineConfiguration['test']

const beside: TestProjectInlineConfiguration = {
  resolve: { alias },
  test: {
    ...shared,
    name: 'beside',
    include: ['tests/proxies/**/*.test.ts'],
    exclude: ALONE,
    maxWorkers: 2,
  },
}

const alone: TestProjectInlineConfiguration = {
  resolve: { alias },
  test: {
    ...shared,
    name: 'alone',
    include: ALONE,
    fileParallelism: false, // a group of its own, after the others
  },
}

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    projects: [beside, alone],
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'coverage/proxies-results.json' }]] : ['default'],
  },
})
