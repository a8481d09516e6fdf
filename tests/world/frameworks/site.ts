// One origin as a visitor sees it: `/api` is a small API over the rows of each user, which the test holds and counts;
// everything else goes to the framework's server. Users are told apart by the cookie `user`.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Row {
  readonly id: string
  readonly title: string
}

export interface Request {
  readonly method: string
  readonly user: string
  /** Whether a page asked, and not the framework's server. */
  readonly fromPage: boolean
}

export interface Hold {
  /** Resolves when so many requests wait. */
  readonly arrived: (count: number) => Promise<void>
  readonly release: () => void
}

export interface Site {
  readonly origin: string
  /** Where the framework's server listens. */
  readonly leadTo: (port: number) => void
  /** Every request of the API since the last `reset`, in order. */
  readonly requests: readonly Request[]
  /** Lets requests of this method wait before they are answered. */
  readonly hold: (method: 'GET' | 'POST') => Hold
  /** Forgets what was asked, and gives each user the first rows again. */
  readonly reset: () => void
  readonly close: () => Promise<void>
}

export async function createSite(): Promise<Site> {
  const requests: Request[] = []
  const holds = new Map<string, ReturnType<typeof createHold>>()
  let rows = new Map<string, Row[]>()
  let position = 0
  let port = 0

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const user = /(?:^|;\s*)user=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'nobody'
    const method = request.method ?? ''
    const own = rows.get(user) ?? firstRows(user)
    rows.set(user, own)
    const body = await textOf(request)
    requests.push({ method, user, fromPage: request.headers['sec-fetch-site'] !== undefined })
    await holds.get(method)?.wait()
    if (method === 'POST') {
      own.push(JSON.parse(body) as Row)
      position++
    }
    response.setHeader('content-type', 'application/json')
    response.setHeader('sync-cursor', `epoch:${position}`)
    response.end(JSON.stringify(method === 'POST' ? own.at(-1) : own))
  }

  const server = createServer((request, response) => {
    if (request.url?.startsWith('/api/todos')) void answer(request, response)
    else if (request.url === '/favicon.ico') response.writeHead(204).end()
    else pass(request, response, port)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    leadTo(to) {
      port = to
    },
    hold(method) {
      const hold = createHold(() => holds.delete(method))
      holds.set(method, hold)
      return hold
    },
    reset() {
      requests.length = 0
      rows = new Map()
    },
    close: () => closed(server),
  }
}

/** A port that nothing listens on, for servers that cannot be told to choose one. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await closed(server)
  return port
}

function firstRows(user: string): Row[] {
  return [{ id: `${user}-1`, title: `${user} has this` }]
}

function createHold(end: () => void): Hold & { wait: () => Promise<void> } {
  let waiting = 0
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const watchers = new Set<() => void>()
  return {
    wait() {
      waiting++
      for (const look of watchers) look()
      return released
    },
    arrived: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (waiting >= count) resolve()
        }
        watchers.add(look)
        look()
      }),
    release() {
      end()
      release()
    },
  }
}

function pass(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url, headers } = request
  // A connection of its own: one that is kept may be closed by the server as it is used again.
  const onward = forward({ host: '127.0.0.1', port, path: url, method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', (error) => {
    response.statusCode = 502
    response.end(error.message)
  })
  request.pipe(onward)
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
