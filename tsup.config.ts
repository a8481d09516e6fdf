import { readFileSync, writeFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

/** Adapters import the core as `tidemark`; in the build that is the file next to them, never a second copy. */
const selfReference = {
  name: 'self-reference',
  setup(build: { onResolve: (options: { filter: RegExp }, resolve: () => { path: string; external: true }) => void }) {
    build.onResolve({ filter: /^tidemark$/ }, () => ({ path: './index.js', external: true }))
  },
}

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    react: 'adapters/react/index.ts',
    vue: 'adapters/vue/index.ts',
    mocks: 'mocks/index.ts',
    'mocks/node': 'mocks/node.ts',
    'mocks/browser': 'mocks/browser.ts',
    server: 'server/index.ts',
  },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  splitting: true,
  treeshake: false,
  dts: false,
  clean: true,
  removeNodeProtocol: false, // or `node:sqlite` becomes `sqlite`, which nobody has
  // Vue and MSW are no peers, so tsup would bundle them: a page would have each twice.
  external: [/^node:/, /^(react|vue|msw)(\/|$)/],
  sourcemap: true,
  esbuildPlugins: [selfReference],
  onSuccess: async () => {
    // React's server bundles must know that hooks live here; a directive in the shared chunks would mark the core too.
    const path = 'dist/react.js'
    writeFileSync(path, `"use client";\n${readFileSync(path, 'utf8')}`)
  },
})
