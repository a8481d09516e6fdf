/**
 * What an answer's status, a problem's type or an error means: the one table that reads, writes, the stream and the server
 * kit share. What decides is evidence: the status that was seen, the problem, how an error is made. Wording decides only
 * where an error carries nothing else, and then nothing is final.
 */
import type { Problem, SyncErrorCode } from './errors'
import { isSyncError } from './errors'
import { isError, isStream, kindOf } from './kinds'
import { wordsOf } from './words'

/** How often a request that ended like this is sent again, and the code of the error that says so. */
interface Verdict {
  readonly again: 'without-end' | 'bounded' | 'never'
  readonly code: SyncErrorCode
}

/** One row of {@link MEANINGS}. */
export type Meaning =
  | 'unanswered'
  | 'in-progress'
  | 'failed'
  | 'unclear'
  | 'page'
  | 'cut'
  | 'applied'
  | 'credentials'
  | 'conflict'
  | 'key-reused'
  | 'refused'
  | 'bug'

/** Every way in which a request can end without a usable answer. */
export const MEANINGS: Readonly<Record<Meaning, Verdict>> = {
  /** Nobody answered for the application: whether it was applied is not known. */
  unanswered: { again: 'without-end', code: 'network' },
  /** The application has it in work: the same key is asked again. */
  'in-progress': { again: 'without-end', code: 'http' },
  /** The application itself failed. */
  failed: { again: 'bounded', code: 'http' },
  /** Something broke on the way or after it, and nothing says which. */
  unclear: { again: 'bounded', code: 'network' },
  /** A page of HTML where data was meant: a captive portal, a login page, a wrong address. */
  page: { again: 'bounded', code: 'network' },
  /** A 2xx was seen, its body did not come whole: applied, with a result that is not known. */
  cut: { again: 'bounded', code: 'network' },
  /** Applied: a whole 2xx was seen, and the caller's code threw over it. */
  applied: { again: 'never', code: 'protocol' },
  /** Who is asking is not known: 401. */
  credentials: { again: 'never', code: 'unauthorized' },
  /** The server has a newer version. */
  conflict: { again: 'never', code: 'conflict' },
  /** The server has this idempotency key with another payload. */
  'key-reused': { again: 'never', code: 'rejected' },
  /** The server said no for good. */
  refused: { again: 'never', code: 'rejected' },
  /** The caller's own code is wrong: nothing was asked, or nothing that can be told. */
  bug: { again: 'never', code: 'rejected' },
}

/**
 * Statuses below 500 that speak for nobody: a proxy that wants a password (407), a request that took too long to arrive
 * (408), a connection of another host (421), too early, too many, and a client that a proxy has given up (499).
 */
const UNANSWERED: ReadonlySet<number> = new Set([407, 408, 421, 425, 429, 499])

/** Statuses of 5xx that an application sends of its own: RFC 9110, 4918, 5842, 2295 and 2774. */
const APPLICATIONS: ReadonlySet<number> = new Set([500, 501, 505, 506, 507, 508, 510])

/** What an answer of this status means. It is not asked for 2xx. */
export function meaningOfStatus(status: number, problem?: Problem): Meaning {
  const type = typeof problem?.type === 'string' ? problem.type : ''
  if (status === 401) return 'credentials'
  if (status < 200 || UNANSWERED.has(status)) return 'unanswered'
  if (status < 400) return 'failed' // a redirect that nobody followed answers nothing
  if (status === 409 && type.endsWith('in-progress')) return 'in-progress'
  if (status === 409 || status === 412) return 'conflict'
  if (status === 422 && type.endsWith('key-reused')) return 'key-reused'
  if (status < 500) return 'refused'
  if (problem?.retryable === false) return 'refused'
  return APPLICATIONS.has(status) ? 'failed' : 'unanswered'
}

/** What an error may carry of what is underneath it. */
const LINKS = ['cause', 'networkError', 'originalError', 'error', 'reason'] as const
const DEPTH = 5

/** Codes of systems and transports for a connection that was not made, or that was lost. */
const LOST =
  /^(E(CONN|HOST|NET|AI_|PIPE|TIME|SOCKET|NOTFOUND|ADDRNOTAVAIL|PROTO)|UND_ERR|(ERR_)?(NETWORK|TIMEOUT|CANCELED)|ERR_(HTTP2|HTTP_CONTENT|READING|SOCKET|SSL|TLS|STREAM_PREM|BODY_)|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ABORT_ERR|unavailable$|deadline-exceeded$)/i

/** Codes of the same families for a call that could never have been made. */
const MISTAKE = /^(UND_ERR|ERR(_HTTP2)?)_(INVALID(?!_SESSION)|NOT_SUPPORT|BAD_OPTION|DEPRECATED|OUT_OF_RANGE)/

/** Names of errors that are a lost connection, whatever they say. */
const LOST_NAMES: ReadonlySet<unknown> = new Set(['AbortError', 'TimeoutError', 'NetworkError'])

/** How `fetch` of an engine or a polyfill says that there was no answer. */
const FETCH_WORDS =
  /^(typeerror: )?(failed to fetch|fetch failed|load failed|networkerror|(a )?network (error|request)|terminated|cancelled|error in (input|body) stream|content-length header of|the (internet|network) connection|could not connect|the request timed out|a server with the specified)/i

/** How engines word a mistake of the program in a `TypeError`: in English everywhere, unlike a lost connection. */
const MISTAKE_WORDS =
  /is(n't| not) (a |an |defined|iterable|callable|extensible|async|valid)|is (undefined|null|read-only|non-|not)|cannot|can't|undefined|invalid|illegal|must|assign|convert|circular|cyclic|incompatible|unsupported|required|expected|prototype|parse|reduce of|called on|constructor|argument|propert/i

/** What the codes of gRPC are in HTTP (google.rpc.Code). */
const GRPC = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401]

/**
 * What an error means that a request rejected with, or the code around it: ours, `fetch`'s, or another transport's.
 *
 * `isNetworkError` is the application's word on errors of its own transport: `true` is a lost connection, `false` is none,
 * and `undefined` leaves it to the table.
 */
export function meaningOf(error: unknown, isNetworkError?: (error: unknown) => boolean | undefined): Meaning {
  const own = ownMeaning(error)
  if (own !== undefined) return own
  const said = wordOn(error, isNetworkError)
  if (said === true) return 'unanswered'
  const status = statusOf(error)
  if (status !== undefined) return meaningOfStatus(status, problemOf(error))
  const links = linksOf(error)
  if (said !== false && links.some(isLost)) return 'unanswered'
  if (links.some(saysNo)) return 'refused'
  return said !== false && (isDump(error) || links.some(isUnclear)) ? 'unclear' : 'bug'
}

/** What the application says of an error; its own code may throw over it, and then decides nothing. */
function wordOn(error: unknown, isNetworkError: ((error: unknown) => boolean | undefined) | undefined): unknown {
  try {
    return isNetworkError?.(error)
  } catch {
    return undefined
  }
}

/** Errors of ours carry what was seen; the caller may have put them into others. */
function ownMeaning(error: unknown): Meaning | undefined {
  const own = linksOf(error).find((link) => isSyncError(link))
  if (!isSyncError(own)) return undefined
  const { status, problem, code } = own
  if (code === 'rejected') return 'refused'
  if (status !== undefined && status >= 300) return meaningOfStatus(status, problem)
  if (status !== undefined && code === 'protocol') return 'page'
  if (status !== undefined && code === 'network') return 'cut'
  if (code === 'network' || code === 'timeout') return 'unanswered'
  return code === 'unauthorized' ? 'credentials' : code === 'conflict' ? 'conflict' : 'bug'
}

/** The HTTP status that an error carries: its own, its response's, or that of what is underneath. */
export function statusOf(error: unknown): number | undefined {
  for (const link of linksOf(error)) {
    const { status, statusCode, code, response, data, $metadata, meta } = link as Record<string, Fields | undefined>
    const answer = [status, statusCode, response?.['status'], response?.['statusCode']]
    // tRPC with an answer of its own and of others, the SDK of AWS, gRPC, Feathers and gaxios.
    const trpc = [data?.['httpStatus'], (meta?.['response'] as Fields | undefined)?.['status']]
    const more = [...trpc, $metadata?.['httpStatusCode'], ...grpcStatus(link), code]
    const found = [...answer, ...more].find((value) => isStatus(value, 300))
    if (found !== undefined) return Number(found)
  }
  return undefined
}

type Fields = Record<string, unknown>

/** gRPC and Connect. What Connect says of its own is a guess, but for a status that it names. */
function grpcStatus(link: Fields | object): unknown[] {
  const { code, metadata, isWireError, rawMessage } = link as Fields
  const named = /^HTTP (\d{3})$/.exec(String(rawMessage))
  return [named ? Number(named[1]) : metadata && isWireError !== false && GRPC[Number(code)]]
}

function isStatus(value: unknown, least: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value < 1000
}

/** The body of the answer that an error carries, whichever library made it; a text body that is JSON is read. */
export function problemOf(error: unknown): Problem | undefined {
  for (const link of linksOf(error)) {
    const { problem, response, data, body, meta } = link as Record<string, Fields | undefined>
    const answers = [response?.['data'], response?.['_data'], data, response?.['body'], body, meta?.['responseJSON']]
    for (const found of [problem, ...answers]) {
      const value = typeof found === 'string' ? parsed(found) : found
      if (kindOf(value) === 'Object' && !isStream(value)) return value as Problem
    }
  }
  return undefined
}

/** What an error says to a person: the server's words where it has some. */
export function saidBy(error: unknown): string | undefined {
  return wordsOf(problemOf(error)) ?? (isError(error) ? undefined : wordsOf(error)) // a body that was thrown as it came
}

function parsed(text: string): unknown {
  try {
    return text.startsWith('{') ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

/** The error and what is underneath it, the outermost first. */
export function linksOf(error: unknown): object[] {
  const found = new Set<object>()
  let next: unknown[] = [error]
  for (let depth = 0; depth <= DEPTH && next.length > 0; depth++) {
    const objects = next.filter((value): value is object => typeof value === 'object' && value !== null)
    next = []
    for (const each of objects) {
      if (found.has(each)) continue
      found.add(each)
      const { errors } = each as Fields
      next.push(...LINKS.map((name) => (each as Fields)[name]), ...(isAggregate(each) ? (errors as unknown[]) : []))
    }
  }
  return [...found]
}

function isAggregate(value: object): boolean {
  const { name, errors } = value as Fields
  return name === 'AggregateError' && Array.isArray(errors)
}

/** A connection that was not made, or was lost. */
function isLost(link: object): boolean {
  const { name, message, code, type, status, hint, crossDomain, isAxiosError } = link as Fields
  if (typeof code === 'string' && MISTAKE.test(code)) return false
  if (status === 0 || isAxiosError === true || crossDomain === true || LOST_NAMES.has(name)) return true
  if (typeof code === 'string' && LOST.test(code.replace(/^[a-z]+\//, ''))) return true
  if (code === '' && hint !== undefined) return true // supabase, which had no answer
  if (name === 'FetchError' && typeof type === 'string' && type !== 'invalid-json') return true // node-fetch
  return (name === 'TypeError' || name === undefined) && typeof message === 'string' && FETCH_WORDS.test(message)
}

/** The answer said no in its body: errors of GraphQL, a code of PostgREST. */
function saysNo(link: object): boolean {
  const { name, graphQLErrors, errors, response, code, hint, details } = link as Fields
  const lists = [graphQLErrors, (response as Fields | undefined)?.['errors'], /GraphQL/.test(String(name)) && errors]
  if (lists.some((list) => Array.isArray(list) && list.length > 0)) return true
  return typeof code === 'string' && code !== '' && hint !== undefined && details !== undefined
}

/** A page, or JSON that was not read: the body of an answer that nobody expected. */
function isDump(text: unknown): boolean {
  return typeof text === 'string' && /^\s*[<{]|<(!doctype|html|head|body|h1)\b/i.test(text)
}

/** Perhaps not the program's fault: an answer that could not be read, a TypeError in the words of no engine. */
function isUnclear(link: object): boolean {
  const { name, message, type, status, statusCode, isWireError } = link as Fields
  if (name === 'SyntaxError' || type === 'invalid-json' || isStatus(status ?? statusCode, 200)) return true
  if (isWireError === false || isDump(message)) return true
  return name === 'TypeError' && !MISTAKE_WORDS.test(String(message))
}
