/**
 * One request for reads and writes alike: headers, one shared refresh of credentials, the circuit breaker, and an error
 * of ours unless the answer is 2xx.
 */
import { parseRetryAfter } from '../base/backoff'
import { classifyStatus } from '../base/classify'
import type { Problem, SyncErrorCode } from '../base/errors'
import { SyncError, sentence } from '../base/errors'
import { isRequest, isStream } from '../base/kinds'
import type { Breaker } from './breaker'
import type { Clock } from './clock'
import type { FetchLike, HeadersSource } from './transport'
import { mergeHeaders, resolveHeaders } from './transport'

export interface HttpOptions {
  fetch: FetchLike
  headers: HeadersSource | undefined
  /** Gets new credentials; `false` or a rejection: there are none. */
  refreshAuth: (() => unknown) | undefined
}

export interface Http {
  /** Sends; resolves with a 2xx answer, rejects with a `SyncError` otherwise. `fields` win over the common headers. */
  request(input: RequestInfo | URL, init: RequestInit | undefined, fields: Record<string, string>): Promise<Response>
  /** The common headers, as a request would send them. */
  headers(): Promise<Record<string, string>>
  /** Refreshes the credentials once for everybody who asks meanwhile. `true`: there are new ones. */
  refresh(): Promise<boolean>
  /** Whether it is the page's own origin, or one that has answered with `Sync-*` headers (CORS lets them through). */
  speaksSync(input: RequestInfo | URL): boolean
  origin(input: RequestInfo | URL): string
}

const NOT_SENT = Symbol.for('tidemark.not-sent')

/** Whether this is the error of a request that the circuit breaker did not let out. */
export function isNotSent(error: unknown): boolean {
  return (error as { cause?: unknown } | undefined)?.cause === NOT_SENT
}

export function createHttp(deps: { clock: Clock; breaker: Breaker }, options: HttpOptions): Http {
  const { breaker, clock } = deps
  /** Nothing has left when they cannot be made: it is tried again, as without a network. */
  const commonHeaders = (): Promise<Record<string, string>> =>
    resolveHeaders(options.headers).catch((cause: unknown) => {
      throw new SyncError('network', 'Not sent: the function "headers" failed.', { cause })
    })
  const speakers = new Set<string>()
  let refreshing: Promise<boolean> | undefined

  const refresh = (): Promise<boolean> => {
    if (options.refreshAuth === undefined) return Promise.resolve(false)
    refreshing ??= Promise.resolve()
      .then(options.refreshAuth)
      .then(
        (result) => result !== false,
        () => false,
      )
      .finally(() => {
        refreshing = undefined
      })
    return refreshing
  }

  async function send(
    input: RequestInfo | URL,
    init: RequestInit | undefined,
    common: Record<string, string>,
    fields: Record<string, string>,
  ): Promise<Response> {
    const type = typeof init?.body === 'string' ? { 'content-type': 'application/json' } : undefined
    const headers = mergeHeaders(type, isRequest(input) ? input.headers : undefined, common, init?.headers, fields)
    const origin = originOf(input)
    if (!breaker.enter(origin))
      throw new SyncError(
        'network',
        `Not sent: ${origin || 'the server'} has failed several times; it is asked again soon.`,
        { cause: NOT_SENT },
      )
    let response: Response
    try {
      response = await options.fetch(input as string, { ...init, headers })
    } catch (cause) {
      if ((cause as { name?: unknown } | null)?.name === 'AbortError') {
        breaker.left(origin)
        throw cause
      }
      breaker.failed(origin)
      throw new SyncError('network', 'The request got no answer; it is not known whether the server received it.', {
        cause,
      })
    }
    if ((response.headers.get('sync-cursor') ?? response.headers.get('sync-reflects')) !== null) speakers.add(origin)
    const kind = response.ok ? undefined : classifyStatus(response.status, undefined)
    if (kind === 'unanswered' || kind === 'failed') breaker.failed(origin)
    else breaker.succeeded(origin)
    return response
  }

  return {
    async request(input, init, fields) {
      const used = await commonHeaders()
      let response = await send(input, init, used, fields)
      // A request whose body is a stream cannot be sent twice.
      if (response.status === 401 && !isStream(init?.body)) {
        // Refused with what somebody has renewed since: the new ones are tried before they are renewed again.
        const current = await commonHeaders()
        if (!isSame(used, current)) response = await send(input, init, current, fields)
        if (response.status === 401 && (await refresh()))
          response = await send(input, init, await commonHeaders(), fields)
      }
      if (response.ok) return response
      throw await httpError(response, clock.now())
    },
    headers: commonHeaders,
    refresh,
    speaksSync(input) {
      const origin = originOf(input)
      return origin === '' || origin === pageOrigin() || speakers.has(origin)
    },
    origin: originOf,
  }
}

function isSame(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/** The error for an answer that is not 2xx, with its problem details (RFC 9457) where it has them. */
async function httpError(response: Response, now: number): Promise<SyncError> {
  const problem = await readProblem(response)
  const kind = classifyStatus(response.status, problem?.type)
  const code: SyncErrorCode = kind === 'unauthorized' ? 'unauthorized' : kind === 'conflict' ? 'conflict' : 'http'
  const said = problem?.detail ?? problem?.title
  return new SyncError(
    code,
    sentence(`The server answered ${response.status}${said === undefined ? '' : `: ${said}`}`),
    {
      status: response.status,
      problem,
      retryAfter: parseRetryAfter(response.headers.get('retry-after'), now),
    },
  )
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  if (!/[/+]json/.test(response.headers.get('content-type') ?? '')) return undefined
  try {
    const value: unknown = await response.json()
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Problem) : undefined
  } catch {
    return undefined
  }
}

function originOf(input: RequestInfo | URL): string {
  const text = isRequest(input) ? input.url : String(input)
  if (!/^[a-z][a-z0-9+.-]*:|^\/\//i.test(text)) return ''
  try {
    return new URL(text, pageOrigin() || 'http://localhost').origin
  } catch {
    return ''
  }
}

function pageOrigin(): string {
  return typeof location === 'undefined' ? '' : (location?.origin ?? '')
}
