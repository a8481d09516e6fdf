// The stream client in Chromium: streaming, abort, cuts, offline and online, the back/forward cache.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright'
import { chromium } from 'playwright'
import type { Rolldown } from 'vite'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { chromiumArguments, chromiumPath } from '../chromium.ts'

interface PageState {
  received: number[]
  states: string[]
  applied: string[]
}
declare const page: PageState & Record<'stream' | 'sync', { start(): void; stop(): void }>

let browser: Browser
let context: BrowserContext
let tab: Page
let origin: string
let script: string
let asked: Array<string | undefined>
const open = new Set<ServerResponse>()

/** Counts on from the last id, an event each 20 ms, in pieces of 7 bytes. */
function count(request: IncomingMessage, response: ServerResponse): void {
  const last = request.headers['last-event-id']
  asked.push(typeof last === 'string' ? last : undefined)
  let id = Number(last ?? 0)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const timer = setInterval(() => {
    const text = `id: ${++id}\r\ndata: é€😀\r\n\r\n`
    const bytes = new TextEncoder().encode(text)
    for (let from = 0; from < bytes.length; from += 7) response.write(bytes.subarray(from, from + 7))
  }, 20)
  open.add(response)
  response.on('close', () => {
    clearInterval(timer)
    open.delete(response)
  })
}

function sync(request: IncomingMessage, response: ServerResponse): void {
  asked.push(request.url)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write('event: hello\ndata: {"protocol":1,"epoch":"e","resume":"fresh","cursor":"e:0"}\n\n')
  response.write('event: patch\nid: e:1\ndata: {"prev":"e:0","changes":[]}\n\n')
}

const server = createServer((request, response) => {
  const path = request.url?.split('?', 1)[0]
  if (path === '/events') return count(request, response)
  if (path === '/sync') return sync(request, response)
  const isScript = path === '/page.js'
  response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
  response.end(
    isScript
      ? script
      : `<!doctype html><title>${path}</title>${path === '/' ? '<script src="/page.js"></script>' : ''}`,
  )
})

beforeAll(async () => {
  const built = (await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: { entry: fileURLToPath(new URL('stream-page.ts', import.meta.url)), formats: ['iife'], name: 'streamPage' },
    },
  })) as Rolldown.RolldownOutput[]
  script = built[0]?.output[0].code ?? ''
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await chromium.launch({
    executablePath: chromiumPath,
    args: chromiumArguments,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })
})

afterAll(async () => {
  await browser?.close()
  server.close()
  server.closeAllConnections()
})

beforeEach(async () => {
  asked = []
  context = await browser.newContext()
  tab = await context.newPage()
  await tab.goto(origin)
})

afterEach(() => context.close())

const start = () => tab.evaluate(() => page.stream.start())
const state = () => tab.evaluate(() => ({ received: page.received, states: page.states, applied: page.applied }))
const receives = (number: number) => tab.waitForFunction((wanted) => (page.received.at(-1) ?? 0) >= wanted, number)

/** Every event once, in order. */
async function expectWhole(): Promise<void> {
  const { received } = await state()
  expect(received).toEqual(received.map((_, i) => i + 1))
}

test('streams events as they come, whole whatever the chunks', async () => {
  await start()
  await receives(20)
  await expectWhole()
  expect(open.size).toBe(1)
})

test('stops: the server sees the connection go, and a new start goes on', async () => {
  await start()
  await receives(5)
  await tab.evaluate(() => page.stream.stop())
  await expect.poll(() => open.size).toBe(0)
  const { received } = await state()
  await start()
  await receives((received.at(-1) ?? 0) + 5)
  await expectWhole()
  expect(asked[1]).toBe(String(received.at(-1)))
})

test('goes on after a cut, without a loss', async () => {
  await start()
  await receives(5)
  for (const response of open) response.destroy()
  await tab.waitForFunction(() => page.states.filter((name) => name === 'open').length === 2)
  await receives(20)
  await expectWhole()
  expect((await state()).states).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open'])
})

test('comes back when the device is online again, without a loss', async () => {
  await start()
  await receives(5)
  await context.setOffline(true)
  for (const response of open) response.destroy()
  await tab.waitForFunction(() => page.states.includes('waiting'))
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  const online = Date.now()
  await context.setOffline(false)
  await tab.waitForFunction(() => page.states.at(-1) === 'open')
  expect(Date.now() - online).toBeLessThan(3_000)
  const { received } = await state()
  await receives((received.at(-1) ?? 0) + 5)
  await expectWhole()
})

test('goes on after the back/forward cache, without a loss', async () => {
  await start()
  await receives(5)
  await tab.goto(`${origin}/other`)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  await tab.goBack({ waitUntil: 'commit' })
  expect((await state()).states).toContain('restored')
  const { received } = await state()
  await receives((received.at(-1) ?? 0) + 10)
  await expectWhole()
})

test('speaks the sync protocol, with topics and headers', async () => {
  await tab.evaluate(() => page.sync.start())
  await tab.waitForFunction(() => page.applied.length === 2)
  expect((await state()).applied).toEqual(['fresh', 'patch e:1'])
  expect(asked).toEqual(['/sync?topics=tide%20%26%20moon'])
  await tab.evaluate(() => page.sync.stop())
})
