// Answers that do not come whole, from a real server that counts what it applies: whatever breaks, the write happens once,
// nobody is told that it was refused, and what is shown in the end is what the server has.
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { SyncError } from 'tidemark'
import { createSyncClient, defineMutation, queryOptions } from 'tidemark'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock'

const BODY = '{"ok":true,"title":"Milk"}'
const head = (status: string, fields: string) => `HTTP/1.1 ${status}\r\n${fields}\r\nconnection: close\r\n\r\n`
const whole = (type: string, body: string) =>
  head('200 OK', `content-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}`) + body
const JSON_TYPE = 'content-type: application/json'
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
const packed = gzipSync(BODY)

interface Manner {
  /** The bytes that it answers. */
  readonly bytes?: string | Buffer
  /** How the connection ends. `stall`: not at all. */
  readonly end: 'close' | 'reset' | 'stall'
}

const CUT: Record<string, Manner> = {
  'no byte of an answer': { end: 'reset' },
  'a connection that is closed at once': { end: 'close' },
  'half a head': { bytes: 'HTTP/1.1 200 O', end: 'reset' },
  'a head without a body': { bytes: head('200 OK', `${JSON_TYPE}\r\ncontent-length: 26`), end: 'reset' },
  'half of its length, reset': {
    bytes: head('200 OK', `${JSON_TYPE}\r\ncontent-length: 26`) + BODY.slice(0, 13),
    end: 'reset',
  },
  'half of its length, closed': {
    bytes: head('200 OK', `${JSON_TYPE}\r\ncontent-length: 26`) + BODY.slice(0, 13),
    end: 'close',
  },
  'a length that is more than all of it': {
    bytes: head('200 OK', `${JSON_TYPE}\r\ncontent-length: 99`) + BODY,
    end: 'close',
  },
  'a first chunk, reset': {
    bytes: head('200 OK', `${JSON_TYPE}\r\ntransfer-encoding: chunked`) + chunk('{"ok":'),
    end: 'reset',
  },
  'a first chunk, closed': {
    bytes: head('200 OK', `${JSON_TYPE}\r\ntransfer-encoding: chunked`) + chunk('{"ok":'),
    end: 'close',
  },
  'a chunk that is cut': {
    bytes: `${head('200 OK', `${JSON_TYPE}\r\ntransfer-encoding: chunked`)}ff\r\n{"ok":`,
    end: 'close',
  },
  'all chunks but the last': {
    bytes: head('200 OK', `${JSON_TYPE}\r\ntransfer-encoding: chunked`) + chunk(BODY),
    end: 'close',
  },
  'half of it, with a clean end': {
    bytes: head('200 OK', `${JSON_TYPE}\r\ntransfer-encoding: chunked`) + chunk('{"ok":') + chunk(''),
    end: 'close',
  },
  'half of it, without a length': { bytes: head('200 OK', JSON_TYPE) + BODY.slice(0, 13), end: 'close' },
  'half of it, compressed': {
    bytes: Buffer.concat([
      Buffer.from(head('200 OK', `${JSON_TYPE}\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}`)),
      packed.subarray(0, packed.length / 2),
    ]),
    end: 'close',
  },
  'a body that stalls': {
    bytes: head('200 OK', `${JSON_TYPE}\r\ncontent-length: 26`) + BODY.slice(0, 13),
    end: 'stall',
  },
  'a head that stalls': { end: 'stall' },
  'a page of a captive portal': { bytes: whole('text/html', '<html>Please pay'), end: 'close' },
  'a page that says it is JSON': { bytes: whole('application/json', '<html>Please pay'), end: 'close' },
  'a redirect to a login page': { bytes: head('302 Found', 'location: /login\r\ncontent-length: 0'), end: 'close' },
  'a page of a proxy, 502': {
    bytes: `${head('502 Bad Gateway', 'content-type: text/html')}<h1>Bad Gateway</h1>`,
    end: 'close',
  },
  'a status of a CDN, 522': { bytes: `${head('522 ', 'content-type: text/html')}<h1>Timed out</h1>`, end: 'close' },
}

const applied = new Map<string, number>()
let keys: Array<string | undefined> = []
/** How the next answers to writes are; a whole one when there is none. */
let manners: Manner[] = []

const server = createServer((socket) => {
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (part) => {
    text += String(part)
    const [top = '', body] = text.split('\r\n\r\n')
    const length = Number(/content-length: (\d+)/i.exec(top)?.[1] ?? 0)
    if (body === undefined || body.length < length) return
    if (top.startsWith('GET /q')) return void socket.end(whole('application/json', BODY))
    if (!top.startsWith('POST')) return void socket.end(whole('text/html', '<html>Log in'))
    const key = /idempotency-key: "(.*?)"/i.exec(top)?.[1]
    keys.push(key)
    if (!applied.has(String(key))) applied.set(String(key), applied.size)
    const { bytes = '', end } = manners.shift() ?? { bytes: whole('application/json', BODY), end: 'close' }
    socket.write(bytes)
    if (end === 'close') socket.end()
    else if (end === 'reset') setTimeout(() => socket.resetAndDestroy(), 5)
  })
})
let origin = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})
afterAll(() => void server.close())

const PATIENCE = 150

/** Waits are short, in their order. */
function hurriedClock() {
  const clock = systemClock()
  return {
    ...clock,
    after: (delay: number, run: () => void) => clock.after(delay === PATIENCE ? delay : Math.min(delay, 5), run),
  }
}

function createPage(read: 'json' | 'nothing' | 'response', more: { retry?: number; idempotent?: false } = {}) {
  applied.clear()
  keys = []
  const change = defineMutation({
    mutationKey: ['change'],
    mutationFn: async (_, { fetch }): Promise<unknown> => {
      const answer = await fetch(`${origin}/change`, { body: '{"title":"Milk"}' })
      return read === 'json' ? answer.json() : read === 'response' ? answer : undefined
    },
    ...more,
  })
  const reports: SyncError[] = []
  const sync = createSyncClient({
    mutations: [change],
    onReport: (report) => void reports.push(report),
    timeout: PATIENCE,
    breaker: { threshold: 1_000_000 },
    platform: { clock: hurriedClock(), development: false },
  })
  sync.start()
  const refusals: unknown[] = []
  sync.outbox.subscribe(({ failed }) => void refusals.push(...failed))
  return { sync, reports, refusals, change }
}

describe.each(['json', 'nothing', 'response'] as const)('a write whose caller reads %s is answered with', (read) => {
  test.each(Object.entries(CUT))('%s, twice: it happens once', async (_, manner) => {
    const { sync, refusals, change } = createPage(read)
    manners = [manner, manner]
    const handle = sync.mutate(change)
    const data = await handle.confirmed
    if (read === 'json') expect(data).toEqual(JSON.parse(BODY))
    expect(refusals).toEqual([])
    expect(applied.size).toBe(1)
    expect(new Set(keys)).toEqual(new Set([handle.id]))
    await sync.close({ outbox: 'discard' })
  })
})

/** A read of the same application. */
const read = (name: string) =>
  queryOptions({
    queryKey: [name],
    queryFn: ({ fetch }) => fetch(`${origin}/q`).then((r) => r.json()),
  })

/** What came after a 2xx: the server has said yes. */
const SAID_YES = Object.entries(CUT).filter(
  ([name]) =>
    /half of|length|chunk|stalls|says it is JSON|without a body/.test(name) &&
    name !== 'a head that stalls' &&
    name !== 'a page that says it is JSON',
)

describe('an answer that never comes whole', () => {
  test.each(SAID_YES.filter(([name]) => name !== 'a body that stalls'))(
    '%s: confirmed without a result, reported once',
    async (_, manner) => {
      const { sync, reports, refusals, change } = createPage('json', { retry: 2 })
      manners = Array.from({ length: 10 }, () => manner)
      const handle = sync.mutate(change)
      expect(await handle.confirmed).toBeUndefined()
      expect([keys.length, applied.size, refusals]).toEqual([3, 1, []])
      expect(reports.map(({ code }) => code)).toEqual(['protocol'])
      expect(reports[0]?.message).toMatch(
        /^The server accepted mutation \["change"\], but its answer could not be used, so it counts as confirmed without a result: /,
      )
      await sync.close({ outbox: 'discard' })
    },
  )

  test('one that may be sent once only is confirmed at once', async () => {
    const { sync, change } = createPage('json', { idempotent: false })
    manners = [CUT['half of its length, closed'] as Manner]
    expect(await sync.mutate(change).confirmed).toBeUndefined()
    expect(keys).toHaveLength(1)
    await sync.close({ outbox: 'discard' })
  })

  test('a page, while the application is heard: given up, and sent again under its key', async () => {
    const { sync, reports, change } = createPage('json', { retry: 2 })
    manners = Array.from({ length: 500 }, () => CUT['a page of a captive portal'] as Manner)
    const handle = sync.mutate(change)
    let count = 0
    const heard = setInterval(() => void sync.queryClient.fetchQuery(read(`q${count++}`)).catch(() => {}), 2)
    await expect(handle.confirmed).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('is a page instead of data'),
    })
    clearInterval(heard)
    expect(sync.outbox.getState().failed).toMatchObject([{ id: handle.id, failure: { mayBeApplied: true } }])
    manners = []
    keys = []
    const again = sync.retry(handle.id)
    expect(again?.id).toBe(handle.id)
    expect(await again?.confirmed).toEqual(JSON.parse(BODY))
    expect(new Set(keys)).toEqual(new Set([handle.id]))
    expect(applied.has(handle.id)).toBe(true)
    expect(reports).toEqual([])
    await sync.close({ outbox: 'discard' })
  })
})

describe('a page of a captive portal', () => {
  const portal = CUT['a page of a captive portal'] as Manner

  test.each(['json', 'nothing', 'response'] as const)('confirms no write, though its caller reads %s', async (read) => {
    const { sync, change } = createPage(read)
    manners = [portal, portal]
    await sync.mutate(change).confirmed
    expect(keys).toHaveLength(3)
    await sync.close({ outbox: 'discard' })
  })

  test('is waited out without end, while nothing else of the origin is heard', async () => {
    const { sync, refusals, change } = createPage('json', { retry: 2 })
    manners = Array.from({ length: 20 }, () => portal)
    expect(await sync.mutate(change).confirmed).toEqual(JSON.parse(BODY))
    expect([keys.length, refusals]).toEqual([21, []])
    await sync.close({ outbox: 'discard' })
  })

  test('is an answer to who asks for pages', async () => {
    const wish = defineMutation({
      mutationKey: ['wish'],
      mutationFn: (_, { fetch }) =>
        fetch(`${origin}/change`, { headers: { Accept: 'text/html' } }).then((answer) => answer.text()),
    })
    const sync = createSyncClient({ mutations: [wish], platform: { development: false } })
    sync.start()
    manners = [portal]
    expect(await sync.mutate(wish).confirmed).toBe('<html>Please pay')
    await sync.close({ outbox: 'discard' })
  })
})

describe('where the engine ends a body that was cut as if it were complete', () => {
  test.each([
    ['shorter than its length', { 'content-length': '26', 'content-type': 'application/json' }, '{"ok":true}', 3],
    ['with its length, compressed on the way', { 'content-length': '9', 'content-encoding': 'gzip' }, BODY, 1],
    ['longer than its length', { 'content-length': '9', 'content-type': 'application/json' }, BODY, 1],
  ] as const)('%s', async (_, headers, body, attempts) => {
    let count = 0
    const fetch = async () => {
      const isCut = ++count < attempts
      return new Response(isCut || attempts === 1 ? body : BODY, { headers: isCut || attempts === 1 ? headers : {} })
    }
    const change = defineMutation({
      mutationKey: ['change'],
      mutationFn: (_, { fetch }) => fetch('/change').then((answer): Promise<unknown> => answer.json()),
    })
    const sync = createSyncClient({
      mutations: [change],
      platform: { clock: hurriedClock(), development: false, fetch },
    })
    sync.start()
    expect(await sync.mutate(change).confirmed).toEqual(JSON.parse(BODY))
    expect(count).toBe(attempts)
    await sync.close({ outbox: 'discard' })
  })
})
