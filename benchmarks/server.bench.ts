// The server kit on loopback: what 2 000 idle streams cost, what a burst to all of them does, and how fast mutations
// are over HTTP. The server is a process of its own; ten seconds in all.
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const STREAMS = 2_000
const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'))
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true })
})

interface State {
  rss: number
  cpu: { user: number; system: number }
  metrics: Record<string, number>
}

async function startServer(env: Record<string, string> = {}) {
  const child = fork(fileURLToPath(new URL('./server-child.mjs', import.meta.url)), { env: { ...process.env, ...env } })
  children.push(child)
  const { port } = await new Promise<{ port: number }>((resolve) =>
    child.once('message', (message) => resolve(message as { port: number })),
  )
  let asked = 0
  const ask = <T>(command: string, options: object = {}) =>
    new Promise<T>((resolve) => {
      const id = ++asked
      const listen = (message: unknown) => {
        const { id: answered, result } = message as { id?: number; result: T }
        if (answered !== id) return
        child.off('message', listen)
        resolve(result)
      }
      child.on('message', listen)
      child.send({ id, command, ...options })
    })
  return { port, ask, state: () => ask<State>('state') }
}

/** A stream that is only counted; every hundredth is read for the time its rows were written at. */
function openStream(
  port: number,
  isSampled: boolean,
  latencies: number[],
  counted: { events: number },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /sync/stream?topics=row HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
    )
    socket.setNoDelay()
    socket.on('error', reject)
    socket.once('data', () => resolve(socket))
    socket.on('data', (bytes: Buffer) => {
      for (let at = bytes.indexOf('\nid: '); at !== -1; at = bytes.indexOf('\nid: ', at + 5)) counted.events++
      if (!isSampled) return
      const now = performance.timeOrigin + performance.now()
      for (const [, at] of String(bytes).matchAll(/"at":([\d.]+)/g)) latencies.push(now - Number(at))
    })
  })
}

const percentile = (sorted: number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const busy = (before: State, after: State, seconds: number) =>
  (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1e6 / seconds

test(`${STREAMS} idle streams, then a burst to all of them`, async () => {
  const { port, ask, state } = await startServer()
  const latencies: number[] = []
  const counted = { events: 0 }
  const empty = await state()
  const began = performance.now()
  const sockets: Socket[] = []
  for (let n = 0; n < STREAMS; n += 100) {
    const some = Array.from({ length: 100 }, (_, index) => openStream(port, index === 0, latencies, counted))
    sockets.push(...(await Promise.all(some)))
  }
  const connecting = performance.now() - began
  await pause(1_000)
  const idle = await state()
  await pause(1_000)
  const still = await state()
  expect(still.metrics['streams']).toBe(STREAMS)

  const rate = 100
  const before = await state()
  const { sent, milliseconds } = await ask<{ sent: number; milliseconds: number }>('burst', { rate, seconds: 3 })
  const deadline = performance.now() + 5_000
  while (counted.events < sent * STREAMS && performance.now() < deadline) await pause(5)
  const after = await state()
  latencies.sort((a, b) => a - b)
  for (const socket of sockets) socket.destroy()
  console.info(`
  ${STREAMS} streams opened in ${connecting.toFixed(0)} ms (${((STREAMS / connecting) * 1_000).toFixed(0)} a second)
  memory per idle stream      ${((idle.rss - empty.rss) / STREAMS / 1024).toFixed(1)} KB
  processor while idle        ${(busy(idle, still, 1) * 100).toFixed(1)} % of one core
  burst of ${sent} commits in ${milliseconds.toFixed(0)} ms to ${STREAMS} streams: ${counted.events} of ${sent * STREAMS} deliveries
  deliveries                  ${((counted.events / milliseconds) * 1_000).toFixed(0)} a second
  processor in the burst      ${(busy(before, after, milliseconds / 1_000) * 100).toFixed(0)} % of one core
  commit to arrival           p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p99 ${percentile(latencies, 0.99).toFixed(1)} ms
  memory after it             ${((after.rss - idle.rss) / 1e6).toFixed(1)} MB more`)
  expect(counted.events).toBe(sent * STREAMS)
})

test('deliveries when many commits share a chunk', async () => {
  const { port, ask } = await startServer()
  const counted = { events: 0 }
  const sockets = await Promise.all(Array.from({ length: 200 }, () => openStream(port, false, [], counted)))
  const { sent, milliseconds } = await ask<{ sent: number; milliseconds: number }>('burst', {
    rate: 3_000,
    seconds: 2,
  })
  await pause(500)
  for (const socket of sockets) socket.destroy()
  console.info(`
  200 streams, ${((sent / milliseconds) * 1_000).toFixed(0)} commits a second: ${((counted.events / milliseconds) * 1_000).toFixed(0)} deliveries a second, ${((counted.events / sent / 200) * 100).toFixed(1)} % arrived (the others fell behind the ring)`)
})

test.each([
  ['memory', {}],
  ['SQLite, FULL', { DATABASE: join(folder, 'bench.db') }],
])('mutations over HTTP on %s', async (name, env) => {
  const { port } = await startServer(env)
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const post = (id: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': id }
      const sent = request(
        { port, host: '127.0.0.1', method: 'POST', path: '/sync/mutations/put', agent, headers },
        (answer) => {
          answer.resume()
          answer.on('end', () => resolve(answer.statusCode ?? 0))
        },
      )
      sent.on('error', reject)
      sent.end(JSON.stringify({ id, title: 'a task' }))
    })
  const began = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: 64 }, async (_, lane) => {
      for (let n = 0; performance.now() - began < 1_500; n++) {
        expect(await post(`${lane}-${n}`)).toBe(200)
        done++
      }
    }),
  )
  const milliseconds = performance.now() - began
  agent.destroy()
  console.info(`  ${name}: ${((done / milliseconds) * 1_000).toFixed(0)} mutations a second, 64 at a time`)
})
