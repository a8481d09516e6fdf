/** What a handler is told, and its defaults. Nothing past `resolveOptions` writes a default of its own. */
import { didYouMean, usageError } from '../src/base/errors'
import { HEARTBEAT_MAX, HEARTBEAT_MIN } from '../src/base/messages'
import type { SyncBus } from './bus'
import { processBus } from './bus'
import type { ServerClock } from './clock'
import { systemServerClock } from './clock'
import type { MutationDefinition, MutationFunction, Principal, QueryDefinition, QueryFunction } from './functions'
import type { Metric } from './metrics'
import type { StateStore } from './store'
import type { TopicsOf } from './transaction'

/** Upper bounds. A request beyond one is refused with a problem that says which. */
export interface Limits {
  /** Bytes of a body. @defaultValue 262_144 */
  body: number
  /** Milliseconds that a body may take to arrive (408). @defaultValue 30_000 */
  bodyTime: number
  /** Nesting of a body's JSON. @defaultValue 64 */
  depth: number
  /** Mutations in a batch. @defaultValue 100 */
  batch: number
  /** Topics of a stream. @defaultValue 100 */
  topics: number
  /** Streams of a session (429). @defaultValue 5 */
  sessionStreams: number
  /** Streams of a principal (429). @defaultValue 50 */
  principalStreams: number
  /** Streams of this node (503). @defaultValue 10_000 */
  streams: number
  /** How far the sequence of an outbox may be past its last one (400). @defaultValue 1_000 */
  sequenceJump: number
  /** Events that a stream replays; beyond it the client reads afresh. @defaultValue 1_000 */
  replay: number
  /** Characters that a stream replays; beyond it the client reads afresh. @defaultValue 8_388_608 */
  replaySize: number
  /** Events in the ring. @defaultValue 4_096 */
  ringEvents: number
  /** Characters in the ring. @defaultValue 16_777_216 */
  ringSize: number
  /** Milliseconds that a reader may be behind. @defaultValue 30_000 */
  lag: number
  /** Milliseconds that a mutation or a query may take (503). @defaultValue 10_000 */
  time: number
  /** Requests a principal may make at once, and per second for long; `false`: no limit. @defaultValue 200 and 50 */
  rate: { burst: number; perSecond: number } | false
}

/** How long things are kept, in milliseconds. */
export interface Retention {
  /** Idempotency keys. @defaultValue 7 days */
  keys: number
  /** Change log. @defaultValue 1 day */
  log: number
  /** Entries of the change log at most. @defaultValue 100_000 */
  logEntries: number
  /** Sequences of outboxes. @defaultValue 365 days */
  sequences: number
  /** Between two trims, which follow writes. @defaultValue 10 minutes */
  every: number
}

/**
 * How long streams live, and how often they give a sign of life, in milliseconds. Values that clients refuse are
 * refused.
 */
export interface StreamTimes {
  /** Milliseconds between pings, from 1 000 to 120 000. @defaultValue 15_000 */
  heartbeat: number
  /** Milliseconds that a stream lives, ± 10 %. @defaultValue 3_600_000 */
  maxAge: number
  /** Milliseconds between two questions whether the topics are still allowed. @defaultValue 60_000 */
  reauthorize: number
}

/**
 * What {@link createSyncHandler} takes. An option that does not exist, or a number that is none, is a `usage`
 * error.
 */
export interface SyncHandlerOptions<P extends Principal = Principal> {
  store: StateStore
  /** @defaultValue `processBus()` */
  bus?: SyncBus | undefined
  mutations?: Record<string, MutationFunction<P> | MutationDefinition<P>> | undefined
  queries?: Record<string, QueryFunction<P> | QueryDefinition<P>> | undefined
  /**
   * Who is asking; `null`: 401. Without it everybody is the principal `anonymous`, and the limits per principal and
   * session do not apply.
   */
  authenticate?: ((request: Request) => P | null | Promise<P | null>) | undefined
  /** Which of the topics a principal may read; `*` (every topic) is asked for by streams that name none. @defaultValue all */
  authorize?: ((principal: P, topics: string[]) => string[] | Promise<string[]>) | undefined
  /** The topics of a row, whose readers see its changes. @defaultValue its type */
  topics?: TopicsOf | undefined
  /** @defaultValue '/sync' */
  basePath?: string | undefined
  /** Path of the stream, if it is not below `basePath`. @defaultValue `<basePath>/stream` */
  streamPath?: string | undefined
  /** Other origins whose pages may call, exactly as in `Origin` (`https://app.example`). @defaultValue none */
  origins?: readonly string[] | undefined
  limits?: Partial<Limits> | undefined
  retention?: Partial<Retention> | undefined
  stream?: Partial<StreamTimes> | undefined
  /** Milliseconds between looks at the log, for a store that other processes write to; 0: never. @defaultValue 0 */
  poll?: number | undefined
  /** Called for every measurement. `handler.snapshot()` has the sums. */
  onMetric?: ((metric: Metric) => void) | undefined
  /** Failures that a client is not told about in full. @defaultValue `console.error` */
  onError?: ((error: unknown, where: string) => void) | undefined
  clock?: ServerClock | undefined
  /** In [0, 1). @defaultValue `Math.random` */
  random?: (() => number) | undefined
}

export interface ResolvedOptions<P extends Principal = Principal> {
  store: StateStore
  bus: SyncBus
  mutations: ReadonlyMap<string, MutationDefinition<P>>
  queries: ReadonlyMap<string, QueryDefinition<P>>
  authenticate: ((request: Request) => P | null | Promise<P | null>) | undefined
  authorize: (principal: P, topics: string[]) => string[] | Promise<string[]>
  topicsOf: TopicsOf
  basePath: string
  streamPath: string
  origins: ReadonlySet<string>
  limits: Limits
  retention: Retention
  stream: StreamTimes
  poll: number
  onMetric: ((metric: Metric) => void) | undefined
  onError: (error: unknown, where: string) => void
  clock: ServerClock
  random: () => number
}

const DAY = 86_400_000
const LIMITS: Limits = {
  body: 262_144,
  bodyTime: 30_000,
  depth: 64,
  batch: 100,
  topics: 100,
  sessionStreams: 5,
  principalStreams: 50,
  streams: 10_000,
  sequenceJump: 1_000,
  replay: 1_000,
  replaySize: 8_388_608,
  ringEvents: 4_096,
  ringSize: 16_777_216,
  lag: 30_000,
  time: 10_000,
  rate: { burst: 200, perSecond: 50 },
}
const RETENTION: Retention = { keys: 7 * DAY, log: DAY, logEntries: 100_000, sequences: 365 * DAY, every: 600_000 }
const STREAM: StreamTimes = { heartbeat: 15_000, maxAge: 3_600_000, reauthorize: 60_000 }
const NAMES: Record<keyof SyncHandlerOptions, true> = {
  store: true,
  bus: true,
  mutations: true,
  queries: true,
  authenticate: true,
  authorize: true,
  topics: true,
  basePath: true,
  streamPath: true,
  origins: true,
  limits: true,
  retention: true,
  stream: true,
  poll: true,
  onMetric: true,
  onError: true,
  clock: true,
  random: true,
}

/** Checks the options and fills in what is not given. Throws a `usage` error for what it does not know. */
export function resolveOptions<P extends Principal>(options: SyncHandlerOptions<P>): ResolvedOptions<P> {
  assertNames(options, NAMES, 'createSyncHandler')
  if (typeof options.store?.transaction !== 'function') {
    throw usageError('createSyncHandler needs a store: memoryStore() or sqliteStore(path)')
  }
  const basePath = pathOf(options.basePath ?? '/sync', 'basePath')
  return {
    store: options.store,
    bus: options.bus ?? processBus(),
    mutations: definitions<MutationDefinition<P>>(options.mutations, 'mutation'),
    queries: definitions<QueryDefinition<P>>(options.queries, 'query'),
    authenticate: options.authenticate,
    authorize: options.authorize ?? ((_, topics) => topics),
    topicsOf: options.topics ?? ((row) => [row.type]),
    basePath,
    streamPath: options.streamPath === undefined ? `${basePath}/stream` : pathOf(options.streamPath, 'streamPath'),
    origins: new Set(options.origins),
    limits: filled(LIMITS, options.limits, 'limits'),
    retention: filled(RETENTION, options.retention, 'retention'),
    stream: timesOf(options.stream),
    poll: options.poll ?? 0,
    onMetric: options.onMetric,
    onError: options.onError ?? ((error, where) => console.error(`tidemark: ${where}`, error)),
    clock: options.clock ?? systemServerClock(),
    random: options.random ?? Math.random,
  }
}

function assertNames(given: object, known: object, where: string): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue
    throw usageError(`${where} has no option "${name}"${didYouMean(name, Object.keys(known))}`)
  }
}

function filled<T extends object>(defaults: T, given: Partial<T> | undefined, where: string): T {
  assertNames(given ?? {}, defaults, where)
  const set = Object.entries(given ?? {}).filter(([, value]) => value !== undefined)
  for (const [name, value] of set) {
    const isNumber = typeof defaults[name as keyof T] === 'number'
    if (isNumber && !(typeof value === 'number' && value >= 0)) {
      throw usageError(`${where}.${name} must be a number that is not negative: ${String(value)}`)
    }
  }
  return { ...defaults, ...Object.fromEntries(set) }
}

function timesOf(given: Partial<StreamTimes> | undefined): StreamTimes {
  const times = filled(STREAM, given, 'stream')
  if (times.heartbeat >= HEARTBEAT_MIN && times.heartbeat <= HEARTBEAT_MAX) return times
  throw usageError(
    `stream.heartbeat must be between ${HEARTBEAT_MIN} and ${HEARTBEAT_MAX} milliseconds, or clients refuse the stream: ${times.heartbeat}`,
  )
}

function pathOf(path: string, option: string): string {
  if (path !== '' && !path.startsWith('/')) throw usageError(`${option} must begin with "/": "${path}"`)
  return path.replace(/\/+$/, '')
}

function definitions<D extends { run: unknown }>(
  given: Record<string, D | D['run']> | undefined,
  what: string,
): ReadonlyMap<string, D> {
  const known = new Map<string, D>()
  for (const [name, entry] of Object.entries(given ?? {})) {
    const definition = (typeof entry === 'function' ? { run: entry } : entry) as D
    if (typeof definition?.run !== 'function') {
      throw usageError(`the ${what} "${name}" must be a function or an object with a function "run"`)
    }
    known.set(name, definition)
  }
  return known
}
