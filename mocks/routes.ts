/** Which of the mock server's routes a request is for, and the request that the sync kit gets for it. */
import type { RowId } from '../src/base/messages'
import { HEADERS } from '../src/base/messages'
import type { ResolvedOptions, ResolvedTable } from './options'

/** `other`: no route of this server. */
export type RouteKind = 'read' | 'write' | 'stream' | 'other'

/** What a path stands for. */
export interface Route {
  kind: RouteKind
  /** Name of the query or mutation: `todos`, `todos/create`, your own. */
  name: string
  table: ResolvedTable | undefined
  /** As it stands in the path. */
  rowId: string | undefined
}

/** Topic of everybody who asked for no topics: all of them. */
export const EVERYTHING = '*'

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'replace',
  PATCH: 'update',
  DELETE: 'delete',
}

export function routeOf(method: string, pathname: string, options: ResolvedOptions): Route {
  return kitRoute(method, pathname, options) ?? tableRoute(method, pathname, options) ?? NOWHERE
}

const NOWHERE: Route = { kind: 'other', name: '', table: undefined, rowId: undefined }

function kitRoute(method: string, pathname: string, { plain, stream, syncPath }: ResolvedOptions): Route | undefined {
  if (plain) return undefined
  const route = (kind: RouteKind, name: string): Route => ({ kind, name, table: undefined, rowId: undefined })
  if (stream !== false && method === 'GET' && (pathname === syncPath || pathname === `${syncPath}/stream`)) {
    return route('stream', '')
  }
  if (method === 'POST' && pathname === `${syncPath}/mutations`) return route('write', '')
  for (const [verb, folder, kind] of KIT) {
    const prefix = `${syncPath}/${folder}/`
    if (method === verb && pathname.startsWith(prefix)) return route(kind, decoded(pathname.slice(prefix.length)))
  }
  return undefined
}

const KIT = [
  ['GET', 'queries', 'read'],
  ['POST', 'mutations', 'write'],
] as const

function tableRoute(method: string, pathname: string, { apiPath, tables }: ResolvedOptions): Route | undefined {
  if (!pathname.startsWith(`${apiPath}/`)) return undefined
  const [name = '', id, ...more] = pathname.slice(apiPath.length + 1).split('/')
  const table = tables.get(name)
  if (table === undefined || more.length > 0) return undefined
  const rowId = id === undefined || id === '' ? undefined : decoded(id)
  if (method === 'GET') return { kind: 'read', name: rowId === undefined ? name : `${name}/one`, table, rowId }
  const verb = VERBS[method]
  if (verb === undefined || (verb === 'create') !== (rowId === undefined)) return undefined
  return { kind: 'write', name: `${name}/${verb}`, table, rowId }
}

/** A request as it is sent on: everything in one place, the body as text. */
export interface Sent {
  method: string
  url: URL
  headers: Headers
  body: string | undefined
  signal: AbortSignal | undefined
}

/** The same request, as the sync kit wants it. `newKey` makes an idempotency key for a client that sent none. */
export function toKit(sent: Sent, route: Route, options: ResolvedOptions, newKey: () => string): Request {
  const { syncPath } = options
  const headers = new Headers(sent.headers)
  // Where the page is says nothing in a mock.
  for (const name of ['Origin', 'Sec-Fetch-Site']) headers.delete(name)
  const url = new URL(sent.url)
  if (route.kind === 'stream') {
    url.pathname = `${syncPath}/stream`
    if (url.searchParams.getAll('topics').join('') === '') url.searchParams.set('topics', EVERYTHING)
  }
  if (route.table === undefined) return build(sent, url, headers, sent.body)
  const { kind, name, rowId } = route
  url.pathname = `${syncPath}/${kind === 'read' ? 'queries' : 'mutations'}/${name}`
  if (kind === 'read') {
    if (rowId !== undefined) url.search = new URLSearchParams({ params: JSON.stringify({ id: rowId }) }).toString()
    return build(sent, url, headers, undefined)
  }
  headers.set('Content-Type', 'application/json')
  if (!headers.has(HEADERS.idempotencyKey)) headers.set(HEADERS.idempotencyKey, newKey())
  return build({ ...sent, method: 'POST' }, url, headers, variablesOf(sent.body, route))
}

/** What the table's mutation is called with. A body that is no JSON goes on as it is, and is refused there. */
function variablesOf(body: string | undefined, { name, rowId }: Route): string {
  if (rowId === undefined) return body ?? ''
  const id: RowId = rowId
  if (name.endsWith('/delete')) return JSON.stringify({ id })
  try {
    const value: unknown = JSON.parse(body ?? '')
    return JSON.stringify(name.endsWith('/update') ? { id, fields: value } : { id, row: value })
  } catch {
    return body ?? ''
  }
}

function build({ method, signal }: Sent, url: URL, headers: Headers, body: string | undefined): Request {
  return new Request(url, { method, headers, signal: signal ?? null, ...(body === undefined ? {} : { body }) })
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
