// How an answer can fail on its way: each writes what it writes to the socket itself, after (or before) the server has
// applied the write.
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'

/** An answer of the server, before it is sent. */
export interface Answer {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
}

export interface Fault {
  /** Whether the server has applied the write before it happens. */
  readonly isApplied: boolean
  /** Nothing comes for so long that only the client's own time limit ends it. */
  readonly isSilent?: boolean
  /** The connection ends before the head is there. */
  readonly isHeadless?: boolean
  /** By the rules of HTTP, the answer came whole. */
  readonly isComplete?: boolean
  /** Nothing of the body is missing. */
  readonly isWhole?: boolean
  send(socket: Socket, answer: Answer): Promise<void>
}

type Ending = 'closed' | 'reset'

export const FAULTS: ReadonlyMap<string, Fault> = new Map([
  ...cuts(),
  ['closed before the head, applied', lost(true, 'closed')],
  ['closed before the head, not applied', lost(false, 'closed')],
  ['reset before the head, applied', lost(true, 'reset')],
  ['reset before the head, not applied', lost(false, 'reset')],
  ['closed in the head', raw(true, () => 'HTTP/1.1 200 OK\r\ncontent-ty')],
  ['silent before the head', { isApplied: true, isSilent: true, send: async () => {} }],
  ['silent in the body', silentInBody()],
  ['JSON that ends too early, of the right length', whole(({ body }) => ({ body: half(body) }))],
  ['JSON that ends too early, in whole chunks', complete((answer) => chunked(answer, [half(answer.body)], true))],
  ['JSON that ends too early, with the connection', complete((answer) => [head(answer, {}), half(answer.body)])],
  ['gzip that ends too early', whole(({ body }) => ({ body: half(gzipSync(body)), coding: 'gzip' }))],
  ['a chunk without a size', raw(true, (answer) => [chunked(answer, [half(answer.body)], false), 'no size\r\n{"'])],
  ['an empty 200', whole(() => ({ body: Buffer.alloc(0) }))],
  ['an empty 200 in chunks', complete((answer) => chunked(answer, [], true))],
  ['the page of a captive portal', page('text/html; charset=utf-8')],
  ['the page of a captive portal without a type', page(undefined)],
  ['the page of a captive portal that says it is JSON', page('application/json')],
  ...[301, 302, 303, 307, 308].map((status) => [`${status} to a page to log in`, redirect(status)] as const),
])

/** Every way to cut a body: where, how it was framed, and how the connection ended. */
function cuts(): [string, Fault][] {
  const found: [string, Fault][] = []
  for (const ending of ['closed', 'reset'] as const) {
    const add = (name: string, make: (answer: Answer) => Part | Part[]) =>
      found.push([`${name}, ${ending}`, raw(true, make, ending)])
    const withLength = (answer: Answer) => head(answer, { 'content-length': String(answer.body.length) })
    add('cut before the body', withLength)
    add('cut in the body', (answer) => [withLength(answer), half(answer.body)])
    add('cut before the last byte', (answer) => [withLength(answer), answer.body.subarray(0, -1)])
    add('cut before the first chunk', (answer) => chunked(answer, [], false))
    add('cut in a chunk', (answer) => [chunked(answer, [], false), size(answer.body), half(answer.body)])
    add('cut between two chunks', (answer) => chunked(answer, [half(answer.body)], false))
    const noEnd = raw(true, (answer) => chunked(answer, [answer.body], false), ending)
    found.push([`cut before the end of the chunks, ${ending}`, { ...noEnd, isWhole: true }])
  }
  return found
}

type Part = string | Buffer

/** What is written as it is, before the connection ends. */
function raw(isApplied: boolean, make: (answer: Answer) => Part | Part[], ending: Ending = 'closed'): Fault {
  return {
    isApplied,
    async send(socket, answer) {
      await write(socket, [make(answer)].flat())
      end(socket, ending)
    },
  }
}

function complete(make: (answer: Answer) => Part | Part[]): Fault {
  return { ...raw(true, make), isComplete: true }
}

function lost(isApplied: boolean, ending: Ending): Fault {
  return { isApplied, isHeadless: true, send: async (socket) => end(socket, ending) }
}

/** A whole answer with another body. */
function whole(change: (answer: Answer) => { body: Buffer; coding?: string }): Fault {
  return complete((answer) => {
    const { body, coding } = change(answer)
    const fields = { 'content-length': String(body.length), ...(coding && { 'content-encoding': coding }) }
    return [head(answer, fields), body]
  })
}

const PORTAL = '<!doctype html><title>Welcome</title><h1>Please accept our terms</h1>'

/** Somebody between answers: the server hears nothing. */
function page(type: string | undefined): Fault {
  return raw(false, () => {
    const fields = { ...(type && { 'content-type': type }), 'content-length': String(PORTAL.length) }
    return [head({ status: 200, headers: [], body: Buffer.alloc(0) }, fields), PORTAL]
  })
}

function redirect(status: number): Fault {
  return raw(false, () =>
    head({ status, headers: [], body: Buffer.alloc(0) }, { location: '/login', 'content-length': '0' }),
  )
}

function silentInBody(): Fault {
  return {
    isApplied: true,
    isSilent: true,
    send: (socket, answer) =>
      write(socket, [head(answer, { 'content-length': String(answer.body.length) }), half(answer.body)]),
  }
}

function head({ status, headers }: Answer, fields: Record<string, string>): string {
  const lines = [...headers, ...Object.entries(fields), ['connection', 'close'] as const]
  return `HTTP/1.1 ${status} As it is\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

function chunked(answer: Answer, chunks: readonly Buffer[], isEnded: boolean): Buffer {
  const parts = chunks.flatMap((chunk) => [Buffer.from(size(chunk)), chunk, Buffer.from('\r\n')])
  const begin = Buffer.from(head(answer, { 'transfer-encoding': 'chunked' }))
  return Buffer.concat([begin, ...parts, Buffer.from(isEnded ? '0\r\n\r\n' : '')])
}

function size(chunk: Buffer): string {
  return `${chunk.length.toString(16)}\r\n`
}

function half(body: Buffer): Buffer {
  return body.subarray(0, Math.floor(body.length / 2))
}

async function write(socket: Socket, parts: readonly Part[]): Promise<void> {
  for (const part of parts) await new Promise<void>((resolve) => void socket.write(part, () => resolve()))
}

function end(socket: Socket, ending: Ending): void {
  if (ending === 'reset') socket.resetAndDestroy()
  else socket.end(() => socket.destroy())
}
