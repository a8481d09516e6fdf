import { mkdirSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { chromium } from 'playwright'
import type { Rolldown } from 'vite'
import { build } from 'vite'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { chromiumArguments, chromiumPath } from '../chromium.ts'
import { entries } from '../public-names.ts'

/** An application of three islands over one client, written as a user writes it and built for production. */
const application = `
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import { createApp, h } from 'vue'
import { createSyncClient, createQueryStore, queryOptions } from 'tidemark'
import { SyncProvider, useQuery as useReactQuery } from 'tidemark/react'
import { syncPlugin, useQuery as useVueQuery } from 'tidemark/vue'
import * as mocks from 'tidemark/mocks/browser'

globalThis.mocksNames = Object.keys(mocks).sort()

const sync = createSyncClient({ stream: false })
const greeting = queryOptions({ queryKey: ['greeting'], queryFn: async () => 'hello' })

createQueryStore(sync, greeting).subscribe((result) => {
  document.querySelector('#core').textContent = result.data ?? ''
})

const ReactIsland = () => useReactQuery(greeting).data ?? ''
createRoot(document.querySelector('#react')).render(
  createElement(SyncProvider, { client: sync }, createElement(ReactIsland)),
)

const VueIsland = {
  setup() {
    const { data } = useVueQuery(greeting)
    return () => h('span', data.value ?? '')
  },
}
createApp(VueIsland).use(syncPlugin, { client: sync }).mount('#vue')
`

const page = `<!doctype html><title>dist</title><p id="core"></p><p id="react"></p><p id="vue"></p>
<script type="module" src="/main.js"></script>`

let server: Server
let browser: Browser

beforeAll(async () => {
  const script = await bundle(join(inject('full'), 'application'))
  server = createServer((request, response) => {
    const isScript = request.url === '/main.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
    response.end(isScript ? script : page)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments })
})

afterAll(async () => {
  await browser?.close()
  server?.close()
})

test('runs in Chromium: the core, React and Vue over one client', async () => {
  const tab = await browser.newPage()
  const errors: string[] = []
  tab.on('pageerror', (error) => errors.push(error.message))
  await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  for (const island of ['#core', '#react', '#vue']) {
    await tab.locator(island, { hasText: 'hello' }).waitFor()
  }
  expect(errors).toEqual([])
  const mocks = entries.find(({ specifier }) => specifier === 'tidemark/mocks/browser')
  expect(await tab.evaluate('mocksNames')).toEqual(mocks?.own)
})

async function bundle(folder: string): Promise<string> {
  mkdirSync(folder)
  writeFileSync(join(folder, 'main.js'), application)
  const options = { input: join(folder, 'main.js'), output: { codeSplitting: false } }
  const built = (await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: { write: false, rolldownOptions: options },
  })) as Rolldown.RolldownOutput
  return built.output[0].code
}
