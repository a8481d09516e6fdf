// Nuxt 4: a plugin makes a client per request, and hands what it read to the page's.
import { describeFrameworks } from './suite.ts'

const nuxt = {
  name: 'Nuxt',
  folder: 'nuxt',
  build: 'nuxt build',
  serve: (port: number) => `env HOST=127.0.0.1 PORT=${port} node .output/server/index.mjs`,
  until: /Listening on http:\/\/127\.0\.0\.1:(\d+)/,
}

describeFrameworks([nuxt], {
  manifest: { dependencies: { '@tanstack/vue-query': '^5.104.0', nuxt: '^4.0.0', vue: '^3.5.0' } },
  // npm 12 wants to be asked for a dependency of Nuxt that is an address; with or without us.
  options: { manager: 'npm 11' },
})
