/**
 * Which pages may call: CORS for the origins that are listed, and refusal of every other page (CSRF). A browser sets
 * `Origin` and `Sec-Fetch-Site` itself; programs that are no browser send neither and carry no ambient credentials.
 */
import { HEADERS } from '../src/base/messages'
import { refuse } from './problem'

/** How a single mutation ended, where the status code does not say: `applied`, `noop`, `duplicate`. */
export const STATUS_HEADER = 'Sync-Status' as const

const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'Cache-Control',
  HEADERS.idempotencyKey,
  HEADERS.outbox,
  HEADERS.scope,
  HEADERS.sequence,
  HEADERS.pending,
  HEADERS.minCursor,
  HEADERS.cursor,
].join(', ')

const ANSWER_HEADERS = [
  HEADERS.cursor,
  HEADERS.reflects,
  HEADERS.replayed,
  STATUS_HEADER,
  HEADERS.idempotencyKey,
  'ETag',
  'Retry-After',
].join(', ')

/** Refuses a request of a page that may not call: 403. */
export function assertOrigin(request: Request, origins: ReadonlySet<string>): void {
  const origin = request.headers.get('Origin')
  const site = request.headers.get('Sec-Fetch-Site')
  if (origin !== null && origins.has(origin)) return
  if (site === 'same-origin') return
  if (site === 'cross-site' || site === 'same-site')
    throw refuse('forbidden', `pages of ${origin ?? 'other sites'} may not call`)
  if (origin === null || isOwn(origin, request)) return
  throw refuse('forbidden', `pages of ${origin.slice(0, 200)} may not call`)
}

// Behind a proxy that ends TLS the request's own scheme is not the page's, so hosts are compared.
function isOwn(origin: string, request: Request): boolean {
  try {
    const { host } = new URL(origin)
    return host === (request.headers.get('Host') ?? new URL(request.url).host) || host === new URL(request.url).host
  } catch {
    return false
  }
}

/** What a browser wants to hear before a page of a listed origin reads an answer. */
export function corsHeaders(request: Request, origins: ReadonlySet<string>): Record<string, string> {
  if (origins.size === 0) return {}
  const origin = request.headers.get('Origin')
  if (origin === null || !origins.has(origin)) return { Vary: 'Origin' }
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': ANSWER_HEADERS,
  }
}

/** The answer to a preflight. Without the headers of {@link corsHeaders} the browser takes it as a no. */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'GET, POST',
      'Access-Control-Allow-Headers': REQUEST_HEADERS,
      'Access-Control-Max-Age': '600',
    },
  })
}

/** The same answer with more headers; `Vary` is joined. */
export function withHeaders(response: Response, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'Vary') response.headers.append(name, value)
    else response.headers.set(name, value)
  }
  return response
}
