/**
 * The sync server as one function from Request to Response, over a store and a bus. No framework, nothing of Node: it
 * runs wherever Fetch's classes are, in a page too.
 *
 *     POST <base>/mutations/<name>    one mutation; the key's parts joined by `/`
 *     POST <base>/mutations           a batch, or a transaction
 *     GET  <base>/queries/<name>      a read, with cursor
 *     GET  <base>/stream?topics=a,b   Server-Sent Events
 */
import type { Cursor } from '../src/base/cursor'
import { createBreather } from './breather'
import { settlesWithin } from './clock'
import type { Principal } from './functions'
import { assertOrigin, corsHeaders, preflight, withHeaders } from './guard'
import type { Hub } from './hub'
import { createHub } from './hub'
import { createRateLimit } from './limits'
import type { Metrics, MetricsSnapshot } from './metrics'
import { createMetrics } from './metrics'
import { createMutationRoute } from './mutation-route'
import type { ResolvedOptions, SyncHandlerOptions } from './options'
import { resolveOptions } from './options'
import { isRefusal, makeProblem, problemResponse, refuse } from './problem'
import { createQueryRoute } from './query-route'
import type { Invalidation } from './store'
import { isStoreError } from './store'
import { createStreamRoute } from './stream-route'
import type { ReadTransaction, WriteTransaction } from './transaction'
import { openRead, openWrite } from './transaction'

/** How a server stops. */
export interface CloseOptions {
  /** Milliseconds over which the clients are asked to come back, elsewhere. @defaultValue 5_000 */
  spread?: number | undefined
  /** Milliseconds that requests and streams get to end by themselves; 0: none. @defaultValue 5_000 */
  timeout?: number | undefined
}

/** A sync server: call it with a Request. */
export interface SyncHandler {
  (request: Request): Promise<Response>
  /** Whether a path is the handler's, for mounting it beside other routes. */
  matches(url: string | URL): boolean
  /** Writes in one transaction from the server's side (jobs, imports, seeds); its events go out like a mutation's. */
  write<T>(run: (tx: WriteTransaction) => T | Promise<T>): Promise<{ value: T; cursor: Cursor }>
  /** Reads one snapshot, with its cursor. */
  read<T>(run: (tx: ReadTransaction) => T | Promise<T>): Promise<{ value: T; cursor: Cursor }>
  /** Says that queries are stale, without writing anything else. */
  publish(what: Invalidation & { to?: string[] | undefined }): Promise<Cursor>
  /** Counters and gauges so far. */
  snapshot(): MetricsSnapshot
  /** On every node: asks again what a principal (or everybody) may read; a lost topic is revoked at once. */
  reauthorize(principal?: string): void
  /** On every node: ends the streams of a session, or of a principal. */
  logout(who: { principal?: string | undefined; session?: string | undefined }): void
  /**
   * Refuses what comes from now on (503), says goodbye to the streams, waits for what runs. Does not close the store.
   * May be called again.
   */
  close(options?: CloseOptions): Promise<void>
}

interface Parts<P extends Principal> {
  options: ResolvedOptions<P>
  metrics: Metrics
  hub: Hub<P>
}

/**
 * Makes a sync server. Throws a `usage` error for options that it does not know.
 *
 * @example
 * const handler = createSyncHandler({
 *   store: sqliteStore('app.db'),
 *   queries: { todos: (tx) => tx.rows('todo') },
 *   mutations: { 'todos/add': (tx, todo: Todo) => tx.put('todo', todo.id, todo, { topics: ['todos'] }) },
 *   authenticate: (request) => sessionOf(request),
 * })
 */
export function createSyncHandler<P extends Principal = Principal>(given: SyncHandlerOptions<P>): SyncHandler {
  const options = resolveOptions(given)
  const metrics = createMetrics(options.onMetric)
  const hub = createHub({ options, metrics })
  const parts: Parts<P> = { options, metrics, hub }
  const upkeep = createUpkeep(parts)
  const serve = createRoutes(parts, upkeep.onCommit)
  const work = new Set<Promise<unknown>>()
  let isClosing = false

  async function answer(request: Request): Promise<Response> {
    const cors = corsHeaders(request, options.origins)
    try {
      if (isClosing) throw refuse('draining', 'this server is stopping; try again', {}, 1_000)
      return withHeaders(await serve(request), cors)
    } catch (error) {
      return withHeaders(toProblem(error, parts), cors)
    }
  }

  const handle = (request: Request): Promise<Response> => {
    const answered = answer(request)
    work.add(answered)
    return answered.finally(() => work.delete(answered))
  }
  const breathe = createBreather(options.clock)
  const write: SyncHandler['write'] = async (run) => {
    const result = await writeOnce(options, run, breathe)
    upkeep.onCommit()
    return result
  }
  return Object.assign(handle, {
    matches: (url: string | URL) => isOwnPath(new URL(url, 'http://localhost').pathname, options),
    write,
    read: <T>(run: (tx: ReadTransaction) => T | Promise<T>) => readOnce(options, run),
    publish: async (what: Invalidation & { to?: string[] | undefined }) =>
      (await write((tx) => tx.invalidate(what))).cursor,
    snapshot: metrics.snapshot,
    reauthorize: (principal?: string) => options.bus.publish({ kind: 'control', action: 'reauthorize', principal }),
    logout: (who: { principal?: string | undefined; session?: string | undefined }) =>
      options.bus.publish({ kind: 'control', action: 'logout', ...who }),
    async close({ spread = 5_000, timeout = 5_000 }: CloseOptions = {}) {
      isClosing = true
      upkeep.stop()
      hub.end({ reason: 'drain', spread }, () => true)
      if (timeout > 0) await settlesWithin(options.clock, timeout, Promise.all([Promise.allSettled(work), hub.idle()]))
      hub.close()
    },
  })
}

/** What goes on between requests: the bell, the control messages, the trimming that follows writes. */
function createUpkeep<P extends Principal>({ options, hub, metrics }: Parts<P>): { onCommit(): void; stop(): void } {
  const { bus, clock, retention } = options
  let trimmedAt = clock.now()
  let isStopped = false
  const look = (): void => {
    hub.look().catch((error: unknown) => {
      options.onError(error, 'the log could not be read; it is tried again in a second')
      clock.after(1_000, () => {
        if (!isStopped && hub.count() > 0) look()
      })
    })
  }

  const unsubscribe = bus.subscribe((message) => {
    if (message.kind === 'log') return hub.count() > 0 ? look() : undefined
    const { principal, session } = message
    const matches = (other: P) =>
      (principal === undefined || other.id === principal) && (session === undefined || other.session === session)
    if (message.action === 'logout') hub.end({ reason: 'auth-revoked', reconnect: false }, matches)
    else hub.reauthorize(matches)
  })
  async function trim(now: number): Promise<void> {
    trimmedAt = now
    await options.store.trim({
      logBefore: now - retention.log,
      logEntries: retention.logEntries,
      outcomesBefore: now - retention.keys,
      sequencesBefore: now - retention.sequences,
    })
    metrics.count('trims')
  }
  const poll = () => {
    if (isStopped) return
    if (hub.count() > 0) look()
    clock.after(options.poll, poll)
  }
  if (options.poll > 0) clock.after(options.poll, poll)

  return {
    onCommit() {
      bus.publish({ kind: 'log' })
      const now = clock.now()
      if (now - trimmedAt < retention.every) return
      trim(now).catch((error: unknown) => options.onError(error, 'the store could not be trimmed'))
    },
    stop() {
      isStopped = true
      unsubscribe()
    },
  }
}

function createRoutes<P extends Principal>(
  parts: Parts<P>,
  onCommit: () => void,
): (request: Request) => Promise<Response> {
  const { options, metrics } = parts
  const rate = createRateLimit(options.authenticate ? options.limits.rate : false, options.clock)
  const charge = (principal: P, tokens: number) => rate.take(principal.id, tokens)
  const mutations = createMutationRoute({ options, metrics, charge, onCommit })
  const query = createQueryRoute(parts)
  const stream = createStreamRoute(parts)

  async function principalOf(request: Request): Promise<P> {
    // Without `authenticate` the type of principals is the default one.
    if (options.authenticate === undefined) return { id: 'anonymous' } as P
    const principal = await options.authenticate(request)
    if (principal === null) throw refuse('unauthenticated', 'sign in, and send your credentials')
    return principal
  }

  return async (request) => {
    const route = toRoute(new URL(request.url).pathname, options)
    if (route === undefined) throw refuse('not-found', 'this is not a path of the sync server')
    if (request.method === 'OPTIONS') return preflight()
    const method = route.kind === 'mutations' ? 'POST' : 'GET'
    if (request.method !== method) {
      return problemResponse(makeProblem('method-not-allowed', `use ${method}`), undefined, { Allow: method })
    }
    assertOrigin(request, options.origins)
    const principal = await principalOf(request)
    metrics.count(`requests{${route.kind}}`)
    if (route.kind === 'mutations') {
      return route.name === '' ? mutations.batch(request, principal) : mutations.single(request, principal, route.name)
    }
    charge(principal, 1)
    return route.kind === 'stream' ? stream(request, principal) : query(request, principal, route.name)
  }
}

interface Route {
  kind: 'mutations' | 'queries' | 'stream'
  name: string
}

function toRoute(
  pathname: string,
  { basePath, streamPath }: { basePath: string; streamPath: string },
): Route | undefined {
  if (pathname === streamPath) return { kind: 'stream', name: '' }
  if (pathname === `${basePath}/mutations`) return { kind: 'mutations', name: '' }
  for (const kind of ['mutations', 'queries'] as const) {
    const prefix = `${basePath}/${kind}/`
    if (!pathname.startsWith(prefix) || pathname.length === prefix.length) continue
    return { kind, name: decoded(pathname.slice(prefix.length)) }
  }
  return undefined
}

function isOwnPath(pathname: string, paths: { basePath: string; streamPath: string }): boolean {
  return pathname === paths.streamPath || pathname.startsWith(`${paths.basePath}/`)
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    throw refuse('malformed', 'the path is not percent-encoded UTF-8')
  }
}

function toProblem<P extends Principal>(error: unknown, { options, metrics }: Parts<P>): Response {
  if (isRefusal(error)) {
    metrics.count(`refused{${error.problem.type?.split(':').at(-1)}}`)
    return problemResponse(error.problem, error.retryAfter)
  }
  options.onError(error, 'a request failed')
  if (isStoreError(error))
    return problemResponse(makeProblem('unavailable', 'the store failed; nothing was written'), 1_000)
  return problemResponse({ type: 'about:blank', title: 'The server failed', status: 500 })
}

async function writeOnce<P extends Principal, T>(
  { store, topicsOf, onError }: ResolvedOptions<P>,
  run: (tx: WriteTransaction) => T | Promise<T>,
  breathe: () => Promise<void> | undefined,
): Promise<{ value: T; cursor: Cursor }> {
  return store.transaction(async (transaction) => {
    await breathe()
    const write = openWrite(transaction, { topicsOf, onLate: (error) => onError(error, 'a write came too late') })
    try {
      const value = await run(write.tx)
      const forgotten = write.leftBehind()
      await write.end()
      if (write.failure ?? forgotten) throw write.failure ?? forgotten
      if (write.parts.length > 0) await transaction.append({ mutations: [], parts: write.parts })
      const { epoch, head } = await transaction.position()
      return { value, cursor: `${epoch}:${head}` }
    } finally {
      await write.end()
    }
  })
}

async function readOnce<P extends Principal, T>(
  { store, onError }: ResolvedOptions<P>,
  run: (tx: ReadTransaction) => T | Promise<T>,
): Promise<{ value: T; cursor: Cursor }> {
  return store.snapshot(async (view) => {
    const read = openRead(view, (error) => onError(error, 'a read came too late'))
    try {
      const { epoch, head } = await view.position()
      return { value: await run(read.tx), cursor: `${epoch}:${head}` }
    } finally {
      await read.end()
    }
  })
}
