/** What a sync client is made from: the options as users write them, checked, with every default in one place. */
import type { QueryClient } from '@tanstack/query-core'
import type { SyncError } from './base/errors'
import { didYouMean, sentence, usageError } from './base/errors'
import { canonical } from './base/key'
import type { Clock } from './platform/clock'
import { systemClock } from './platform/clock'
import { isDevelopment } from './platform/environment'
import type { Random } from './platform/ids'
import { systemRandom } from './platform/ids'
import type { Network } from './platform/network'
import { browserNetwork } from './platform/network'
import type { Serializer } from './platform/storage'
import { jsonSerializer } from './platform/storage'
import type { FetchLike, HeadersSource } from './platform/transport'
import { systemFetch } from './platform/transport'
import type { AnyQueryClient } from './queries/hydrate'
import type { ClientStream } from './stream/sync-stream'
import type { AnyMutation } from './writes/definition'
import type { ClientStorage } from './writes/kept'
import { KEEPS } from './writes/kept'

/** What a sync client is made of. Each has a default; an option that does not exist is a `usage` error. */
export interface SyncClientOptions {
  /** Bring your own, of any copy of query-core; otherwise one is made. It stays a plain QueryClient, and shows base. */
  queryClient?: AnyQueryClient | undefined
  /** Every mutation that `mutate` may be called with. @defaultValue none */
  mutations?: readonly AnyMutation[] | undefined
  /** Where the server's events come from: `syncStream({ url })`. @defaultValue `false`: pull only */
  stream?: ClientStream | false | undefined
  /** Headers of reads, writes and the stream. */
  headers?: HeadersSource | undefined
  /** Gets new credentials after a 401; asked once for all that wait. Returning `false` or rejecting: there are none. */
  refreshAuth?: (() => unknown) | undefined
  /** Where the outbox is kept: `memoryStorage()`, or one of your own by `syncStorage({ … })`. @defaultValue nowhere: in memory */
  storage?: ClientStorage | undefined
  /** How variables become text. @defaultValue JSON */
  serializer?: Serializer | undefined
  /** App and user: one outbox, one wipe on logout. @defaultValue 'default' */
  namespace?: string | undefined
  /** Where everything goes that is reported. @defaultValue `console.warn` in development */
  onReport?: ((report: SyncError) => void) | undefined
  /** `true`: `mutate` is a usage error. @defaultValue `false` */
  readOnly?: boolean | undefined
  /**
   * Milliseconds that a request waits for its answer: a write is uncertain then and sent again, a read by the context's
   * `fetch` fails. `Infinity`: for ever. @defaultValue 60 000
   */
  timeout?: number | undefined
  /**
   * The application's word on errors of transports of its own: whether this one is a lost connection, so that the write is
   * sent again. `undefined` leaves it to Tidemark, which knows the usual libraries. Not asked for `fetch` of the context.
   */
  isNetworkError?: ((error: unknown) => boolean | undefined) | undefined
  /** `'bare'`: `Idempotency-Key` without the quotes of RFC 9651, for servers that take the header as it comes. @defaultValue 'quoted' */
  idempotencyKey?: 'quoted' | 'bare' | undefined
  /** Bound of the list of failed entries. @defaultValue 100 */
  keepFailed?: number | undefined
  /** Transient failures in a row after which an origin is left alone, and for how long. @defaultValue 5, 1 s … 60 s */
  breaker?: { threshold?: number | undefined; base?: number | undefined; cap?: number | undefined } | undefined
  /** Time, chance and network, for tests. @defaultValue the platform's own */
  platform?: Partial<PlatformSeams> | undefined
}

/** Everything that a client takes from its surroundings. */
export interface PlatformSeams {
  clock: Clock
  random: Random
  network: Network
  fetch: FetchLike
  development: boolean
  console: Pick<Console, 'warn'>
}

export interface ResolvedOptions extends PlatformSeams {
  queryClient: QueryClient | undefined
  mutations: ReadonlyMap<string, AnyMutation>
  stream: ClientStream | undefined
  headers: HeadersSource | undefined
  refreshAuth: (() => unknown) | undefined
  storage: ClientStorage | undefined
  serializer: Serializer
  namespace: string
  report: (report: SyncError) => void
  readOnly: boolean
  timeout: number
  isNetworkError: ((error: unknown) => boolean | undefined) | undefined
  idempotencyKey: 'quoted' | 'bare'
  keepFailed: number
  breaker: { threshold: number; base: number; cap: number }
}

const NAMES = [
  'queryClient',
  'mutations',
  'stream',
  'headers',
  'refreshAuth',
  'storage',
  'serializer',
  'namespace',
  'onReport',
  'readOnly',
  'timeout',
  'isNetworkError',
  'idempotencyKey',
  'keepFailed',
  'breaker',
  'platform',
] as const satisfies ReadonlyArray<keyof SyncClientOptions>

/** Throws a `usage` error for a name that is no option, and for what is no stream or no storage. In development only. */
export function assertOptions(options: SyncClientOptions): void {
  const { stream = false, storage } = options
  for (const name of Object.keys(options)) {
    if (!(NAMES as readonly string[]).includes(name))
      throw usageError(sentence(`createSyncClient has no option "${name}"${didYouMean(name, NAMES)}`))
  }
  if (stream !== false && typeof stream?.connect !== 'function') {
    throw usageError(
      'The option "stream" is not a stream: write stream: syncStream({ url: "/api/sync" }), or false for a client without pushes.',
    )
  }
  if (storage !== undefined && storage?.[KEEPS] === undefined)
    throw usageError(
      'The option "storage" is not a storage value: pass memoryStorage(), or wrap one of your own, storage: syncStorage({ … }).',
    )
}

/** Fills in defaults; throws a `usage` error that says what to change. */
export function resolveOptions(options: SyncClientOptions): ResolvedOptions {
  const { stream = false, platform = {}, storage, namespace = 'default' } = options
  if (typeof namespace !== 'string' || namespace === '')
    throw usageError('The option "namespace" is an empty or non-text name; pass e.g. the user\'s id.')
  const development = platform.development ?? isDevelopment()
  const output = platform.console ?? console
  return {
    clock: platform.clock ?? systemClock(),
    random: platform.random ?? systemRandom(),
    network: platform.network ?? browserNetwork(),
    fetch: platform.fetch ?? systemFetch(),
    development,
    console: output,
    queryClient: options.queryClient as QueryClient | undefined,
    mutations: resolveMutations(options.mutations ?? []),
    stream: stream === false ? undefined : stream,
    headers: options.headers,
    refreshAuth: options.refreshAuth,
    storage,
    serializer: options.serializer ?? jsonSerializer,
    namespace,
    report: reporter(options.onReport ?? ((report) => development && output.warn(report)), output),
    readOnly: options.readOnly ?? false,
    timeout: options.timeout ?? 60_000,
    isNetworkError: options.isNetworkError,
    idempotencyKey: options.idempotencyKey ?? 'quoted',
    keepFailed: options.keepFailed ?? 100,
    breaker: {
      threshold: options.breaker?.threshold ?? 5,
      base: options.breaker?.base ?? 1000,
      cap: options.breaker?.cap ?? 60_000,
    },
  }
}

/** Nothing that is reported may be lost, or stop anything, because the one who is told throws. */
function reporter(tell: (report: SyncError) => unknown, output: PlatformSeams['console']): (report: SyncError) => void {
  return (report) => {
    try {
      tell(report)
    } catch (cause) {
      output.warn('Tidemark: "onReport" threw.', cause, report)
    }
  }
}

function resolveMutations(mutations: readonly AnyMutation[]): Map<string, AnyMutation> {
  const known = new Map<string, AnyMutation>()
  for (const mutation of mutations) {
    if (mutation?.defined !== true)
      throw usageError(
        'The option "mutations" has something that is not a mutation; pass what defineMutation() returned.',
      )
    if (!Array.isArray(mutation.mutationKey) || mutation.mutationKey.length === 0) {
      throw usageError(
        "A mutation has no \"mutationKey\": give it one such as ['todos', 'add'], which is what the outbox stores.",
      )
    }
    const key = canonical(mutation.mutationKey)
    if (known.has(key))
      throw usageError(
        `Two mutations have the mutationKey ${key}; the outbox could not tell them apart. Rename one of them.`,
      )
    known.set(key, mutation)
  }
  return known
}
