// A network that does nothing by itself: each request waits until the test answers it, loses it or drops the connection.
import type { Network, NetworkEvent } from '../../src/platform/network'
import type { FetchLike } from '../../src/platform/transport'

export interface Answer {
  status?: number
  headers?: Record<string, string>
}

/** One request that left the client. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly body: unknown
  /** The ids in `Sync-Pending`. */
  readonly names: string[]
  readonly id: string | null
  readonly aborted: boolean
  /** Answers with JSON (or without a body). */
  answer(body?: unknown, options?: Answer): Promise<void>
  /** The connection breaks: the client cannot know whether the request arrived. */
  drop(): Promise<void>
}

/** The server's end of one event stream. */
export interface SentStream {
  readonly headers: Headers
  readonly url: string
  readonly open: boolean
  send(event: string, data: unknown, id?: string): Promise<void>
  close(): Promise<void>
}

export interface ScriptedNetwork {
  readonly fetch: FetchLike
  readonly network: Network & { set(event: NetworkEvent): Promise<void> }
  /** Requests that wait for an answer, oldest first. */
  readonly waiting: Sent[]
  /** Every request that ever left, streams apart. */
  readonly log: Sent[]
  readonly streams: SentStream[]
  /** The oldest waiting request of this method (and url), taken off the list; throws if there is none. */
  take(method: string, url?: string): Sent
  /** The newest stream. */
  stream(): SentStream
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

export function scriptedNetwork(): ScriptedNetwork {
  const waiting: Sent[] = []
  const log: Sent[] = []
  const streams: SentStream[] = []
  const listeners = new Set<(event: NetworkEvent) => void>()
  let online = true
  let visible = true

  const fetch: FetchLike = (input, init) => {
    const headers = new Headers(init?.headers)
    if (headers.get('accept')?.includes('text/event-stream')) return openStream(input, headers, init?.signal ?? null)
    if (init?.signal?.aborted) return Promise.reject(init.signal.reason)
    return new Promise<Response>((resolve, reject) => {
      const sent = createSent(input, init, headers, resolve, reject)
      waiting.push(sent)
      log.push(sent)
      init?.signal?.addEventListener('abort', () => {
        const at = waiting.indexOf(sent)
        if (at >= 0) waiting.splice(at, 1)
        reject(init.signal?.reason ?? new DOMException('aborted', 'AbortError'))
      })
    })
  }

  function createSent(
    url: string,
    init: RequestInit | undefined,
    headers: Headers,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ): Sent {
    const leave = () => {
      const at = waiting.indexOf(sent)
      if (at >= 0) waiting.splice(at, 1)
    }
    const sent: Sent = {
      method: init?.method ?? 'GET',
      url,
      headers,
      body: typeof init?.body === 'string' ? JSON.parse(init.body) : undefined,
      names: (headers.get('sync-pending') ?? '').split(',').flatMap((id) => id.trim() || []),
      id: headers.get('idempotency-key')?.replaceAll('"', '') ?? null, // a quoted string on the wire
      get aborted() {
        return init?.signal?.aborted === true
      },
      answer(body, { status = 200, headers: fields = {} } = {}) {
        leave()
        const type = status >= 400 ? 'application/problem+json' : 'application/json'
        resolve(
          new Response(body === undefined ? null : JSON.stringify(body), {
            status,
            headers: { 'content-type': type, ...fields },
          }),
        )
        return settle()
      },
      drop() {
        leave()
        reject(new TypeError('fetch failed'))
        return settle()
      },
    }
    return sent
  }

  function openStream(url: string, headers: Headers, signal: AbortSignal | null): Promise<Response> {
    let controller!: ReadableStreamDefaultController<Uint8Array>
    const encoder = new TextEncoder()
    let open = true
    const body = new ReadableStream<Uint8Array>({
      start: (made) => {
        controller = made
      },
      cancel: () => {
        open = false
      },
    })
    signal?.addEventListener('abort', () => {
      if (open) controller.error(signal.reason)
      open = false
    })
    streams.push({
      headers,
      url,
      get open() {
        return open
      },
      send(event, data, id) {
        if (open)
          controller.enqueue(
            encoder.encode(
              `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`,
            ),
          )
        return settle().then(settle)
      },
      close() {
        if (open) controller.close()
        open = false
        return settle()
      },
    })
    return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
  }

  return {
    fetch,
    waiting,
    log,
    streams,
    network: {
      isOnline: () => online,
      isVisible: () => visible,
      subscribe(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      set(event) {
        if (event === 'online' || event === 'offline') online = event === 'online'
        if (event === 'visible' || event === 'hidden') visible = event === 'visible'
        for (const listener of [...listeners]) listener(event)
        return settle()
      },
    },
    take(method, url) {
      const found = waiting.find((sent) => sent.method === method && (url === undefined || sent.url === url))
      if (found === undefined) {
        const there = waiting.map((sent) => `${sent.method} ${sent.url}`).join(', ')
        throw new Error(`No ${method} ${url ?? ''} waits for an answer; there are: ${there || 'none'}`)
      }
      waiting.splice(waiting.indexOf(found), 1)
      return found
    },
    stream() {
      const last = streams.at(-1)
      if (last === undefined) throw new Error('No stream was opened.')
      return last
    },
  }
}
