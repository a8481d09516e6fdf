// Benchmarks run on the built package (`npm run bench` builds it first), imported by Node itself: the test runner's
// module getters would be measured with it otherwise.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    environment: 'node',
    include: [],
    benchmark: { include: ['benchmarks/**/*.bench.ts'] },
    server: { deps: { external: [/\/dist\//] } },
    fileParallelism: false,
    testTimeout: 600_000,
    passWithNoTests: true,
  },
})
