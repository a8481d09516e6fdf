import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { defineConfig } from 'tsup'

/** The sources that open with "use client", by the name of the file that each becomes: `react-context`. */
const clientModules = Object.fromEntries(
  readdirSync('adapters/react')
    .map((name) => `adapters/react/${name}`)
    .filter((path) => readFileSync(path, 'utf8').startsWith("'use client'\n"))
    .map((path) => [`react-${basename(path, '.ts')}`, path]),
)

interface Importing {
  path: string
  importer: string
  kind: string
}

interface EsbuildPlugin {
  onResolve(
    options: { filter: RegExp },
    resolve: (importing: Importing) => { path: string; external: true } | undefined,
  ): void
}

/**
 * What stays a file of its own. Adapters import the core as `tidemark`: that is the file next to them, never a second
 * copy. A module with "use client" is imported by everybody as its own file, because the directive counts for a whole
 * file: what a server component may call stays outside of it.
 */
const ownFiles = {
  name: 'own-files',
  setup(build: EsbuildPlugin) {
    build.onResolve({ filter: /^tidemark$/ }, () => ({ path: './index.js', external: true }))
    build.onResolve({ filter: /^\.\// }, ({ path, importer, kind }) => {
      const name = `react-${basename(path)}`
      const isReact = dirname(importer).endsWith('adapters/react') && kind !== 'entry-point'
      return isReact && name in clientModules ? { path: `./${name}.js`, external: true } : undefined
    })
  },
}

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    react: 'adapters/react/index.ts',
    ...clientModules,
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
  esbuildPlugins: [ownFiles],
})
