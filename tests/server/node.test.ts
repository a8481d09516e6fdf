import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { SyncHandlerOptions } from 'tidemark/server'
import { createSyncHandler, memoryStore, toNodeListener } from 'tidemark/server'
import { afterEach, expect, test } from 'vitest'
import { readStream } from './harness'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function start(options: Partial<SyncHandlerOptions> = {}) {
  const errors: unknown[] = []
  const handler = createSyncHandler({
    store: memoryStore(),
    onError: (error) => errors.push(error),
    mutations: { put: (tx, row: { id: string }) => tx.put('row', row.id, row) },
    ...options,
  })
  const server = createServer(toNodeListener(handler))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(async () => {
    await handler.close({ timeout: 0 })
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  /** A request as bytes, and what came back. */
  const raw = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      let got = ''
      socket.on('data', (bytes) => {
        got += String(bytes)
      })
      socket.on('close', () => resolve(got))
      socket.on('error', () => resolve(got))
    })
  return { handler, url: `http://127.0.0.1:${port}/sync`, port, errors, raw }
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, arrayBuffers, external } = process.memoryUsage()
  return heapUsed + arrayBuffers + external
}

function pauseReaders(port: number, count: number): void {
  for (let n = 0; n < count; n++) {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET /sync/stream?topics=row HTTP/1.1\r\nHost: x\r\n\r\n')
      socket.pause()
    })
    ends.push(() => socket.destroy())
  }
}

test('readers that pause cost nothing but their place, and harm nobody', async () => {
  const { handler, url, port } = await start({
    limits: { ringSize: 1_000_000, lag: 60_000 }, // nobody is dropped while memory is measured
    retention: { every: 0, logEntries: 10 }, // the log of a store in memory would be what grows
  })
  pauseReaders(port, 40)
  const healthy = readStream(await fetch(`${url}/stream?topics=row`))
  ends.push(() => healthy.cancel())
  await healthy.next()
  await expect.poll(() => handler.snapshot()['streams']).toBe(41)

  const text = 'x'.repeat(20_000)
  const send = async (count: number) => {
    for (let n = 0; n < count; n++) {
      await handler.write((tx) => tx.put('row', n % 10, { n, text }))
      expect(await healthy.next()).toMatchObject({ event: 'patch', changes: [{ value: { n } }] })
    }
    return heapUsed()
  }
  const before = await send(500)
  await send(1_500)
  expect(handler.snapshot()['ring_size']).toBeLessThanOrEqual(1_020_000)
  // A queue per reader would be 1.2 GB. What is collected a moment later is no growth; the readers are all still there.
  await expect.poll(() => heapUsed() - before).toBeLessThan(20_000_000)
  expect(handler.snapshot()['streams']).toBe(41)
})

test('readers that stay behind are dropped, and the others go on', async () => {
  const { handler, url, port } = await start({
    limits: { ringSize: 1_000_000, lag: 1_500 },
    retention: { every: 0, logEntries: 10 },
  })
  pauseReaders(port, 40)
  const healthy = readStream(await fetch(`${url}/stream?topics=row`))
  ends.push(() => healthy.cancel())
  await healthy.next()
  await expect.poll(() => handler.snapshot()['streams']).toBe(41)
  const text = 'x'.repeat(20_000)
  for (let n = 0; n < 1_500; n++) {
    await handler.write((tx) => tx.put('row', n % 10, { n, text }))
    expect(await healthy.next()).toMatchObject({ changes: [{ value: { n } }] })
  }
  await expect.poll(() => handler.snapshot()['streams_closed{lag}']).toBe(40)
  await handler.write((tx) => tx.put('row', 1, { n: -1 }))
  expect(await healthy.next()).toMatchObject({ changes: [{ value: { n: -1 } }] })
})

test('a slow reader gets everything, in order, at its own pace', async () => {
  const { handler, url } = await start()
  const events = readStream(await fetch(`${url}/stream?topics=row`))
  ends.push(() => events.cancel())
  const first = await events.next()
  let prev = first?.event === 'hello' ? first.cursor : undefined
  for (let n = 0; n < 300; n++) await handler.write((tx) => tx.put('row', n, { n, text: 'x'.repeat(1_000) }))
  for (let n = 0; n < 300; n++) {
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const message = await events.next()
    expect(message).toMatchObject({ prev, changes: [{ value: { n } }] })
    prev = message?.id
  }
})

test('a client that hangs up ends its stream, and its request', async () => {
  const { handler, url, errors } = await start()
  const abort = new AbortController()
  const answer = await fetch(`${url}/stream?topics=row`, { signal: abort.signal })
  expect(answer.status).toBe(200)
  expect(handler.snapshot()['streams']).toBe(1)
  abort.abort()
  await expect.poll(() => handler.snapshot()['streams']).toBe(0)
  expect(errors).toEqual([])
})

test('a client that loses the answer gets it by sending again, and the mutation ran once', async () => {
  let runs = 0
  const hangUp = new AbortController()
  const gone = new Promise((resolve) => hangUp.signal.addEventListener('abort', resolve))
  const { url, errors, handler } = await start({
    mutations: {
      slow: async (tx, row: { id: string }) => {
        runs++
        await gone
        return tx.put('row', row.id, { runs })
      },
    },
  })
  const post = (signal?: AbortSignal) =>
    fetch(`${url}/mutations/slow`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'same' },
      body: '{"id":"a"}',
      signal: signal ?? null,
    })
  const lost = post(hangUp.signal)
  await Promise.all([
    expect(lost).rejects.toThrow(),
    expect
      .poll(() => runs)
      .toBe(1)
      .then(() => hangUp.abort()),
  ])
  const answer = await post()
  expect([await answer.json(), answer.headers.get('Idempotent-Replayed')]).toEqual([{ runs: 1 }, 'true'])
  expect((await handler.read((tx) => tx.get('row', 'a'))).value).toMatchObject({ version: 1 })
  expect([runs, errors]).toEqual([1, []])
})

test('what is not quite HTTP is refused, and the server lives on', async () => {
  const { raw, url, errors } = await start({ queries: { one: () => 1 } })
  const statusOf = async (text: string) => Number((await raw(text)).slice(9, 12))
  const end = 'Connection: close\r\n\r\n'
  expect(await statusOf(`GET //evil.test/sync/queries/one HTTP/1.1\r\nHost: x\r\n${end}`)).toBe(404)
  expect(await statusOf(`GET http://evil.test/sync/queries/one HTTP/1.1\r\nHost: x\r\n${end}`)).toBe(200)
  expect(await statusOf(`GET /sync/queries/one HTTP/1.1\r\nHost: a b\r\n${end}`)).toBe(400)
  expect(await statusOf(`GET /sync/queries/%ff HTTP/1.1\r\nHost: x\r\n${end}`)).toBe(400)
  expect(await statusOf(`TRACE /sync/queries/one HTTP/1.1\r\nHost: x\r\n${end}`)).toBe(400)
  expect(await statusOf(`PUT /sync/queries/one HTTP/1.1\r\nHost: x\r\n${end}`)).toBe(405)
  const cut = 'POST /sync/mutations/put HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: a\r\n'
  await Promise.race([
    raw(`${cut}Content-Length: 100\r\n${end}{"id":`),
    new Promise((resolve) => setTimeout(resolve, 50)),
  ])
  expect(await (await fetch(`${url}/queries/one`)).json()).toBe(1)
  expect(errors).toEqual([])
})
