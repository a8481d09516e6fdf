/** POST `<base>/mutations/<name>` (one) and POST `<base>/mutations` (a batch or a transaction). */
import type { Cursor } from '../src/base/cursor'
import { HEADERS } from '../src/base/messages'
import type { RunCalls } from './batch'
import { createBatch } from './batch'
import { readBatch, readJson, readPending, readSingle } from './body'
import { settlesWithin } from './clock'
import type { Principal } from './functions'
import { STATUS_HEADER } from './guard'
import type { Metrics } from './metrics'
import type { MutationCall, MutationResult } from './mutate'
import { createMutator } from './mutate'
import type { ResolvedOptions } from './options'
import { problemResponse, refuse } from './problem'
import { comparePositions } from './store'

export interface MutationRouteDeps<P extends Principal> {
  options: ResolvedOptions<P>
  metrics: Metrics
  /** Counts against the rate of the principal. */
  charge: (principal: P, mutations: number) => void
  /** The log has grown. */
  onCommit: () => void
}

export interface MutationRoute<P extends Principal> {
  single(request: Request, principal: P, name: string): Promise<Response>
  batch(request: Request, principal: P): Promise<Response>
}

interface Done {
  results: MutationResult[]
  epoch: string
  head: string
  reflects: string[]
}

export function createMutationRoute<P extends Principal>(deps: MutationRouteDeps<P>): MutationRoute<P> {
  const { options, metrics, charge, onCommit } = deps
  const { each, atomic } = createBatch(createMutator({ options, metrics }))
  const running = createRunning(options)

  /** Everything in one transaction; the log is told after the commit. */
  async function commit(
    request: Request,
    principal: P,
    calls: readonly MutationCall[],
    run: RunCalls<P>,
  ): Promise<Done> {
    const pending = readPending(request.headers)
    const done = await options.store.transaction(async (store): Promise<Done> => {
      const results = await run({ store, principal, request }, calls)
      const { epoch, head } = await store.position()
      const known = await store.applied(principal.id, pending)
      const until = results.length === 1 ? (results[0]?.position ?? head) : head
      const reflects = known.filter(({ position }) => comparePositions(position, until) <= 0).map(({ id }) => id)
      return { results, epoch, head, reflects }
    })
    if (done.results.some((result) => result.position !== undefined && !result.replayed)) onCommit()
    for (const result of done.results) if (!result.replayed) metrics.count(`mutations{${labelOf(result)}}`)
    return done
  }

  return {
    async single(request, principal, name) {
      const call = readSingle(request.headers, name, await readJson(request, options))
      charge(principal, 1)
      const done = await running(principal, [call.id], () => commit(request, principal, [call], each))
      return singleAnswer(done)
    },
    async batch(request, principal) {
      const { atomic: isAtomic, calls } = readBatch(await readJson(request, options), options.limits)
      charge(principal, calls.length)
      const ids = calls.map((call) => call.id)
      const done = await running(principal, ids, () => commit(request, principal, calls, isAtomic ? atomic : each))
      return batchAnswer(done)
    },
  }
}

/** A mutation whose first attempt still runs is waited for a little, then answered `in-progress`. */
function createRunning<P extends Principal>({ clock }: ResolvedOptions<P>) {
  const WAIT = 1_000
  const ends = new Map<string, Promise<unknown>>()
  return async <T>(principal: P, ids: readonly string[], run: () => Promise<T>): Promise<T> => {
    const names = ids.map((id) => JSON.stringify([principal.id, id]))
    const deadline = clock.now() + WAIT
    for (;;) {
      const earlier = names.map((name) => ends.get(name)).find((end) => end !== undefined)
      if (earlier === undefined) break
      const isOver = await settlesWithin(clock, deadline - clock.now(), earlier)
      if (!isOver) throw refuse('in-progress', 'this mutation is still running; send it again', {}, 1_000)
    }
    const work = run()
    const end = work.catch(() => {})
    for (const name of names) ends.set(name, end)
    return work.finally(() => {
      for (const name of names) ends.delete(name)
    })
  }
}

function singleAnswer({ results: [result], epoch, head, reflects }: Done): Response {
  if (result === undefined) throw new Error('a mutation has no result')
  // Nothing happened at any position, and nothing is known: not allowed, not there, not now.
  if (result.problem !== undefined && result.position === undefined) {
    return problemResponse(result.problem, result.retryAfter)
  }
  const cursor: Cursor = `${epoch}:${result.position ?? head}`
  const headers: Record<string, string> = {
    'Cache-Control': 'no-store',
    [HEADERS.reflects]: reflects.join(', '),
    [STATUS_HEADER]: result.status,
    // Of a duplicate the position is forgotten; the head is past it.
    [HEADERS.cursor]: cursor,
  }
  if (result.replayed || result.status === 'duplicate') headers[HEADERS.replayed] = 'true'
  if (result.problem !== undefined) return problemResponse({ ...result.problem, cursor }, undefined, headers)
  const [only, ...others] = result.entities ?? []
  if (only && others.length === 0 && !only.deleted) headers['ETag'] = `"v${only.version}"`
  return Response.json(result.data ?? null, { headers })
}

function batchAnswer({ results, epoch, head, reflects }: Done): Response {
  const cursor = `${epoch}:${head}`
  const shown = results.map(({ position, replayed: _, retryAfter: __, ...result }) => ({
    ...result,
    ...(position === undefined ? {} : { cursor: `${epoch}:${position}` }),
  }))
  const headers: Record<string, string> = {
    'Cache-Control': 'no-store',
    [HEADERS.cursor]: cursor,
    [HEADERS.reflects]: reflects.join(', '),
  }
  const retryAfter = results.find((result) => result.retryAfter !== undefined)?.retryAfter
  if (retryAfter !== undefined) headers['Retry-After'] = String(Math.max(1, Math.ceil(retryAfter / 1000)))
  return Response.json({ cursor, results: shown }, { headers })
}

function labelOf({ status, problem }: MutationResult): string {
  return problem?.type?.endsWith(':application-error') ? 'application-error' : status
}
