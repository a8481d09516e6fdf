// The tests of the built package: no aliases, so that its own names lead where a user's would.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { hasChromium } from '../chromium.ts'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'dist',
    environment: 'node',
    include: ['tests/dist/*.test.ts'],
    exclude: hasChromium('tests/dist/chromium.test.ts is') ? [] : ['tests/dist/chromium.test.ts'],
    globalSetup: ['tests/dist/installed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'coverage/dist-results.json' }]] : ['default'],
  },
})
