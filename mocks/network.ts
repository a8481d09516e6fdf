/**
 * The way between the client and a server in the same process: every request is written down, held against the rules
 * and, if they let it, handed to the server. Knows nothing of what the server does.
 */
import type { ServerClock } from '../server/clock'
import { makeProblem } from '../server/problem'
import { isDate } from '../src/base/kinds'
import type { OpenStream } from './event-stream'
import { openEventStream } from './event-stream'
import type { Rule, Rules } from './faults'
import { waitFor } from './faults'
import { createRequestLog } from './request-log'
import type { MockRequest, OpenRequest } from './requests'
import type { Route, Sent } from './routes'

export interface NetworkDeps {
  rules: Rules
  clock: ServerClock
  random: () => number
  routeOf: (method: string, pathname: string) => Route
  /** The server itself. */
  serve: (sent: Sent, route: Route) => Promise<Response>
  /** What the server has, for a conflict: its row, if the route names one. */
  currentOf: (route: Route) => Promise<unknown>
}

/** A fetch that leads to the server, with everything that happens on the way. */
export interface Network {
  /** Rejects as `fetch` does: with a TypeError for a broken connection, with the signal's reason for an abort. */
  send(request: Request): Promise<Response>
  readonly log: MockRequest[]
  readonly streams: ReadonlySet<OpenStream>
  /** Resolves when no read or write is on its way. */
  idle(): Promise<void>
  readonly rules: Rules
  /** Forgets everything; open streams break. */
  reset(): void
}

/** One request with what is needed on its way. */
interface Trip {
  request: OpenRequest
  sent: Sent
  route: Route
}

export function createNetwork(deps: NetworkDeps): Network {
  const { rules, clock } = deps
  const log = createRequestLog(clock)
  const streams = new Set<OpenStream>()
  const travel = createTravel(deps)

  function begin(given: Request): Trip {
    const { method, signal } = given
    const url = new URL(given.url)
    const route = deps.routeOf(method, url.pathname)
    const request = log.add(given, url, route)
    return { request, route, sent: { method, url, headers: request.headers, body: undefined, signal } }
  }

  /** A request whose body does not arrive whole is no request yet: the server learns nothing of it. */
  async function readBody({ request, sent }: Trip, given: Request): Promise<void> {
    if (given.method === 'GET' || given.method === 'HEAD') return
    sent.body = await unlessAborted(given.signal, given.text(), () => {})
    request.body = parsed(sent.body)
  }

  function attach({ request }: Trip, answer: Response): Response {
    const isStream = answer.headers.get('Content-Type')?.startsWith('text/event-stream') === true
    if (!isStream || answer.body === null) return answer
    const stream = openEventStream(
      { clock, take: (kind) => rules.take(kind, request), closed: () => streams.delete(stream) },
      request,
      answer.body,
    )
    streams.add(stream)
    return new Response(stream.body, { status: answer.status, headers: answer.headers })
  }

  return {
    log: log.requests,
    streams,
    async send(given) {
      given.signal.throwIfAborted()
      const trip = begin(given)
      const { request } = trip
      try {
        await readBody(trip, given)
        const answer = await unlessAborted(given.signal, travel(trip), discard)
        request.status = answer.status
        request.outcome = 'answered'
        return attach(trip, answer)
      } catch (error) {
        request.outcome = given.signal.aborted ? 'aborted' : 'failed'
        throw error
      } finally {
        log.arrived(request)
      }
    },
    idle: log.idle,
    rules,
    reset() {
      rules.reset()
      log.clear()
      for (const stream of [...streams]) stream.end(true)
    },
  }
}

/** One request's whole way. Each step that a rule strikes happens, in the order in which a network would have it. */
function createTravel(deps: NetworkDeps) {
  const { rules } = deps
  const pass = createPass(deps)

  return async (trip: Trip): Promise<Response> => {
    const { request, route } = trip
    if (rules.take('offline', request) !== undefined) throw broken()
    await pass('request', request)
    const lost = rules.take('loseRequest', request)
    if (lost !== undefined) return fail(deps.clock, lost)
    if (rules.take('expiredToken', request) !== undefined) return refuseToken()
    const status = rules.take('status', request)
    const conflict = status ?? rules.take('conflict', request)
    const answer =
      status !== undefined
        ? statusAnswer(status)
        : conflict !== undefined
          ? conflictAnswer(conflict.options.current ?? (await deps.currentOf(route)))
          : await deliver(deps, trip)
    for (const rule of rules.waiting('reorder')) letPass(rule, request, 'request')
    const lostAnswer = rules.take('loseAnswer', request)
    if (lostAnswer !== undefined) return fail(deps.clock, lostAnswer)
    await pass('answer', request)
    for (const rule of rules.waiting('reorder')) letPass(rule, request, 'answer')
    const isCut = route.kind !== 'stream' && rules.take('cut', request) !== undefined
    return isCut ? cutBody(answer) : answer
  }
}

/** Latency, holding and reordering, on one of the two ways. */
function createPass({ rules, clock, random }: NetworkDeps) {
  return async (at: 'request' | 'answer', request: MockRequest): Promise<void> => {
    const latency = rules.takeAll('latency', request, at).reduce((sum, rule) => sum + milliseconds(rule, random), 0)
    if (latency > 0) await new Promise<void>((resolve) => clock.after(latency, resolve))
    const reorder = rules.take('reorder', request, at)
    if (reorder !== undefined) await waitFor(reorder, (go) => clock.after(reorder.options.wait ?? 1_000, go))
    const hold = rules.take('hold', request, at)
    if (hold !== undefined) await waitFor(hold)
  }
}

/** A request that is through overtakes those that wait for it. */
function letPass(rule: Rule, request: MockRequest, at: 'request' | 'answer'): void {
  if ((rule.options.at ?? 'answer') === at && rule.matches(request)) for (const go of [...rule.waiting]) go()
}

async function deliver({ rules, clock, serve }: NetworkDeps, { request, sent, route }: Trip): Promise<Response> {
  const once = () => {
    request.delivered++
    return serve(sent, route)
  }
  const duplicate = rules.take('duplicate', request)
  const first = once()
  if (duplicate === undefined) return first
  const { after = 0, answer = 'first' } = duplicate.options
  if (after > 0) {
    clock.after(after, () => void once().then(discard, () => {}))
    return first
  }
  const both = await Promise.all([first, once()])
  discard(both[answer === 'first' ? 1 : 0])
  return both[answer === 'first' ? 0 : 1]
}

function discard(answer: Response): void {
  answer.body?.cancel().catch(() => {})
}

function milliseconds({ options: { latency = 0 } }: Rule, random: () => number): number {
  if (typeof latency === 'number') return latency
  const [from, to] = latency
  return from + random() * (to - from)
}

/** What `fetch` rejects with when nothing comes back. */
function broken(): TypeError {
  return new TypeError('Failed to fetch')
}

function fail(clock: ServerClock, { options: { failAfter = 0 } }: Rule): Promise<never> {
  return new Promise((_, reject) => {
    if (failAfter === 0) reject(broken())
    else if (Number.isFinite(failAfter)) clock.after(failAfter, () => reject(broken()))
  })
}

/** Rejects as soon as the client gives up. What it gave up goes on, as it would on a real server, and is dropped when it is done. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>, drop: (late: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(signal.reason)
      work.then(drop, () => {})
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function statusAnswer({ options: { status = 503, retryAfter, problem } }: Rule): Response {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' }
  if (retryAfter !== undefined) {
    headers['Retry-After'] = isDate(retryAfter) ? retryAfter.toUTCString() : String(retryAfter)
  }
  if ([204, 205, 304].includes(status)) return new Response(null, { status, headers })
  const body = { type: 'about:blank', title: `A fault of the mock server: ${status}`, status, ...problem }
  return new Response(JSON.stringify(body), { status, headers })
}

function conflictAnswer(current: unknown): Response {
  const members = current === undefined ? {} : { current }
  return problem(makeProblem('conflict', 'a fault of the mock server', members))
}

function refuseToken(): Response {
  return problem(makeProblem('unauthenticated', 'the token has expired (a fault of the mock server)'))
}

function problem(details: { status?: number | undefined }): Response {
  const headers = { 'Content-Type': 'application/problem+json' }
  return new Response(JSON.stringify(details), { status: details.status ?? 500, headers })
}

/** Half of the body, and then the connection breaks. */
async function cutBody(answer: Response): Promise<Response> {
  const bytes = new Uint8Array(await answer.arrayBuffer())
  let isSent = false
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (isSent) return controller.error(new TypeError('terminated'))
        isSent = true
        controller.enqueue(bytes.subarray(0, bytes.length >> 1))
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: answer.status, headers: answer.headers })
}

function parsed(text: string | undefined): unknown {
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
