// How the tests run: `node` (most of them), `older` (the adapters on their oldest frameworks), `types` (*.test-d.ts),
// `chromium` (*.browser.test.ts, inside a page) and `e2e` (tests/e2e, Node driving a page). The last two need a browser;
// without one they are left out, loudly. First run what needs no browser, a file on each core; then, beside each other, one
// page of `chromium` and one file of `e2e`: a browser keeps more than one core busy, and more would share frames.
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { msw } from 'msw/vite'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import { defineConfig } from 'vitest/config'
import { alias } from './scripts/aliases.ts'
import { chromiumArguments, chromiumPath, hasChromium } from './tests/chromium.ts'
import { LongestFirst } from './tests/kit/longest-first.ts'
import { PATIENCE } from './tests/kit/patience.ts'

/** For what waits for real sockets, timers and pages: a busy machine is no failure (`tests/kit/patience.ts`). */
const patience = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: PATIENCE.timeout } },
  setupFiles: ['tests/kit/testing-library.ts'],
} satisfies TestProjectInlineConfiguration['test']

/** Files at a time. On two cores Vitest would leave one of them. */
const maxWorkers = Math.max(2, availableParallelism() - 1)

const node: TestProjectInlineConfiguration = {
  resolve: { alias },
  test: {
    ...patience,
    name: 'node',
    maxWorkers,
    environment: 'node',
    include: ['tests/**/*.test.{ts,tsx}'],
    exclude: ['tests/**/*.browser.test.{ts,tsx}', 'tests/{e2e,dist,world,engines,proxies}/**'],
  },
}

/** The adapters' contract again, on the oldest frameworks that they work with (`tests/older`). */
const older: TestProjectInlineConfiguration = {
  resolve: {
    alias: [
      ...alias,
      ...['react', 'react-dom', 'vue'].map((name) => ({
        find: new RegExp(`^${name}(?=$|/)`),
        replacement: fileURLToPath(new URL(`./tests/older/node_modules/${name}`, import.meta.url)),
      })),
    ],
  },
  test: {
    ...patience,
    name: 'older',
    maxWorkers,
    environment: 'node',
    include: ['tests/adapters/{contract,mutations,views,older}.test.ts', 'tests/adapters/sync-action-calls.test.tsx'],
    env: { OLDER_FRAMEWORKS: '1' },
    server: { deps: { inline: [/@tanstack\/(react|vue)-query/] } },
  },
}

const types: TestProjectInlineConfiguration = {
  resolve: { alias },
  test: {
    name: 'types',
    include: [],
    typecheck: {
      enabled: true,
      only: true,
      include: ['tests/**/*.test-d.{ts,tsx}'],
      tsconfig: './tsconfig.json',
      ignoreSourceErrors: true, // `npm run types` reports those
    },
  },
}

const chromium: TestProjectInlineConfiguration = {
  resolve: { alias },
  plugins: [msw({ mode: 'worker-only' })],
  optimizeDeps: {
    // Found while tests run, each of these would reload the page under them.
    include: [
      '@tanstack/query-core',
      '@tanstack/react-query',
      '@tanstack/vue-query',
      '@testing-library/react',
      'eventsource-parser',
      'fast-check',
      'immer',
      'msw',
      'msw/browser',
      'react',
      'react-dom',
      'react-dom/client',
      'react-dom/server.browser',
      'react/jsx-dev-runtime',
      'react/jsx-runtime',
      'vue',
      'zustand/vanilla',
    ],
  },
  test: {
    ...patience,
    name: 'chromium',
    include: ['tests/**/*.browser.test.{ts,tsx}'],
    exclude: ['tests/dist/**'],
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chromiumPath, args: chromiumArguments } }),
      instances: [{ browser: 'chromium' }],
    },
  },
}

const e2e: TestProjectInlineConfiguration = {
  resolve: { alias },
  test: {
    ...patience,
    name: 'e2e',
    environment: 'node',
    include: ['tests/e2e/**/*.test.ts'],
    fileParallelism: false,
  },
}

const inBrowser = hasChromium("projects 'chromium' and 'e2e' are") ? [chromium, e2e] : []

export default defineConfig({
  test: {
    projects: [node, older, types, ...inBrowser],
    sequence: { sequencer: LongestFirst },
    passWithNoTests: true,
    restoreMocks: true,
    unstubGlobals: true,
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'coverage/test-results.json' }]] : ['default'],
  },
})
