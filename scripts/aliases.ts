// The package's own names as files of this repository: tests and examples run on the sources, with nothing built.
import { fileURLToPath } from 'node:url'

const source = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** For Vite's `resolve.alias`, most specific first. */
export const alias: { find: RegExp; replacement: string }[] = [
  { find: /^tidemark\/mocks\/node$/, replacement: source('mocks/node.ts') },
  { find: /^tidemark\/mocks\/browser$/, replacement: source('mocks/browser.ts') },
  { find: /^tidemark\/mocks$/, replacement: source('mocks/index.ts') },
  { find: /^tidemark\/react$/, replacement: source('adapters/react/index.ts') },
  { find: /^tidemark\/vue$/, replacement: source('adapters/vue/index.ts') },
  { find: /^tidemark\/server$/, replacement: source('server/index.ts') },
  { find: /^tidemark$/, replacement: source('src/index.ts') },
]
