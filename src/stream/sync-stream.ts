/**
 * `syncStream`: the sync stream as a value that a client is given. The client's own code imports nothing of the stream, so
 * that one which only pulls does not carry it. The way into the cache is here: data first, then outcomes, in one transition.
 */
import type { Cursor } from '../base/cursor'
import type { SyncError } from '../base/errors'
import { usageError } from '../base/errors'
import type { MutationOutcome } from '../base/messages'
import type { Clock } from '../platform/clock'
import type { Http } from '../platform/http'
import type { Random } from '../platform/ids'
import type { Network } from '../platform/network'
import type { FetchLike } from '../platform/transport'
import type { Cache } from '../queries/queries'
import { applyPush } from './patch'
import type { StreamOptions, SyncStream } from './stream'
import { createSyncStream } from './stream'
import type { ChangeMessage } from './target'

/** Where the stream is and what it is asked for; see {@link syncStream}. */
export interface SyncStreamOptions extends Omit<StreamOptions, 'cursor'> {
  /** What to ask for: these topics, or those of the cached queries. @defaultValue everything the server lets us hear */
  topics?: readonly string[] | 'queries' | undefined
}

/** What a client's option `stream` takes; made by {@link syncStream}. One value may serve several clients. */
export interface ClientStream {
  readonly options: SyncStreamOptions
  /** For the client that it is given to. */
  connect(host: StreamHost): SyncStream
}

/** The client, as its stream works with it. */
export interface StreamHost {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network
  readonly fetch: FetchLike
  readonly http: Http
  readonly cache: Cache
  readonly hasRefresh: boolean
  report(error: SyncError): void
  /** A transaction is about to be applied. */
  pushed(messages: readonly ChangeMessage[]): void
  /** The stream says what became of writes. */
  takeOutcomes(outcomes: readonly MutationOutcome[], cursor: Cursor | undefined): void
  /** Somebody answers: what waits to be sent need not wait. */
  opened(): void
  changed(): void
}

/**
 * The sync stream, for the option `stream` of a client: what other clients write comes by itself, as the sync protocol has it.
 *
 * Throws a `usage` error without a `url`.
 *
 * @example
 * ```ts
 * const sync = createSyncClient({ mutations: [addTodo], stream: syncStream({ url: '/api/sync' }) })
 * ```
 */
export function syncStream(options: SyncStreamOptions): ClientStream {
  if (typeof options !== 'object' || options === null || !options.url)
    throw usageError('syncStream needs a "url": syncStream({ url: "/api/sync" }).')
  return { options, connect: (host) => connect(host, options) }
}

function connect(host: StreamHost, { topics, ...options }: SyncStreamOptions): SyncStream {
  const { cache, clock, random, network, fetch, http, report } = host
  const asked = typeof topics === 'object' ? () => topics : topics === 'queries' ? cache.topics : () => []
  const stream = createSyncStream(
    {
      clock,
      random,
      network,
      fetch,
      report,
      heard: cache.core.aids?.heartbeat,
      isForeign: http.isForeign,
      headers: http.headers,
      refreshAuth: host.hasRefresh ? http.refresh : undefined,
      target: {
        apply(messages, cursor) {
          host.pushed(messages)
          cache.core.transition(() => {
            applyPush(cache, messages, cursor, (outcomes) => host.takeOutcomes(outcomes, cursor))
            if (cursor !== undefined) cache.reached(cursor)
          })
        },
        outcomes: (outcomes, cursor) => cache.core.transition(() => host.takeOutcomes(outcomes, cursor)),
        reached: cache.reached,
        resync: cache.resync,
        poll: cache.poll,
        topics: asked,
      },
    },
    options,
  )
  cache.core.told = stream.expect
  http.onWaiting(stream.giveWay)
  if (topics === 'queries') cache.watchTopics(stream.resubscribe)
  let wasOpen = false
  stream.status.subscribe(({ state }) => {
    if (state === 'open' && !wasOpen) host.opened()
    wasOpen = state === 'open'
    host.changed()
  })
  return stream
}
