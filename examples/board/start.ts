/**
 * `npm start`: one process with a server, a database in `.data/` and the page. Node runs this file as it is, so it imports
 * only packages and files by their whole name; the server and the page are loaded through Vite, which knows what
 * `tidemark` means here. The page is built once, in memory, in about half a second: a development server would reload
 * it whenever it loses its connection, and going on over a restart is what this demo shows.
 *
 *   PORT       where to listen; 0: any free port. Default 5173
 *   DATA_FILE  the database. Default .data/board.db
 */
import { mkdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InlineConfig, Rolldown } from 'vite'
import { build, runnerImport } from 'vite'
import { alias } from '../../scripts/aliases.ts'

interface Asset {
  body: string | Uint8Array
  type: string
}

const HOST = 'localhost'
const TYPES: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
}
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const shared: InlineConfig = { configFile: false, logLevel: 'warn', root: here('.'), resolve: { alias } }

await main()

async function main(): Promise<void> {
  const port = Number(process.env['PORT'] ?? 5173)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return fail(`PORT is no port: "${process.env['PORT']}".`)
  const file = resolve(process.env['DATA_FILE'] ?? here('../../.data/board.db'))
  const server = createServer()
  // The port first: who finds it taken hears so at once.
  const taken = await listen(server, port)
  if (taken !== undefined) return fail(taken)
  mkdirSync(dirname(file), { recursive: true })
  const opening = Promise.all([openBoard(file), buildPage()])
  // Pages that are open from before come back at once: they wait until there is somebody to answer.
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    const [board, page] = await opening
    if (request.url?.startsWith('/api/')) board.listener(request, response)
    else sendPage(page, request, response)
  })
  const [board] = await opening
  stopOnSignals(server, () => board.close())
  console.log(`\n  Tidemark's task board   http://${HOST}:${(server.address() as AddressInfo).port}`)
  console.log(`  Database                ${relative('', file)}`)
  console.log('  Stop with Ctrl-C\n')
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE'
      done(isTaken ? `Port ${port} is taken. Choose another one: PORT=${port + 1} npm start` : error.message)
    })
    server.listen(port, HOST, () => done(undefined))
  })
}

async function openBoard(file: string) {
  const { module } = await runnerImport<typeof import('./server.ts')>(here('server.ts'), shared)
  return module.openBoard(file)
}

async function buildPage(): Promise<Map<string, Asset>> {
  const built = await build({
    ...shared,
    mode: 'development',
    define: {
      'process.env.NODE_ENV': '"development"',
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      modulePreload: false,
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: { onLog: (level, log, next) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && next(level, log) },
    },
  })
  const page = new Map<string, Asset>()
  for (const { fileName, ...file } of (built as Rolldown.RolldownOutput).output) {
    const type = TYPES[fileName.slice(fileName.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
    page.set(`/${fileName}`, { body: file.type === 'chunk' ? file.code : file.source, type })
  }
  const index = page.get('/index.html')
  if (index !== undefined) page.set('/', index)
  return page
}

function sendPage(page: Map<string, Asset>, request: IncomingMessage, response: ServerResponse): void {
  const asset = page.get((request.url ?? '/').replace(/\?.*$/, ''))
  if (asset === undefined) {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('There is nothing here.\n')
    return
  }
  const headers = { 'Content-Type': `${asset.type}; charset=utf-8`, 'Cache-Control': 'no-cache' }
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : asset.body)
}

/** Ctrl-C: streams are told to come back, the database is closed, and nothing keeps the process. A second one is final. */
function stopOnSignals(server: ReturnType<typeof createServer>, close: () => Promise<void>): void {
  let isStopping = false
  const stop = async () => {
    if (isStopping) process.exit(130)
    isStopping = true
    server.close()
    await close()
    server.closeAllConnections()
    process.exit(0)
  }
  process.on('SIGINT', () => void stop())
  process.on('SIGTERM', () => void stop())
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 1
}
