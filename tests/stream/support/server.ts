/** Real servers on loopback, and the clock and the checks that the tests on them share. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createNetServer } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import type { Clock } from '../../../src/platform/clock'

export interface LoopbackServer {
  readonly url: string
  /** Every request so far, oldest first. */
  readonly requests: IncomingMessage[]
  /** Sockets that are open and have carried a request. (After an abort, Node's `fetch` may open a spare one.) */
  sockets(): number
  /** Destroys all sockets: the process died. */
  kill(): void
  close(): Promise<void>
  /** Stops accepting, and begins again on the same port. */
  restart(): Promise<void>
}

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void

/** Where the end of a server is arranged: after the test, or after all of a suite. */
export type Finished = (end: () => Promise<void>) => void

/** An HTTP server; `handler` gets how many requests came before. Each connection serves one request. */
export async function serve(handler: Handler, finished: Finished = onTestFinished): Promise<LoopbackServer> {
  const requests: IncomingMessage[] = []
  const used = new Set<Socket>()
  const server = createServer((request, response) => {
    response.shouldKeepAlive = false
    requests.push(request)
    used.add(request.socket)
    handler(request, response, requests.length - 1)
  })
  return { ...(await listen(server, finished, (socket) => used.has(socket))), requests }
}

/** A TCP server that speaks no HTTP by itself: `handler` gets each socket. */
export async function serveRaw(handler: (socket: Socket, count: number) => void): Promise<LoopbackServer> {
  let count = 0
  const server = createNetServer((socket) => {
    socket.on('error', () => {})
    socket.resume()
    handler(socket, count++)
  })
  return { ...(await listen(server as unknown as Server, onTestFinished)), requests: [] }
}

async function listen(
  server: Server,
  finished: Finished,
  counts: (socket: Socket) => boolean = () => true,
): Promise<Omit<LoopbackServer, 'requests'>> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  const start = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await start(0)
  const { port } = server.address() as AddressInfo
  const kill = () => {
    for (const socket of open) socket.destroy()
  }
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      kill()
    })
  finished(close)
  return {
    url: `http://127.0.0.1:${port}/sync`,
    sockets: () => [...open].filter(counts).length,
    kill,
    close,
    restart: () => start(port),
  }
}

/** A head of an event stream, for servers that write their bytes themselves. */
export const RAW_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'

export const EVENT_STREAM = { 'content-type': 'text/event-stream' }

/** Answers with an event stream and writes the text in pieces of `size` bytes, each an HTTP chunk of its own. */
export function writeStream(response: ServerResponse, bytes: Uint8Array, sizes: () => number): void {
  response.writeHead(200, EVENT_STREAM)
  response.flushHeaders()
  for (let from = 0; from < bytes.length; ) {
    const to = from + Math.max(1, sizes())
    response.write(bytes.subarray(from, to))
    from = to
  }
}

export interface CountingClock extends Clock {
  timers(): number
}

/** The system's time, so many times as fast, with its timers counted. */
export function createFastClock(factor = 1): CountingClock {
  const began = Date.now()
  let timers = 0
  return {
    now: () => began + Math.round((performance.now() - origin) * factor),
    after(delay, callback) {
      timers++
      let open = true
      const close = () => {
        if (open) timers--
        open = false
      }
      const timer = setTimeout(
        () => {
          close()
          callback()
        },
        Math.min(Math.max(0, delay) / factor, 2 ** 31 - 1),
      )
      return () => {
        clearTimeout(timer)
        close()
      }
    },
    soon: (callback) => queueMicrotask(callback),
    timers: () => timers,
  }
}

const origin = performance.now()

/** Waits until `check` is true, in real time, or fails. */
export async function until(check: () => boolean, what = 'what was waited for', limit = 30_000): Promise<void> {
  const end = performance.now() + limit
  while (!check()) {
    if (performance.now() > end) throw new Error(`${what} did not happen within ${limit} ms`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** After a test: no socket, no timer. */
export async function expectClean(server: LoopbackServer, clock: { timers(): number }): Promise<void> {
  await until(() => server.sockets() === 0, 'the end of the last socket')
  expect(clock.timers()).toBe(0)
}
