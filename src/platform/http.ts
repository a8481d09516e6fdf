/**
 * One request for reads and writes alike: headers, one shared refresh of credentials, the circuit breaker, and an error
 * of ours unless the answer is 2xx.
 */
import { parseRetryAfter } from '../base/backoff'
import type { Problem } from '../base/errors'
import { isSyncError, SyncError, sentence, usageError } from '../base/errors'
import { isPlainObject } from '../base/key'
import { isRequest, isStream, messageOf } from '../base/kinds'
import { MEANINGS, meaningOfStatus } from '../base/meaning'
import { wordsOf } from '../base/words'
import type { Breaker } from './breaker'
import type { Clock } from './clock'
import type { FetchLike, HeadersSource } from './transport'
import { fieldOf, mergeHeaders, resolveHeaders } from './transport'
import { isPage, readWhole } from './whole'

export interface HttpOptions {
  fetch: FetchLike
  headers: HeadersSource | undefined
  /** Gets new credentials; `false` or a rejection: there are none. */
  refreshAuth: (() => unknown) | undefined
}

export interface Http {
  /**
   * Sends; resolves with a 2xx answer that came whole, rejects with a `SyncError` otherwise. `fields` win over the common
   * headers. `isWrite`: the whole body is read before it is handed on.
   */
  request(
    input: RequestInfo | URL,
    init: RequestInit | undefined,
    fields: Record<string, string>,
    isWrite?: boolean,
  ): Promise<Response>
  /** The common headers, as a request would send them. */
  headers(): Promise<Record<string, string>>
  /** Refreshes the credentials once for everybody who asks meanwhile. `true`: there are new ones. */
  refresh(): Promise<boolean>
  /** Whether it is the page's own origin, or one that has answered with `Sync-*` headers (CORS lets them through). */
  speaksSync(input: RequestInfo | URL): boolean
  origin(input: RequestInfo | URL): string
  /** Whether it is certainly another origin than the page's, so that CORS decides. */
  isForeign(input: RequestInfo | URL): boolean
  /** How many answers of this origin were of its application: pages, errors of proxies and cut answers are not counted. */
  heard(origin: string): number
  /** Calls `listener` when an answer has arrived, whatever it says. Returns a function that stops. */
  onAnswer(listener: (origin: string) => void): () => void
  /**
   * Calls `listener` when a request of a page to an `http:` origin has waited 5 s for the head of its answer: a browser
   * has six connections for it, over all tabs. `isThere`: whether an address is of that origin. Returns a function that stops.
   */
  onWaiting(listener: (isThere: (input: string) => boolean) => void): () => void
  /** A request has waited so long that was not made here, or was made more than once: to this origin, or (`''`) the page's. */
  noteWaiting(origin: string): void
}

/** Milliseconds without the head of an answer after which a request is said to wait. */
export const WAITING = 5_000

const NOT_SENT = Symbol.for('tidemark.not-sent')
const CUT: unique symbol = Symbol('tidemark.cut')

/** Whether this is the error of a request that the circuit breaker did not let out. */
export function isNotSent(error: unknown): boolean {
  return (error as { cause?: unknown } | undefined)?.cause === NOT_SENT
}

/** Whether this is the error of an answer whose words did not come whole. */
export function isCutShort(error: unknown): boolean {
  return (error as { cause?: unknown } | undefined)?.cause === CUT
}

export function createHttp(deps: { clock: Clock; breaker: Breaker }, options: HttpOptions): Http {
  const { breaker, clock } = deps
  /** Nothing has left when they cannot be made: it is tried again, as without a network. */
  const commonHeaders = (): Promise<Record<string, string>> =>
    resolveHeaders(options.headers).catch((cause: unknown) => {
      throw isSyncError(cause, 'usage') ? cause : new SyncError('network', 'Not sent: "headers" failed.', { cause })
    })
  const speakers = new Set<string>()
  const heard = new Map<string, number>()
  const answerListeners = new Set<(origin: string) => void>()
  const waitingListeners = new Set<(isThere: (input: string) => boolean) => void>()
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

  function noteWaiting(origin: string): void {
    const place = origin || pageOrigin()
    const isCounted = pageOrigin() !== '' && place.startsWith('http:')
    if (isCounted) tell(waitingListeners, (url: string) => placeOf(url) === place)
  }

  async function send(
    input: RequestInfo | URL,
    init: RequestInit | undefined,
    common: Record<string, string>,
    fields: Record<string, string>,
  ): Promise<Response> {
    const type = typeof init?.body === 'string' ? { 'content-type': 'application/json' } : undefined
    const origin = originOf(input)
    let headers: HeadersInit
    try {
      headers = mergeHeaders(type, isRequest(input) ? input.headers : undefined, common, init?.headers, fields)
    } catch (cause) {
      throw impossible(cause)
    }
    if (!breaker.enter(origin))
      throw new SyncError(
        'network',
        `Not sent: ${origin || 'the server'} has failed several times; it is asked again soon.`,
        { cause: NOT_SENT },
      )
    const cancelWaiting = waitingListeners.size > 0 ? clock.after(WAITING, () => noteWaiting(origin)) : undefined
    let response: Response
    try {
      response = await options.fetch(input as string, { ...init, headers })
    } catch (cause) {
      const isAborted = (cause as { name?: unknown } | null)?.name === 'AbortError'
      const isMistake = !isAborted && isImpossible(input, init, cause)
      if (isAborted || isMistake) breaker.left(origin)
      else breaker.failed(origin)
      if (isAborted) throw cause
      if (isMistake) throw impossible(cause)
      throw unanswered(cause)
    } finally {
      cancelWaiting?.()
    }
    if (response.type === 'opaque' || response.type === 'opaqueredirect') {
      breaker.left(origin)
      throw impossible('its answer could not be read, because of the "mode" or "redirect" that it was made with')
    }
    if (response.status === 0) {
      breaker.failed(origin)
      throw unanswered(undefined)
    }
    if ((response.headers.get('sync-cursor') ?? response.headers.get('sync-reflects')) !== null) speakers.add(origin)
    const meaning = response.ok ? undefined : meaningOfStatus(response.status)
    if (meaning === 'unanswered' || meaning === 'failed') breaker.failed(origin)
    else breaker.succeeded(origin)
    if (meaning !== 'unanswered' && !isPage(response)) heard.set(origin, (heard.get(origin) ?? 0) + 1)
    tell(answerListeners, origin)
    return response
  }

  return {
    async request(input, init, fields, isWrite = false) {
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
      if (response.ok) {
        const own = fieldOf(init?.headers, 'accept') ?? fieldOf(isRequest(input) ? input.headers : undefined, 'accept')
        return readWhole(response, isWrite, own, init?.signal)
      }
      throw await httpError(response, clock.now())
    },
    headers: commonHeaders,
    refresh,
    speaksSync(input) {
      const origin = originOf(input)
      return origin === '' || origin === pageOrigin() || speakers.has(origin)
    },
    origin: originOf,
    isForeign: (input) => pageOrigin() !== '' && placeOf(input) !== pageOrigin(),
    heard: (origin) => heard.get(origin) ?? 0,
    onAnswer: (listener) => listen(answerListeners, listener),
    onWaiting: (listener) => listen(waitingListeners, listener),
    noteWaiting,
  }
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

function tell<T>(listeners: ReadonlySet<(what: T) => void>, what: T): void {
  for (const listener of [...listeners]) listener(what)
}

function unanswered(cause: unknown): SyncError {
  return new SyncError('network', 'The request got no answer; it is not known whether the server received it.', {
    cause,
  })
}

/** A mistake of the program: the same request never leaves, however often it is made. */
function impossible(cause: unknown): SyncError {
  return usageError(sentence(`The request cannot be made as it was given to "fetch": ${messageOf(cause)}`), { cause })
}

/**
 * Whether `fetch` could never have sent this: the platform's own `Request` does not take it. Asked after a failure only. A
 * relative address counts as one, for a `fetch` that is handed in may know what it is relative to.
 */
function isImpossible(input: RequestInfo | URL, init: RequestInit | undefined, cause: unknown): boolean {
  const { code } = ((cause as { cause?: unknown } | null)?.cause ?? {}) as { code?: unknown }
  if (code === 'ERR_INVALID_URL') return true
  if (typeof Request === 'undefined' || isRequest(input)) return false
  try {
    const url = new URL(String(input), pageOrigin() || 'http://localhost')
    return new Request(url, { ...init, signal: null, body: init?.body ? 'x' : null }) === undefined
  } catch {
    return true
  }
}

function isSame(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/** The error for an answer that is not 2xx, with the server's words and its problem details (RFC 9457) where it has them. */
async function httpError(response: Response, now: number): Promise<SyncError> {
  const { status } = response
  const body = await readBody(response).catch(() => CUT)
  const said = wordsOf(body)
  const problem: Problem | undefined = isPlainObject(body) ? body : said === undefined ? undefined : { detail: said }
  const { code } = MEANINGS[meaningOfStatus(status, problem)]
  const message = sentence(`The server answered ${status}${said === undefined ? '' : `: ${said}`}`)
  const retryAfter = parseRetryAfter(response.headers.get('retry-after'), now)
  return new SyncError(code === 'unauthorized' || code === 'conflict' ? code : 'http', message, {
    status,
    problem,
    retryAfter,
    ...(body === CUT ? { cause: CUT } : undefined),
  })
}

/** What JSON it is, or a text that is no page; rejects where it did not come whole. */
async function readBody(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? ''
  const isPlain = /^text\/plain/.test(type)
  if (!isPlain && !/[/+]json/.test(type)) return undefined
  const text = await (await readWhole(response, true, 'text/html', undefined)).text()
  if (isPlain) return text
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    if (/^\s*[{[]/.test(text) && !/[}\]]\s*$/.test(text)) throw cause
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

/** The origin of an address, relative ones included. */
function placeOf(input: RequestInfo | URL): string {
  return originOf(input) || pageOrigin()
}

function pageOrigin(): string {
  return typeof location === 'undefined' ? '' : (location?.origin ?? '')
}
