/// <reference types="node" preserve="true" />
/** Fetch's Request and Response over Node's `http`. Thin: bodies are streams in both directions, with backpressure. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { isError } from '../src/base/kinds'

/** Answers a request, or calls `next` if there is one and the handler has nothing at this path. */
export type NodeListener = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void

/** What a listener needs of a handler. */
export interface FetchHandler {
  (request: Request): Promise<Response>
  matches?: (url: string) => boolean
}

/**
 * A listener for `http.createServer`, and a middleware for Express and Connect. Works behind body parsers that have
 * read the JSON already.
 */
export function toNodeListener(handler: FetchHandler): NodeListener {
  return (incoming, outgoing, next) => {
    const path = originalUrl(incoming)
    if (next !== undefined && handler.matches?.(path) === false) return next()
    const abort = new AbortController()
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) abort.abort(new DOMException('the client has gone', 'AbortError'))
    })
    const answered = Promise.resolve()
      .then(() => handler(toRequest(incoming, path, abort.signal)))
      .then((response) => send(response, outgoing))
    answered.catch((error: unknown) => {
      if (outgoing.destroyed || abort.signal.aborted) return
      if (!outgoing.headersSent) outgoing.writeHead(400, isHttp2(incoming) ? {} : { Connection: 'close' }).end()
      else outgoing.destroy(isError(error) ? error : undefined)
    })
  }
}

function originalUrl(incoming: IncomingMessage): string {
  const { originalUrl } = incoming as IncomingMessage & { originalUrl?: unknown }
  return typeof originalUrl === 'string' ? originalUrl : (incoming.url ?? '/')
}

function toRequest(incoming: IncomingMessage, path: string, signal: AbortSignal): Request {
  const isEncrypted = 'encrypted' in incoming.socket && incoming.socket.encrypted === true
  const authority = incoming.headers[':authority'] // of HTTP/2, which has no `Host`
  const host = incoming.headers.host ?? (typeof authority === 'string' ? authority : 'localhost')
  // A path may begin with two slashes or be a whole URL; neither may choose the host.
  const base = `${isEncrypted ? 'https' : 'http'}://${host}`
  const url = path.startsWith('/') ? new URL(base + path) : new URL(path, base)
  const method = incoming.method ?? 'GET'
  const headers = new Headers()
  const raw = incoming.rawHeaders
  for (let at = 0; at < raw.length; at += 2) {
    const [name = '', value = ''] = raw.slice(at, at + 2)
    if (!name.startsWith(':')) headers.append(name, value)
  }
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal })
  return new Request(url, { method, headers, signal, body: bodyOf(incoming), duplex: 'half' } as RequestInit)
}

/** What is left to read, or what a parser in front has made of it. */
function bodyOf(incoming: IncomingMessage): BodyInit {
  const { body } = incoming as IncomingMessage & { body?: unknown }
  if (body === undefined || !incoming.readableEnded)
    return Readable.toWeb(incoming) as unknown as ReadableStream<Uint8Array>
  return typeof body === 'string' || ArrayBuffer.isView(body) ? (body as BodyInit) : JSON.stringify(body)
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  // JSON leaves in one piece, with its length; whatever else somebody serves through here may be long, or endless.
  const isWhole = response.body === null || /[/+]json\b/.test(response.headers.get('Content-Type') ?? '')
  if (response.body !== null && !isWhole) return pump(response, response.body.getReader(), outgoing)
  const body = new Uint8Array(await response.arrayBuffer())
  const hasLength = response.status !== 204 && response.status !== 304
  const length = hasLength ? { 'Content-Length': String(body.byteLength) } : {}
  outgoing.writeHead(response.status, fieldsOf(response, length))
  outgoing.end(body)
}

/** Event by event. Headers leave before the first, or a stream would seem to hang until something happens. */
async function pump(
  response: Response,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  outgoing: ServerResponse,
): Promise<void> {
  outgoing.on('close', () => void reader.cancel().catch(() => {}))
  outgoing.writeHead(response.status, fieldsOf(response, {}))
  outgoing.flushHeaders()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!outgoing.write(value)) await drained(outgoing)
    if (outgoing.destroyed) return
  }
  outgoing.end()
}

/** A field that stands several times (`Set-Cookie`) is a list; both versions of HTTP take that. */
function fieldsOf(response: Response, more: Record<string, string>): Record<string, string | string[]> {
  const cookies = response.headers.getSetCookie()
  return { ...Object.fromEntries(response.headers), ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}), ...more }
}

function isHttp2({ httpVersionMajor }: IncomingMessage): boolean {
  return httpVersionMajor >= 2
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.on('drain', done)
    outgoing.on('close', done)
  })
}
