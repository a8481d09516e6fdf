/** What a sync stream is made of, what is said about it, and what it offers. */
import type { Cursor } from '../base/cursor'
import type { SyncError } from '../base/errors'
import type { Clock } from '../platform/clock'
import type { Random } from '../platform/ids'
import type { Network } from '../platform/network'
import type { FetchLike } from '../platform/transport'
import type { Link } from '../wire/event-stream'
import type { ReadableStore } from '../wire/status'
import type { Decode } from './entries'
import type { Health } from './health'
import type { Standing, StreamStatus } from './standing'
import type { StreamTarget } from './target'

export interface StreamDeps {
  clock: Clock
  random: Random
  network: Network
  fetch: FetchLike
  /** Headers of each attempt. */
  headers(): Promise<Record<string, string>>
  /** Gets new credentials, shared with reads and writes; resolves to `true` when there are some. */
  refreshAuth?: (() => Promise<boolean>) | undefined
  report(error: SyncError): void
  /** A developer may want to know how often the server gives a sign of life, in milliseconds. */
  heard?: ((heartbeat: number) => void) | undefined
  /** Whether the address is of another origin than the page's, so that CORS decides which headers may go there. */
  isForeign?: ((url: string) => boolean) | undefined
  target: StreamTarget
}

export interface StreamOptions {
  /** Where the stream is; a function is asked before each attempt. `topics` is added to it. */
  url: string | (() => string)
  /** Where to go on: the position that the cached state was saved with. */
  cursor?: Cursor | undefined
  /** Milliseconds between polls while no stream is possible; `false`: never. @defaultValue 30 000 */
  pollInterval?: number | false | undefined
  /** Adapts a foreign server: no `hello` is expected then, and each new connection is a resync unless it `replays`. */
  decode?: Decode | undefined
  /** The foreign server sends again what came after `Last-Event-ID`. @defaultValue `false` */
  replays?: boolean | undefined
  /**
   * Milliseconds between the server's signs of life, until its `hello` says otherwise.
   * @defaultValue 15 000; `false` (may be silent for ever) with `decode`
   */
  heartbeat?: number | false | undefined
  /** Other fields of the request: `credentials`, … */
  init?: Omit<RequestInit, 'headers' | 'signal'> | undefined
}

/** What the parts of one stream work with. `link`, `health` and `standing` are there before the stream is started. */
export interface StreamHost extends StreamDeps, StreamOptions {
  link(): Link
  health(): Health
  standing(): Standing
}

export interface SyncStream {
  /** Connects. Does nothing when started. */
  start(): void
  /** Disconnects at once; nothing reaches the target after it. Can be started again, and goes on where it was. */
  stop(): void
  /** Tries now instead of waiting: the user asks, or there are other credentials. */
  retryNow(): void
  /** The topics have changed: connects anew with them, at the same position, soon. */
  resubscribe(): void
  readonly status: ReadableStore<StreamStatus>
  /** The position up to which everything is applied. */
  cursor(): Cursor | undefined
  /**
   * A read or a write was told this position: an open stream that does not reach it within 5 s (`isOwn`: a write of this
   * client, of which the stream tells at once) or until well after its next sign of life is behind, whatever its socket says.
   */
  expect(cursor: Cursor, isOwn: boolean): void
  /** A request waits for long: over HTTP/1.1 an open stream of its origin may be what it waits for, and gives way. */
  giveWay(isThere: (url: string) => boolean): void
}
