// What a user's bundler makes of an import: esbuild, minified, NODE_ENV=production, dependencies included. Of Tidemark it
// sees `dist`, which is all that the packed package has.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

interface Esbuild {
  build(options: object): Promise<{ outputFiles: readonly { text: string }[] }>
}

/** The esbuild with which the package is built. */
const require = createRequire(createRequire(import.meta.url).resolve('tsup'))
const esbuild = require('esbuild') as Esbuild

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Entry {
  readonly name: string
  readonly code: string
  /** A peer: it is resolved in `benchmarks/peers`. */
  readonly isPeer?: boolean
  /** The core is there already: it is the file next to the adapter. */
  readonly isAdapter?: boolean
  readonly external?: readonly string[]
}

interface EsbuildPlugin {
  onResolve(options: { filter: RegExp }, resolve: () => { path: string; external: true }): void
}

const coreElsewhere = {
  name: 'core-elsewhere',
  setup: (build: EsbuildPlugin) =>
    build.onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: './index.js', external: true })),
}

export async function bundle({ code, isPeer = false, isAdapter = false, external = [] }: Entry): Promise<string> {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: code, resolveDir: isPeer ? `${root}benchmarks/peers` : root },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    external,
    plugins: isAdapter ? [coreElsewhere] : [],
    tsconfigRaw: {}, // that of the repository leads `tidemark` to the sources
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

export const gzipped = (text: string): number => gzipSync(text, { level: 9 }).length

const PULL = 'createSyncClient, createQueryStore, defineMutation, entity, infiniteQueryOptions, queryOptions'

export const OURS = {
  pull: { name: 'tidemark: pull and optimistic writes', code: `export { ${PULL} } from 'tidemark'` },
  stream: { name: 'tidemark: with the stream', code: `export { ${PULL}, syncStream } from 'tidemark'` },
  all: { name: 'tidemark', code: "export * from 'tidemark'" },
  events: { name: 'tidemark: createEventStream', code: "export { createEventStream } from 'tidemark'" },
  react: {
    name: 'tidemark: adapter of React',
    code: "export * from 'tidemark/react'",
    isAdapter: true,
    external: ['react', '@tanstack/react-query', '@tanstack/query-core'],
  },
  vue: {
    name: 'tidemark: adapter of Vue',
    code: "export * from 'tidemark/vue'",
    isAdapter: true,
    external: ['vue', '@tanstack/vue-query', '@tanstack/query-core'],
  },
} as const satisfies Record<string, Entry>

const peer = (name: string, code: string): Entry => ({ name, code, isPeer: true })

/** What an application with optimistic writes imports of each. */
export const PEERS: readonly Entry[] = [
  peer('query-core', "export { QueryClient, QueryObserver, MutationObserver } from '@tanstack/query-core'"),
  peer('TanStack DB', "export { createCollection, createLiveQueryCollection, eq } from '@tanstack/db'"),
  { ...peer('SWR', "export { default, mutate, useSWRConfig } from 'swr'"), external: ['react'] },
  peer(
    'RTK Query',
    "export { configureStore } from '@reduxjs/toolkit'; export { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query'",
  ),
  peer('Apollo Client', "export { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client'"),
  peer('Replicache', "export { Replicache } from 'replicache'"),
]
