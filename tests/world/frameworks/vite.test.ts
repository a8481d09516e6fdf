// Frameworks on Vite, in one installation: React Router 7 (framework mode), TanStack Start, Astro, and Vite's own server
// rendering with React and with Vue.
import { run } from './app.ts'
import type { Framework } from './suite.ts'
import { describeFrameworks } from './suite.ts'

const manifest = {
  dependencies: {
    // 7.18.5 of `serve` was never published, and the four ask for one another's exact version.
    '@react-router/dev': '7.18.4',
    '@react-router/node': '7.18.4',
    '@react-router/serve': '7.18.4',
    'react-router': '7.18.4',
    isbot: '^5.0.0',
    '@astrojs/node': '^11.0.0',
    '@astrojs/react': '^7.0.0',
    astro: '^7.0.0',
    '@tanstack/react-query': '^5.104.0',
    '@tanstack/react-router': '^1.160.0',
    '@tanstack/react-router-ssr-query': '^1.160.0',
    '@tanstack/react-start': '^1.160.0',
    '@tanstack/vue-query': '^5.104.0',
    '@vitejs/plugin-react': '^6.0.0',
    '@vitejs/plugin-vue': '^6.0.0',
    react: '^19.0.0',
    'react-dom': '^19.0.0',
    vite: '^8.0.0',
    vue: '^3.5.0',
  },
  devDependencies: {
    '@types/node': '^24.0.0',
    '@types/react': '^19.0.0',
    '@types/react-dom': '^19.0.0',
    typescript: '^5.9.0',
  },
}

/** What the samples are compiled with; those of Vue need a compiler of their own. */
const compiler = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    module: 'ESNext',
    moduleResolution: 'bundler',
    jsx: 'react-jsx',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node', 'vite/client'],
  },
  include: ['react-router', 'tanstack-start', 'astro', 'vite-react'],
  exclude: ['**/dist', '**/build', '**/.react-router'],
}

const vite = (entry: string): string =>
  `vite build --outDir dist/client && vite build --ssr ${entry} --outDir dist/server`

const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'React Router',
    folder: 'react-router',
    build: 'react-router build',
    serve: (port) => `env HOST=127.0.0.1 PORT=${port} react-router-serve build/server/index.js`,
    until: /http:\/\/\S+?:(\d+)/,
  },
  {
    name: 'TanStack Start',
    folder: 'tanstack-start',
    build: 'vite build',
    serve: (port) => `vite preview --host 127.0.0.1 --strictPort --port ${port}`,
    until: /http:\/\/127\.0\.0\.1:(\d+)/,
  },
  {
    name: 'Astro',
    folder: 'astro',
    build: 'astro build',
    serve: (port) => `env HOST=127.0.0.1 PORT=${port} node dist/server/entry.mjs`,
    until: /http:\/\/127\.0\.0\.1:(\d+)/,
  },
  {
    name: 'Vite and React',
    folder: 'vite-react',
    build: vite('entry-server.tsx'),
    serve: () => 'node server.mjs',
    until: /Listening on (\d+)/,
  },
  {
    name: 'Vite and Vue',
    folder: 'vite-vue',
    build: vite('entry-server.ts'),
    serve: () => 'node server.mjs',
    until: /Listening on (\d+)/,
  },
]

describeFrameworks(FRAMEWORKS, {
  manifest,
  async built(app) {
    app.project.write({ 'tsconfig.json': JSON.stringify(compiler) })
    await run({ ...app, folder: '.' }, { line: 'tsc -p .' })
  },
})
