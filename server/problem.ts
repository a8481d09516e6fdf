/**
 * Problem details (RFC 9457). A failure is told apart by the end of its `type`, never by its status alone.
 * A refusal is an error that carries one: mutations and queries throw it to say no on purpose.
 */
import type { Problem } from '../src/base/errors'
import { isError } from '../src/base/kinds'
import { meaningOfStatus } from '../src/base/meaning'
import type { Version } from '../src/base/messages'

/** What every `type` begins with. */
const PROBLEM_PREFIX = 'urn:tidemark:problem:' as const

/** Ends of `type` that the kit itself uses. */
export type ProblemName =
  | 'malformed'
  | 'too-large'
  | 'too-slow'
  | 'media-type'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'in-progress'
  | 'conflict'
  | 'precondition'
  | 'validation'
  | 'key-reused'
  | 'application-error'
  | 'too-many-requests'
  | 'too-many-streams'
  | 'behind'
  | 'draining'
  | 'overload'
  | 'unavailable'

interface Known {
  status: number
  title: string
  retryable?: boolean
}

const KNOWN: Record<ProblemName, Known> = {
  malformed: { status: 400, title: 'The request is malformed' },
  'too-large': { status: 413, title: 'The request is too large' },
  'too-slow': { status: 408, title: 'The request took too long to arrive', retryable: true },
  'media-type': { status: 415, title: 'The body must be application/json' },
  unauthenticated: { status: 401, title: 'Who is asking is not known' },
  forbidden: { status: 403, title: 'This is not allowed' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'This method is not for this address' },
  'in-progress': { status: 409, title: 'The same mutation is still running', retryable: true },
  conflict: { status: 409, title: 'The row has changed meanwhile' },
  precondition: { status: 412, title: 'The row is not at the version that was named' },
  validation: { status: 422, title: 'The variables are not valid' },
  'key-reused': { status: 422, title: 'This idempotency key belongs to another request' },
  'application-error': { status: 422, title: 'The mutation failed and left nothing behind', retryable: false },
  'too-many-requests': { status: 429, title: 'Too many requests', retryable: true },
  'too-many-streams': { status: 429, title: 'Too many streams', retryable: true },
  behind: { status: 503, title: 'This server is behind the cursor that was asked for', retryable: true },
  draining: { status: 503, title: 'This server is stopping', retryable: true },
  overload: { status: 503, title: 'This server is full', retryable: true },
  unavailable: { status: 503, title: 'The store cannot answer now', retryable: true },
}

/** A problem the kit makes: `type`, `title`, `status`, a `detail` for people, and extension members. */
export function makeProblem(name: ProblemName, detail: string, members: Partial<Problem> = {}): Problem {
  const { status, title, retryable } = KNOWN[name]
  const known = retryable === undefined ? {} : { retryable }
  return { type: PROBLEM_PREFIX + name, title, status, detail, ...known, ...members }
}

/** Says no on purpose: thrown by a mutation or a query, answered as `application/problem+json`. */
export interface Refusal extends Error {
  readonly name: 'Refusal'
  readonly problem: Problem
  /** Whether a mutation that ends like this has ended for good, so that its outcome is stored under its key. */
  readonly final: boolean
  /** For `Retry-After`, in milliseconds. */
  readonly retryAfter: number | undefined
}

/** An error to throw. `final` is derived from the status: 401, 403, 408, 425, 429 and 5xx are never stored. */
export function refusal(problem: Problem, retryAfter?: number): Refusal {
  const status = problem.status ?? 422
  // What a client takes for the end: one table for both. 403 is not kept, for it may be allowed tomorrow.
  const meaning = meaningOfStatus(status, problem)
  const isEnd = meaning === 'refused' || meaning === 'conflict' || meaning === 'key-reused'
  const final = isEnd && status < 500 && status !== 403
  const error = new Error(problem.detail ?? problem.title ?? 'refused')
  return Object.assign(error, { name: 'Refusal' as const, problem: { ...problem, status }, final, retryAfter })
}

/** Short for {@link refusal} of a problem of the kit's own. */
export function refuse(name: ProblemName, detail: string, members?: Partial<Problem>, retryAfter?: number): Refusal {
  return refusal(makeProblem(name, detail, members), retryAfter)
}

export function isRefusal(error: unknown): error is Refusal {
  return isError(error) && error.name === 'Refusal' && 'problem' in error
}

/**
 * Thrown by a mutation whose row is no longer what the client thought: 409, with `current` for the client's conflict
 * policy (leave it out if the row is gone). The effects are rolled back and the outcome is stored.
 *
 * @example
 * if (row.value.owner !== variables.owner) throw conflict(row)
 */
export function conflict(current?: { version: Version; value: unknown }, detail?: string): Refusal {
  const members = current === undefined ? {} : { current: { version: current.version, value: current.value } }
  return refuse('conflict', detail ?? 'the row has changed since you read it', members)
}

/** What {@link reject} is told: problem details, `type` as a whole URI or just its end. */
export interface RejectOptions extends Partial<Problem> {
  /** @defaultValue `'validation'` */
  type?: string | undefined
  /** 4xx. @defaultValue 422 */
  status?: number | undefined
  detail?: string | undefined
  /** Field errors, as your form wants them. */
  errors?: unknown
}

/**
 * Thrown by a mutation that is refused for good: 422 unless said otherwise. The effects are rolled back, the outcome is
 * stored, and the client rolls back.
 *
 * @example
 * if (title === '') throw reject({ detail: 'a task needs a title', errors: { title: 'required' } })
 */
export function reject(options: RejectOptions | string = {}): Refusal {
  const { type = 'validation', status = 422, ...members } = typeof options === 'string' ? { detail: options } : options
  const uri = type.includes(':') ? type : PROBLEM_PREFIX + type
  const title = KNOWN[type as ProblemName]?.title ?? 'The mutation was refused'
  return refusal({ title, ...members, type: uri, status })
}

/** Thrown by a mutation or a query that this principal may not run: 403, never stored. */
export function forbid(detail = 'you may not do this'): Refusal {
  return refuse('forbidden', detail)
}

/** Thrown when trying again later may help: 503 with `Retry-After`, effects rolled back, nothing stored. */
export function retryLater(detail: string, retryAfter = 1_000): Refusal {
  return refuse('unavailable', detail, {}, retryAfter)
}

/** The answer for a problem. `Retry-After` is in whole seconds (RFC 9110 section 10.2.3). */
export function problemResponse(problem: Problem, retryAfter?: number, headers: Record<string, string> = {}): Response {
  const fields: Record<string, string> = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...headers,
  }
  if (retryAfter !== undefined) fields['Retry-After'] = String(Math.max(1, Math.ceil(retryAfter / 1000)))
  return new Response(JSON.stringify(problem), { status: problem.status ?? 500, headers: fields })
}
