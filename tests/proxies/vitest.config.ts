// The client behind other people's proxies, on loopback: Debian's packages in Debian's configuration. Run by
// `npm run test:proxies`, never by `npm test`. One file at a time: the figures are of a machine that does nothing else.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { alias } from '../../scripts/aliases.ts'
import { PATIENCE } from '../kit/patience.ts'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  resolve: { alias },
  test: {
    name: 'proxies',
    environment: 'node',
    include: ['tests/proxies/**/*.test.ts'],
    globalSetup: ['tests/proxies/setup.ts'],
    fileParallelism: false,
    maxConcurrency: 20, // proxies that wait cost nothing
    testTimeout: 180_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: PATIENCE.timeout, interval: 25 } },
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'coverage/proxies-results.json' }]] : ['default'],
  },
})
