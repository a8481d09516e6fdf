/** A server behind an injected `fetch`: each request is kept, and answered as the test says. */
import type { FetchLike } from '../../../src/platform/transport'

export interface ScriptedRequest {
  readonly url: string
  readonly headers: Headers
  readonly at: number
  readonly aborted: boolean
}

/** An open event stream that the test writes to. */
export interface ScriptedStream {
  write(text: string | Uint8Array): void
  /** The server ends it. */
  end(): void
  /** The connection breaks. */
  cut(): void
  /** Whether the client has gone. */
  readonly closed: boolean
}

export type Answer = (request: ScriptedRequest) => Response | Promise<Response>

export interface ScriptedServer {
  readonly fetch: FetchLike
  readonly requests: ScriptedRequest[]
  readonly streams: ScriptedStream[]
  /** The stream that was opened last. */
  stream(): ScriptedStream
  /** Answers of the next requests, in order; `otherwise` answers the rest. */
  next(...answers: Answer[]): void
  otherwise: Answer
  /** An answer that opens an event stream and writes `first`. */
  open(first?: string | (() => string)): Answer
}

export function createScriptedServer(now: () => number): ScriptedServer {
  const encoder = new TextEncoder()
  const queue: Answer[] = []
  const server: ScriptedServer = {
    requests: [],
    streams: [],
    stream() {
      const last = server.streams.at(-1)
      if (last === undefined) throw new Error('no stream is open')
      return last
    },
    next: (...answers) => void queue.push(...answers),
    otherwise: () => Promise.reject(new TypeError('network down')),
    open: (first) => () => {
      const stream = createStream()
      server.streams.push(stream.handle)
      if (first !== undefined) stream.handle.write(typeof first === 'function' ? first() : first)
      return new Response(stream.body, { headers: { 'content-type': 'text/event-stream' } })
    },
    async fetch(url, init) {
      const signal = init?.signal ?? undefined
      const request: ScriptedRequest = {
        url,
        headers: new Headers(init?.headers),
        at: now(),
        get aborted() {
          return signal?.aborted === true
        },
      }
      server.requests.push(request)
      const answer = await (queue.shift() ?? server.otherwise)(request)
      signal?.throwIfAborted()
      return answer
    },
  }

  function createStream() {
    let closed = false
    let controller!: ReadableStreamDefaultController<Uint8Array>
    const body = new ReadableStream<Uint8Array>({
      start(own) {
        controller = own
      },
      cancel() {
        closed = true
      },
    })
    const handle: ScriptedStream = {
      write(text) {
        if (!closed) controller.enqueue(typeof text === 'string' ? encoder.encode(text) : text)
      },
      end() {
        if (!closed) controller.close()
        closed = true
      },
      cut() {
        if (!closed) controller.error(new TypeError('terminated'))
        closed = true
      },
      get closed() {
        return closed
      },
    }
    return { body, handle }
  }
  return server
}

/** One event of the wire. */
export function frame(event: string, data: unknown, id?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`
}
