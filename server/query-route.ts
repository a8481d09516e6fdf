/**
 * GET `<base>/queries/<name>`. The data, its cursor and the mutations it contains are read in one snapshot: a cursor
 * from another moment would let a client drop what the data does not have.
 */
import { compareCursors } from '../src/base/cursor'
import { isPlainObject } from '../src/base/key'
import { HEADERS } from '../src/base/messages'
import { readCursor, readPending } from './body'
import { withTimeLimit } from './clock'
import { fingerprint } from './fingerprint'
import type { Principal, QueryDefinition } from './functions'
import type { Metrics } from './metrics'
import type { ResolvedOptions } from './options'
import { isRefusal, makeProblem, refusal, refuse } from './problem'
import type { StoreSnapshot } from './store'
import { isStoreError } from './store'
import { openRead } from './transaction'
import { validate } from './validate'

export interface QueryRouteDeps<P extends Principal> {
  options: ResolvedOptions<P>
  metrics: Metrics
}

interface Reading {
  body: string
  cursor: string
  reflects: string[]
}

/** Answers one read. */
export type QueryRoute<P extends Principal> = (request: Request, principal: P, name: string) => Promise<Response>

export function createQueryRoute<P extends Principal>({ options, metrics }: QueryRouteDeps<P>): QueryRoute<P> {
  async function run(
    view: StoreSnapshot,
    definition: QueryDefinition<P>,
    given: unknown,
    context: { principal: P; request: Request },
  ) {
    const late = (error: Error) => options.onError(error, 'a query used its snapshot too late; it was not read')
    const read = openRead(view, late)
    try {
      const allowed = (await definition.authorize?.(read.tx, given, context)) ?? true
      if (!allowed) throw refuse('forbidden', 'you may not read this')
      return await definition.run(read.tx, await validate(definition.params, given), context)
    } catch (error) {
      throw read.failure ?? error
    } finally {
      await read.end()
    }
  }

  async function read(
    view: StoreSnapshot,
    definition: QueryDefinition<P>,
    request: Request,
    principal: P,
  ): Promise<Reading> {
    const { epoch, head } = await view.position()
    const cursor = `${epoch}:${head}`
    const least = readCursor(request.headers.get(HEADERS.minCursor), HEADERS.minCursor)
    if (least !== undefined && (compareCursors(cursor, least) ?? 0) < 0) {
      throw refuse('behind', `this server is at ${cursor}`, { cursor }, 1_000)
    }
    const pending = readPending(request.headers)
    const given = readParams(new URL(request.url).searchParams)
    const data: unknown = await run(view, definition, given, { principal, request })
    const reflects = (await view.applied(principal.id, pending)).map(({ id }) => id)
    return { body: JSON.stringify(data) ?? 'null', cursor, reflects }
  }

  return async (request, principal, name) => {
    const definition = options.queries.get(name)
    if (definition === undefined) throw refuse('not-found', `no query is called "${name}"`)
    const { clock, limits } = options
    const late = () => refuse('unavailable', `it took longer than ${limits.time} ms`, {}, 1_000)
    const deadline = clock.now() + limits.time
    // The wait for a place to read in counts; who got it too late gives it back at once.
    const work = options.store.snapshot(async (view) => {
      const left = deadline - clock.now()
      if (left <= 0) throw late()
      return withTimeLimit(clock, left, read(view, definition, request, principal), late)
    })
    const reading = await withTimeLimit(clock, limits.time, work, late).catch((error: unknown) => {
      if (isRefusal(error) || isStoreError(error)) throw error
      options.onError(error, `the query "${name}" failed`)
      throw refusal(
        makeProblem('application-error', `the query "${name}" failed`, { status: 500, title: 'The query failed' }),
      )
    })
    return answer(request, reading, metrics)
  }
}

function answer(request: Request, { body, cursor, reflects }: Reading, metrics: Metrics): Response {
  const tag = `"${fingerprint(body)}"`
  const headers = {
    ETag: tag,
    'Cache-Control': 'private, no-cache',
    Vary: 'Authorization, Cookie',
    [HEADERS.cursor]: cursor,
    [HEADERS.reflects]: reflects.join(', '),
  }
  const known = (request.headers.get('If-None-Match') ?? '').split(',').map((entry) => entry.trim().replace(/^W\//, ''))
  if (known.includes(tag)) {
    metrics.count('reads{not-modified}')
    return new Response(null, { status: 304, headers })
  }
  metrics.count('reads{ok}')
  return new Response(body, { headers: { ...headers, 'Content-Type': 'application/json' } })
}

/** `?params=<json object>`, or plain search parameters as texts (a repeated one as a list). */
function readParams(search: URLSearchParams): Record<string, unknown> {
  const json = search.get('params')
  if (json === null) {
    const names = [...new Set(search.keys())]
    return Object.fromEntries(
      names.map((name) => {
        const values = search.getAll(name)
        return [name, values.length === 1 ? values[0] : values]
      }),
    )
  }
  const value = parse(json)
  if (!isPlainObject(value)) throw refuse('malformed', '"params" must be a JSON object')
  return value
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}
