/**
 * What goes wrong, on request: rules that requests, answers and events are held against. A rule is used `times` times,
 * oldest rule first; of several kinds that match one request all take effect, and latencies add up.
 */
import { didYouMean, usageError } from '../src/base/errors'
import type { MockRequest } from './requests'

/**
 * Which requests: a kind; a method and a path (`'POST /api/todos'`, `'/api/todos/:id'`, `'/api/*'`); the name of a query
 * or mutation (`'todos'`, `'todos/create'`); or a function.
 */
export type MockRoute = 'read' | 'write' | 'stream' | (string & {}) | ((request: MockRequest) => boolean)

/** Which requests a fault is of, and how many of them. */
export interface FaultOptions {
  /** Which requests. @defaultValue reads and writes; faults of events: every stream */
  on?: MockRoute | undefined
  /** How many of them. @defaultValue 1; latency: all, until it is taken back */
  times?: number | undefined
  /** Lets so many of them through before the first. @defaultValue 0 */
  skip?: number | undefined
}

/** Where on its way a request is held up: before the server gets it, or after, before the client gets the answer. */
export interface WayOptions extends FaultOptions {
  /** @defaultValue 'answer' */
  at?: 'request' | 'answer' | undefined
}

/** A request, or its answer, that is lost. */
export interface LossOptions extends FaultOptions {
  /** Milliseconds until the client's `fetch` rejects; `Infinity`: it waits until it gives up. @defaultValue 0 */
  failAfter?: number | undefined
}

/** A request that others overtake. */
export interface ReorderOptions extends WayOptions {
  /** Milliseconds after which it goes on although none overtook it. @defaultValue 1_000 */
  wait?: number | undefined
}

/** A request that arrives twice. */
export interface DuplicateOptions extends FaultOptions {
  /** Milliseconds after the first until the second arrives. @defaultValue 0: both at once */
  after?: number | undefined
  /** Which answer the client gets, if both arrive at once. @defaultValue 'first' */
  answer?: 'first' | 'second' | undefined
}

/** An answer with a status that the server did not mean. */
export interface StatusOptions extends FaultOptions {
  /** Seconds, or a date, for `Retry-After`. */
  retryAfter?: number | string | Date | undefined
  /** Members of the problem details (RFC 9457) that are the body. */
  problem?: object | undefined
}

/** A 409 that the server did not mean. */
export interface ConflictOptions extends FaultOptions {
  /** What the server claims to have. @defaultValue the row of the table, if the path names one */
  current?: { version: number | string; value: unknown } | undefined
}

/** A stream that says nothing for a while, and stays open. */
export interface StallOptions extends FaultOptions {
  /** Milliseconds. */
  for: number
}

/** An event that is larger than a client takes. */
export interface OversizeOptions extends FaultOptions {
  /** Characters. @defaultValue 2_097_152 */
  size?: number | undefined
}

/** A fault that was asked for. */
export interface Fault {
  /** How often it struck. */
  readonly used: number
  /** Takes it back: it strikes no more. */
  stop(): void
}

/** Requests that wait until they are let go. */
export interface Hold extends Fault {
  /** How many wait now. */
  readonly waiting: number
  /** Lets those that wait go on, and takes the fault back. */
  release(): void
}

export type FaultKind =
  | 'latency'
  | 'hold'
  | 'loseRequest'
  | 'loseAnswer'
  | 'duplicate'
  | 'reorder'
  | 'status'
  | 'conflict'
  | 'expiredToken'
  | 'offline'
  | 'cut'
  | 'stall'
  | 'halfOpen'
  | 'oversize'
  | 'gap'

export interface Rule {
  readonly kind: FaultKind
  readonly matches: (request: MockRequest) => boolean
  /** What it was asked for with. */
  readonly options: RuleOptions
  /** How often it may still strike, and how many it lets through before. */
  left: number
  skip: number
  used: number
  /** Those that wait for something of this rule; called, they go on. */
  readonly waiting: Set<() => void>
}

export type RuleOptions = FaultOptions & {
  at?: 'request' | 'answer' | undefined
  latency?: number | readonly [from: number, to: number] | undefined
  failAfter?: number | undefined
  wait?: number | undefined
  after?: number | undefined
  answer?: 'first' | 'second' | undefined
  status?: number | undefined
  retryAfter?: number | string | Date | undefined
  problem?: object | undefined
  current?: { version: number | string; value: unknown } | undefined
  for?: number | undefined
  size?: number | undefined
}

export interface Rules {
  add(kind: FaultKind, options: RuleOptions): Rule
  /** The rule of this kind that strikes now, if one does; it counts as used. */
  take(kind: FaultKind, request: MockRequest, at?: 'request' | 'answer'): Rule | undefined
  /** All of this kind that strike now. */
  takeAll(kind: FaultKind, request: MockRequest, at: 'request' | 'answer'): Rule[]
  /** Rules of a kind that somebody waits for. */
  waiting(kind: FaultKind): Rule[]
  stop(rule: Rule): void
  /** Takes everything back; who waits goes on. */
  reset(): void
}

const EVENTS: ReadonlySet<FaultKind> = new Set(['cut', 'stall', 'halfOpen', 'oversize', 'gap'])
const UNTIL_STOPPED: ReadonlySet<FaultKind> = new Set(['latency', 'hold'])

/** `names`: of all queries and mutations, so that a misspelt one is noticed. */
export function createRules(names: ReadonlySet<string>): Rules {
  const rules: Rule[] = []

  function strikes(rule: Rule, request: MockRequest): boolean {
    if (rule.left <= 0 || !rule.matches(request)) return false
    if (rule.skip-- > 0) return false
    rule.left--
    rule.used++
    return true
  }
  const of = (kind: FaultKind, at?: 'request' | 'answer') =>
    rules.filter((rule) => rule.kind === kind && (at === undefined || (rule.options.at ?? 'answer') === at))
  const note = (rule: Rule | undefined, request: MockRequest) => {
    if (rule !== undefined) (request.faults as string[]).push(rule.kind)
  }

  return {
    add(kind, options) {
      const matches = matcherOf(options.on ?? (EVENTS.has(kind) ? 'stream' : undefined), names)
      const left = options.times ?? (UNTIL_STOPPED.has(kind) ? Number.POSITIVE_INFINITY : 1)
      const rule: Rule = { kind, matches, options, left, skip: options.skip ?? 0, used: 0, waiting: new Set() }
      rules.push(rule)
      return rule
    },
    take(kind, request, at) {
      const rule = of(kind, at).find((each) => strikes(each, request))
      note(rule, request)
      return rule
    },
    takeAll(kind, request, at) {
      const struck = of(kind, at).filter((each) => strikes(each, request))
      note(struck[0], request)
      return struck
    },
    waiting: (kind) => rules.filter((rule) => rule.kind === kind && rule.waiting.size > 0),
    stop,
    reset() {
      for (const rule of rules.splice(0)) stop(rule)
    },
  }
}

function stop(rule: Rule): void {
  rule.left = 0
  for (const go of [...rule.waiting]) go()
}

/** Waits for a rule to let go of it. `onWait` may arrange for that. */
export function waitFor(rule: Rule, onWait?: (go: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      rule.waiting.delete(go)
      resolve()
    }
    rule.waiting.add(go)
    onWait?.(go)
  })
}

function matcherOf(on: MockRoute | undefined, names: ReadonlySet<string>): (request: MockRequest) => boolean {
  if (on === undefined) return ({ kind }) => kind !== 'stream'
  if (typeof on === 'function') return on
  if (on === 'read' || on === 'write' || on === 'stream') return ({ kind }) => kind === on
  const [, method, path] = /^(?:([A-Z]+) +)?(\/.*|\*.*)$/.exec(on) ?? []
  if (path !== undefined) {
    const pattern = patternOf(path)
    return (request) => (method === undefined || request.method === method) && pattern.test(request.path)
  }
  if (!names.has(on)) {
    const hint = didYouMean(on, ['read', 'write', 'stream', ...names])
    throw usageError(`No query or mutation is called "${on}"${hint}. A path begins with "/": "POST /api/todos".`)
  }
  return ({ name }) => name === on
}

/** `:name` stands for one part of a path, `*` for anything. */
function patternOf(path: string): RegExp {
  const source = path
    .split(/(\*|:[A-Za-z_]\w*)/)
    .map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
    .join('')
  return new RegExp(`^${source}/?$`)
}
