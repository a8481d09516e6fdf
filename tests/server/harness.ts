// What the server kit's tests share: a handler on either store, requests in one line, and a reader of event streams.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Principal, ServerClock, StateStore, SyncHandler, SyncHandlerOptions } from 'tidemark/server'
import { createSyncHandler, memoryStore, sqliteStore } from 'tidemark/server'
import { afterAll, afterEach } from 'vitest'
import type { StreamMessage } from '../../src/base/messages'
import { decodeMessage } from '../../src/base/messages'

const ORIGIN = 'http://sync.test'

export const STORES: readonly (readonly [name: string, make: (clock: ServerClock) => StateStore])[] = [
  ['memory', (clock) => memoryStore({ now: clock.now })],
  ['SQLite', (clock) => sqliteStore(join(folder(), `${made++}.db`), { now: clock.now })],
]

let made = 0
let files: string | undefined
function folder(): string {
  files ??= mkdtempSync(join(tmpdir(), 'tidemark-server-'))
  return files
}
afterAll(() => files && rmSync(files, { recursive: true }))

export interface ManualClock extends ServerClock {
  /** Lets time pass; timers fire in order. */
  advance(milliseconds: number): void
}

/** Time that stands still unless it is moved. */
export function manualClock(start = 1_750_000_000_000): ManualClock {
  let now = start
  const timers = new Set<{ at: number; callback: () => void }>()
  return {
    now: () => now,
    after(delay, callback) {
      const timer = { at: now + Math.max(0, delay), callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance(milliseconds) {
      const until = now + milliseconds
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (due === undefined) break
        timers.delete(due)
        now = due.at
        due.callback()
      }
      now = until
    },
  }
}

export interface Post {
  id?: string | undefined
  as?: string | undefined
  headers?: Record<string, string> | undefined
}

export interface BatchAnswer {
  cursor: string
  results: {
    id: string
    status: string
    cursor?: string
    data?: unknown
    entities?: { type: string; id: unknown; version: number; value?: unknown; deleted?: boolean }[]
    problem?: { type: string; detail: string; retryable?: boolean; current?: unknown }
  }[]
}

export interface TestServer {
  handler: SyncHandler
  store: StateStore
  errors: unknown[]
  send(path: string, init?: RequestInit & { as?: string | undefined }): Promise<Response>
  post(name: string, variables: unknown, options?: Post): Promise<Response>
  batch(body: object, options?: Post): Promise<BatchAnswer>
  query(name: string, headers?: Record<string, string>, as?: string): Promise<Response>
  stream(search: string, init?: RequestInit & { as?: string | undefined }): Promise<TestStream>
}

const servers: { handler: SyncHandler; store: StateStore; streams: TestStream[] }[] = []
afterEach(async () => {
  for (const { handler, store, streams } of servers.splice(0)) {
    await Promise.all(streams.map((stream) => stream.cancel()))
    await handler.close({ timeout: 0 })
    await store.close()
  }
})

/** Who asks stands in the `Authorization` header of a test request (`as`), `me` unless said otherwise. */
export const authenticate = (request: Request): Principal | null => {
  const id = request.headers.get('Authorization')
  return id === null ? null : { id }
}

export function startServer<P extends Principal = Principal>(
  store: StateStore,
  options: Omit<SyncHandlerOptions<P>, 'store'>,
): TestServer {
  const errors: unknown[] = []
  const streams: TestStream[] = []
  const handler = createSyncHandler<P>({ onError: (error) => errors.push(error), ...options, store })
  servers.push({ handler, store, streams })
  const send: TestServer['send'] = (path, { as = 'me', headers, ...init } = {}) => {
    const fields = new Headers(headers)
    if (as !== '' && !fields.has('Authorization')) fields.set('Authorization', as)
    return handler(new Request(`${ORIGIN}/sync${path}`, { ...init, headers: fields }))
  }
  const write = (path: string, body: unknown, { id, as, headers }: Post) =>
    send(path, {
      method: 'POST',
      body: JSON.stringify(body),
      as,
      headers: {
        'Content-Type': 'application/json',
        ...(id === undefined ? {} : { 'Idempotency-Key': id }),
        ...headers,
      },
    })
  return {
    handler,
    store,
    errors,
    send,
    post: (name, variables, options = {}) => write(`/mutations/${name}`, variables, { id: newId(), ...options }),
    batch: async (body, options = {}) => (await write('/mutations', body, options)).json() as Promise<BatchAnswer>,
    query: (name, headers = {}, as = 'me') => send(`/queries/${name}`, { headers, as }),
    async stream(search, init = {}) {
      const response = await send(`/stream${search}`, init)
      if (response.status !== 200) throw new Error(`the stream answered ${response.status}: ${await response.text()}`)
      const stream = readStream(response)
      streams.push(stream)
      return stream
    },
  }
}

let ids = 0
export function newId(): string {
  return `m-${ids++}`
}

export interface TestStream {
  /** The next message; `undefined` at the end. */
  next(): Promise<StreamMessage | undefined>
  /** The next messages. */
  take(count: number): Promise<StreamMessage[]>
  /** Whether nothing comes within a few turns of the event loop. */
  isQuiet(): Promise<boolean>
  cancel(): Promise<void>
}

/** Every message is decoded as the client does it; one that is malformed fails the test. */
export function readStream(response: Response): TestStream {
  if (response.body === null) throw new Error('the answer has no body')
  const reader = response.body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader()
  const messages: StreamMessage[] = []
  let rest = ''
  let reading: Promise<StreamMessage | undefined> | undefined

  async function read(): Promise<StreamMessage | undefined> {
    while (messages.length === 0) {
      const { done, value } = await reader.read()
      if (done) return undefined
      const blocks = (rest + value).split('\n\n')
      rest = blocks.pop() ?? ''
      messages.push(...blocks.map(decode))
    }
    return messages.shift()
  }
  const next = () => {
    const mine = reading ?? read()
    reading = undefined
    return mine
  }
  return {
    next,
    async take(count) {
      const taken: StreamMessage[] = []
      while (taken.length < count) {
        const message = await next()
        if (message === undefined) break
        taken.push(message)
      }
      return taken
    },
    async isQuiet() {
      reading ??= read()
      const turns = new Promise<true>((resolve) => setTimeout(() => resolve(true), 20))
      return Promise.race([turns, reading.then(() => false)])
    },
    cancel: () => reader.cancel().catch(() => {}),
  }
}

function decode(block: string): StreamMessage {
  const fields = new Map(
    block.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)]
    }),
  )
  const decoded = decodeMessage(fields.get('event') ?? '', fields.get('data') ?? '', fields.get('id'))
  if (!decoded.ok) throw new Error(decoded.unknown ? `unknown event: ${block}` : `${decoded.reason}: ${block}`)
  return decoded.message
}

/** `type` without its prefix, of an answer that is a problem. */
export async function problemOf(
  response: Response,
): Promise<{ name: string; status: number; [member: string]: unknown }> {
  if (response.headers.get('Content-Type') !== 'application/problem+json') {
    throw new Error(`not a problem: ${response.status} ${await response.text()}`)
  }
  const problem = (await response.json()) as { type: string; status: number }
  if (problem.status !== response.status) throw new Error('the problem names another status')
  return { ...problem, name: problem.type.split(':').at(-1) ?? '' }
}
