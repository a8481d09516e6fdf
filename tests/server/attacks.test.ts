// A server with a heap of 256 MB is attacked over real connections. After each attack it lives, a healthy client is answered,
// and hears of its own write within seconds.
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connect2 } from 'node:http2'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-attacks-'))
const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))
let child: ChildProcess
let [port, port2] = [0, 0]
let output = ''
let exit: number | null | undefined
const sockets = new Set<Socket>()

function note(text: Buffer): void {
  output += String(text)
}

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { alias: { 'tidemark/server': source('../../server/index.ts') } },
    build: {
      ssr: source('./attacked-child.ts'),
      outDir: folder,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: 'attacked.mjs' } },
    },
  })
  const env = { ...process.env, DATABASE: join(folder, 'attacked.db'), NODE_OPTIONS: '' }
  child = spawn(process.execPath, ['--max-old-space-size=256', join(folder, 'attacked.mjs')], { env })
  child.once('exit', (code) => {
    exit = code ?? -1
  })
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', note)
  while (!/ports (\d+) (\d+)/.test(output)) await wait(20)
  ;[port, port2] = (/ports (\d+) (\d+)/.exec(output) ?? []).slice(1).map(Number) as [number, number]
}, 60_000)
afterAll(() => {
  child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

const url = (path: string) => `http://127.0.0.1:${port}/sync${path}`

function post(name: string, variables: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url(`/mutations/${name}`), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': `"${randomUUID()}"`, ...headers },
    body: typeof variables === 'string' ? variables : JSON.stringify(variables),
    signal: AbortSignal.timeout(8_000),
  })
}

const row = async (id: string): Promise<unknown> =>
  (await fetch(url(`/queries/row?id=${id}`), { signal: AbortSignal.timeout(8_000) })).json()

/** A connection that sends this and reads nothing unless told to. */
function raw(text: string, { reads = false } = {}): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text)
      resolve(socket)
    })
    sockets.add(socket)
    socket.on('error', () => {})
    if (reads) socket.resume()
    else socket.pause()
  })
}

const streamRequest = (search = '', fields = '') =>
  `GET /sync/stream${search} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n${fields}\r\n`

/** Lives, answers a read and a write, and tells the write to a stream, all within seconds. */
async function expectHealthy(): Promise<void> {
  const id = randomUUID()
  const abort = new AbortController()
  const stream = await fetch(url('/stream?topics=row'), { signal: abort.signal, headers: { Authorization: 'healthy' } })
  const heard = (async () => {
    const decoder = new TextDecoder()
    let text = ''
    for await (const bytes of stream.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(bytes, { stream: true })
      if (text.includes(id)) return true
    }
    return false
  })()
  expect((await post('put', { id, n: 1 }, { Authorization: 'healthy' })).status).toBe(200)
  expect(await row(id)).toEqual({ id, n: 1 })
  expect(await Promise.race([heard, wait(5_000, false)])).toBe(true)
  abort.abort()
  await heard.catch(() => {})
  expect(exit).toBeUndefined()
}

const largest = () => Math.max(...[...output.matchAll(/heap (\d+)/g)].map(([, megabytes]) => Number(megabytes)))

type Attack = readonly [name: string, attack: () => Promise<void>]

/** Fills the log with events of 200 KB, and says where it stood before. */
async function fillLog(count: number): Promise<string> {
  const before = (await post('put', { id: 'mark' })).headers.get('Sync-Cursor') ?? ''
  for (let at = 0; at < count; at++) await post('put', { id: 'big', at, text: 'x'.repeat(200_000) })
  return before
}

const attacks: readonly Attack[] = [
  [
    'twelve streams from far behind that nobody reads',
    async () => {
      const cursor = await fillLog(150)
      const field = `Last-Event-ID: ${cursor}\r\n`
      for (let at = 0; at < 12; at++) await raw(streamRequest('?topics=row', field))
      await wait(1_500)
    },
  ],
  [
    'forty streams that nobody reads, while much happens',
    async () => {
      for (let at = 0; at < 40; at++) await raw(streamRequest('?topics=row'))
      for (let at = 0; at < 60; at++) await post('put', { id: 'big', at, text: 'y'.repeat(200_000) })
      await wait(500)
    },
  ],
  [
    'a storm of streams that come and go',
    async () => {
      for (let at = 0; at < 400; at++) (await raw(streamRequest(`?topics=row`), { reads: true })).destroy()
    },
  ],
  [
    'fifty long topics in each of a hundred streams',
    async () => {
      const topics = Array.from({ length: 50 }, (_, at) => `t${at}${'x'.repeat(100)}`).join(',')
      for (let at = 0; at < 100; at++) await raw(streamRequest(`?topics=${topics}`))
    },
  ],
  [
    'a forgotten await: it is undone and refused, with the sentence',
    async () => {
      for (const name of ['forgets', 'forgetsHelper', 'forgetsExpect']) {
        const id = randomUUID()
        const answer = await post(name, { id })
        expect([name, answer.status]).toEqual([name, 422])
        await wait(60)
        for (const each of [id, `${id}-1`, `${id}-2`]) expect([name, await row(each)]).toEqual([name, null])
      }
      expect(output).toContain('await everything before the function returns')
    },
  ],
  [
    'a forgotten await, sent again and again under its key',
    async () => {
      const fields = { 'Idempotency-Key': randomUUID() }
      for (let at = 0; at < 5; at++) expect((await post('forgets', { id: 'again' }, fields)).status).toBe(422)
    },
  ],
  [
    'a use long after the end: nothing of it happens',
    async () => {
      const id = randomUUID()
      expect((await post('later', { id })).status).toBe(200)
      await wait(100)
      expect(await row(id)).toBeNull()
    },
  ],
  [
    'mutations that never end: 503 in time, and the next one runs',
    async () => {
      const answers = await Promise.all([1, 2, 3].map(() => post('never', {})))
      expect(answers.map(({ status }) => status)).toEqual([503, 503, 503])
    },
  ],
  [
    'queries that never end, more than there are readers',
    async () => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => fetch(url('/queries/hangs'), { signal: AbortSignal.timeout(8_000) })),
      )
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
    },
  ],
  [
    'queries that throw, or answer a circle',
    async () => {
      for (let at = 0; at < 20; at++) {
        expect((await fetch(url('/queries/throws'))).status).toBe(500)
        expect((await fetch(url('/queries/circle'))).status).toBe(500)
      }
    },
  ],
  [
    'mutations that throw',
    async () => {
      for (let at = 0; at < 20; at++) expect((await post('throws', {})).status).toBe(422)
    },
  ],
  [
    'a body of 100 MB, with and without its length',
    async () => {
      const head = `POST /sync/mutations/put HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\n`
      await raw(`${head}Content-Length: 104857600\r\n\r\n`)
      const socket = await raw(`${head}Transfer-Encoding: chunked\r\n\r\n`)
      const part = `10000\r\n${'x'.repeat(65_536)}\r\n`
      for (let at = 0; at < 200 && !socket.destroyed && socket.writable; at++) {
        if (!socket.write(part)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), wait(50)])
      }
    },
  ],
  [
    'a body that comes a byte at a time: 408',
    async () => {
      const socket = await raw(
        'POST /sync/mutations/put HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 5000\r\n\r\n{',
      )
      let answer = ''
      socket.on('data', (text: Buffer) => {
        answer += String(text)
      })
      socket.resume()
      for (let at = 0; at < 15 && answer === ''; at++) {
        socket.write(' ')
        await wait(100)
      }
      expect(answer).toMatch(/^HTTP\/1.1 408 /)
      expect(answer).toContain('did not arrive within 500 ms')
    },
  ],
  [
    'uploads that hang up in the middle: no report of a failure',
    async () => {
      const before = output.length
      for (let at = 0; at < 30; at++) {
        const socket = await raw(
          'POST /sync/mutations/put HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 50\r\n\r\n{"a":',
        )
        await wait(2)
        socket.destroy()
      }
      await wait(100)
      expect(output.slice(before)).not.toContain('a request failed')
    },
  ],
  [
    'JSON that is 100 000 levels deep, not JSON, not UTF-8',
    async () => {
      expect((await post('put', '['.repeat(100_000))).status).toBe(400)
      expect((await post('put', '{"id":')).status).toBe(400)
      const answer = await fetch(url('/mutations/put'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
        body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
      })
      expect(answer.status).toBe(400)
    },
  ],
  [
    'names of prototypes in rows, in merges and in params',
    async () => {
      const id = randomUUID()
      await post('put', `{"id":"${id}","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}`)
      await post('merge', `{"id":"${id}","constructor":{"prototype":{"polluted":2}}}`)
      expect((await post('merge', `{"id":"${id}","__proto__":{"polluted":3}}`)).status).toBe(422)
      await fetch(url(`/queries/row?params=${encodeURIComponent(`{"id":"${id}","__proto__":{"polluted":4}}`)}`))
      expect(await row(id)).not.toHaveProperty('polluted')
      await post('put', { id: 'clean' })
      expect(await row('clean')).toEqual({ id: 'clean' })
    },
  ],
  [
    'a sequence that leaps: the outbox of another goes on',
    async () => {
      const outbox = { 'Sync-Outbox': randomUUID(), 'Sync-Scope': '', Authorization: 'victim' }
      expect((await post('put', { id: 's1' }, { ...outbox, 'Sync-Sequence': '1' })).status).toBe(200)
      const leap = await post('put', { id: 'evil' }, { ...outbox, 'Sync-Sequence': '9007199254740990' })
      expect(leap.status).toBe(400)
      expect(await leap.text()).toContain('more than 1000 past the last one (1)')
      const next = await post('put', { id: 's2' }, { ...outbox, 'Sync-Sequence': '2' })
      expect([next.status, next.headers.get('Sync-Status')]).toEqual([200, 'applied'])
      const first = { ...outbox, 'Sync-Outbox': randomUUID() }
      await post('put', { id: 'evil' }, { ...first, 'Sync-Sequence': '9007199254740990' })
      const own = await post('put', { id: 's3' }, { ...first, 'Sync-Sequence': '1' })
      expect(own.headers.get('Sync-Status')).toBe('applied')
    },
  ],
  [
    'five hundred keys, outboxes and scopes',
    async () => {
      for (let round = 0; round < 20; round++)
        await Promise.all(
          Array.from({ length: 25 }, () =>
            post(
              'put',
              { id: 'many' },
              { 'Sync-Outbox': randomUUID(), 'Sync-Scope': randomUUID(), 'Sync-Sequence': '1' },
            ),
          ),
        )
    },
  ],
  [
    'malformed and oversized cursors, ids, keys and topics',
    async () => {
      const statuses = await Promise.all([
        fetch(url('/stream?topics=row&last_event_id=x')).then(({ status }) => status),
        fetch(url(`/stream?topics=row&last_event_id=${'9'.repeat(5_000)}`)).then(({ status }) => status),
        fetch(url(`/stream?topics=${'t'.repeat(5_000)}`)).then(({ status }) => status),
        fetch(url(`/stream?topics=${Array.from({ length: 5_000 }, (_, at) => at).join()}`)).then(
          ({ status }) => status,
        ),
        post('put', { id: 'x' }, { 'Idempotency-Key': 'k'.repeat(500) }).then(({ status }) => status),
        post('put', { id: 'x' }, { 'Sync-Pending': Array.from({ length: 500 }, (_, at) => at).join() }).then(
          ({ status }) => status,
        ),
        post('put', { id: 'x' }, { 'Sync-Sequence': '-1' }).then(({ status }) => status),
        post('put', { id: 'x' }, { 'If-Match': '"' }).then(({ status }) => status),
      ])
      expect(statuses.every((status) => [400, 413, 414, 431].includes(status))).toBe(true)
    },
  ],
  [
    'one key for many payloads',
    async () => {
      const fields = { 'Idempotency-Key': randomUUID() }
      expect((await post('put', { id: 'a' }, fields)).status).toBe(200)
      const others = await Promise.all(Array.from({ length: 20 }, (_, at) => post('put', { id: `b${at}` }, fields)))
      expect(new Set(others.map(({ status }) => status))).toEqual(new Set([422]))
    },
  ],
  [
    'a batch of two thousand, and a mutation of five thousand rows',
    async () => {
      const mutations = Array.from({ length: 2_000 }, (_, at) => ({ id: `m${at}`, mutationKey: 'put', variables: {} }))
      const batch = await fetch(url('/mutations'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ outbox: 'o', mutations }),
      })
      expect(batch.status).toBe(413)
      expect((await post('many', { id: 'wide', count: 5_000 })).status).toBeLessThan(600)
    },
  ],
  [
    'headers without end, and requests that are none',
    async () => {
      await raw(`GET /sync/queries/row HTTP/1.1\r\nHost: x\r\n${'X-A: b\r\n'.repeat(5_000)}\r\n`)
      await raw('NONSENSE\r\n\r\n')
      await raw('GET //evil.example/sync/queries/row HTTP/1.1\r\nHost: x\r\n\r\n')
      await raw('GET http://evil.example/sync/queries/row HTTP/1.1\r\nHost: x\r\n\r\n')
      await raw('POST /sync/mutations/%E0%A4%A HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
      await wait(50)
    },
  ],
  [
    'HTTP/2: answered, and streams that are reset at once',
    async () => {
      const session = connect2(`http://127.0.0.1:${port2}`)
      session.on('error', () => {})
      const ask = (fields: Record<string, string>, body?: string) =>
        new Promise<string>((resolve) => {
          const request = session.request(fields)
          let [status, text] = ['', '']
          request.on('response', (head) => {
            status = String(head[':status'])
          })
          request.on('data', (part: Buffer) => {
            text += String(part)
            if (text.includes('event: hello')) request.close()
          })
          request.on('close', () => resolve(`${status} ${text}`))
          request.end(body)
        })
      const write = { ':path': '/sync/mutations/put', ':method': 'POST', 'content-type': 'application/json' }
      expect(await ask({ ...write, 'idempotency-key': '"h2"' }, '{"id":"h2"}')).toBe('200 {"id":"h2"}')
      expect(await ask({ ':path': '/sync/queries/row?id=h2' })).toBe('200 {"id":"h2"}')
      expect(await ask({ ':path': '/sync/stream?topics=row' })).toMatch(/^200 event: hello/)
      for (let at = 0; at < 300; at++) session.request({ ':path': '/sync/stream?topics=row' }).close()
      for (let at = 0; at < 50; at++) session.request({ ...write, 'idempotency-key': `"r${at}"` }).close()
      await wait(200)
      session.destroy()
    },
  ],
]

describe('after', () => {
  test.each(attacks)('%s', { timeout: 30_000 }, async (_, attack) => {
    await attack()
    await expectHealthy()
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  })

  test('all of it, the process has never held more than twice its heap', () => {
    expect(attacks.length).toBeGreaterThanOrEqual(20)
    expect(exit).toBeUndefined()
    expect(largest()).toBeLessThan(512)
  })
})
