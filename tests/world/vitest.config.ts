// The packed package in foreign surroundings: fresh folders, other package managers, frameworks, compilers and test
// runners. Run by `npm run test:world`, never by `npm test`: it downloads and takes minutes.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'world',
    environment: 'node',
    include: ['tests/world/**/*.test.{ts,tsx}'],
    globalSetup: ['tests/world/packed.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
    maxConcurrency: 2,
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'coverage/world-results.json' }]] : ['default'],
  },
})
