// The server of the scenarios: the kit over a store in memory, between it and the page a wire that can be made to fail.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { SyncHandler } from 'tidemark/server'
import { createSyncHandler, memoryStore } from 'tidemark/server'
import type { Rolldown } from 'vite'
import { build } from 'vite'
import { alias } from '../../scripts/aliases.ts'
import type { Answer, Fault } from './faults.ts'
import { FAULTS } from './faults.ts'
import type { Note } from './notes.ts'

export interface Site {
  readonly url: string
  readonly wire: Wire
  notes(): Promise<Note[]>
  /** Writes as somebody else. */
  write(id: string, text: string): Promise<void>
  /** Says goodbye to the streams and is there again at once. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** What came over the wire, and what is to happen to it. */
export interface Wire {
  /** Names of faults, for the next writes in turn. */
  faults: string[]
  /** Names of faults, for the next reads in turn. */
  readFaults: string[]
  /** The idempotency keys of the writes, as they came. */
  keys: string[]
  reads: number
  /** What the streams went on from. */
  resumed: Array<string | undefined>
  /** How many streams are open. */
  readonly streams: ReadonlySet<StreamEnd>
  /** How many of the next streams end before their head. */
  deadStreams: number
  /** The next event ends in its middle, with the connection. */
  cutsNextEvent: boolean
  /** Nothing is to happen, and nothing has come. */
  reset(): void
}

interface StreamEnd {
  reset(): void
}

const PAGE =
  '<!doctype html><html lang="en"><title>Notes</title><link rel="icon" href="data:,"><script src="/page.js"></script>'

/** The page's script, once for a test file. */
export async function buildPage(): Promise<string> {
  const built = (await build({
    configFile: false,
    logLevel: 'error',
    resolve: { alias },
    define: { 'process.env.NODE_ENV': '"development"' },
    build: {
      write: false,
      minify: false,
      lib: { entry: fileURLToPath(new URL('page.ts', import.meta.url)), formats: ['iife'], name: 'notesPage' },
    },
  })) as Rolldown.RolldownOutput[]
  return built[0]?.output[0].code ?? ''
}

export async function openSite(script: string): Promise<Site> {
  const store = memoryStore()
  const open = (): SyncHandler =>
    createSyncHandler({
      store,
      basePath: '/api',
      streamPath: '/api/sync',
      queries: { notes: (tx) => tx.rows<Note>('note') },
      mutations: {
        'notes/add': async (tx, variables) => {
          const { id, text } = variables as Pick<Note, 'id' | 'text'>
          const before = await tx.get<Note>('note', id)
          return tx.put<Note>('note', id, { id, text, times: (before?.value.times ?? 0) + 1 })
        },
      },
    })
  let handler = open()
  const streams = new Set<StreamEnd>()
  const clean = { reads: 0, deadStreams: 0, cutsNextEvent: false }
  const wire: Wire = {
    ...clean,
    faults: [],
    readFaults: [],
    keys: [],
    resumed: [],
    streams,
    reset() {
      Object.assign(wire, clean, { faults: [], readFaults: [], keys: [], resumed: [] })
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').replace(/\?.*/, '')
    if (path === '/api/sync') return await stream(request, response)
    if (path.startsWith('/api/')) return await data(request, response, path.startsWith('/api/mutations'))
    const isScript = path === '/page.js'
    response.writeHead(200, {
      'content-type': isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8',
    })
    response.end(isScript ? script : PAGE)
  }

  async function data(request: IncomingMessage, response: ServerResponse, isWrite: boolean): Promise<void> {
    const body = Buffer.concat(await request.toArray())
    if (isWrite) wire.keys.push(String(request.headers['idempotency-key']))
    else wire.reads++
    const name = (isWrite ? wire.faults : wire.readFaults).shift()
    const fault = name === undefined ? undefined : faultOf(name)
    const isHeard = fault?.isApplied ?? true
    const made = isHeard ? await answerOf(await handler(requestOf(request, body))) : NOTHING
    if (fault !== undefined) return await fault.send(request.socket, made)
    response.writeHead(made.status, Object.fromEntries(made.headers)).end(made.body)
  }

  async function stream(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const last = request.headers['last-event-id']
    wire.resumed.push(typeof last === 'string' ? last : undefined)
    if (wire.deadStreams > 0) {
      wire.deadStreams--
      return void request.socket.resetAndDestroy()
    }
    const left = new AbortController()
    const answered = await handler(requestOf(request, undefined, left.signal))
    const end = { reset: () => request.socket.resetAndDestroy() }
    streams.add(end)
    response.on('close', () => {
      streams.delete(end)
      left.abort()
    })
    response.writeHead(answered.status, Object.fromEntries(answered.headers))
    try {
      for await (const chunk of answered.body ?? []) {
        const isCut = wire.cutsNextEvent && Buffer.from(chunk).includes('data:')
        if (!isCut) response.write(chunk)
        else {
          wire.cutsNextEvent = false
          response.write(chunk.subarray(0, Math.floor(chunk.length / 2)), () => request.socket.destroy())
          return
        }
      }
    } catch {
      // The page has left, or the wire was cut.
    }
    response.end()
  }

  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    wire,
    notes: async () => (await handler.read((tx) => tx.rows<Note>('note'))).value,
    write: async (id, text) => void (await handler.write((tx) => tx.put<Note>('note', id, { id, text, times: 1 }))),
    async restart() {
      const before = handler
      handler = open()
      await before.close({ spread: 100, timeout: 2_000 })
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await handler.close({ spread: 0, timeout: 0 })
      await store.close()
    },
  }
}

const NOTHING: Answer = { status: 0, headers: [], body: Buffer.alloc(0) }

function faultOf(name: string): Fault {
  const found = FAULTS.get(name)
  if (found === undefined) throw new Error(`There is no fault "${name}".`)
  return found
}

function requestOf({ url, method, headers }: IncomingMessage, body?: Buffer, signal?: AbortSignal): Request {
  const fields = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])
  return new Request(`http://${headers.host}${url}`, {
    method: method ?? 'GET',
    headers: fields.filter(([name]) => name !== 'connection' && name !== 'host'),
    body: method === 'POST' && body !== undefined ? new Uint8Array(body) : null,
    signal: signal ?? null,
  })
}

async function answerOf(response: Response): Promise<Answer> {
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => name !== 'content-length'),
    body: Buffer.from(await response.arrayBuffer()),
  }
}
