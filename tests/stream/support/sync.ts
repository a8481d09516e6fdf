/** A sync stream in virtual time with a target that records what it is told. */
import type { Cursor } from '../../../src/base/cursor'
import type { SyncError } from '../../../src/base/errors'
import { seededRandom } from '../../../src/platform/ids'
import type { FetchLike } from '../../../src/platform/transport'
import type { StreamOptions, SyncStream } from '../../../src/stream/stream'
import { createSyncStream } from '../../../src/stream/stream'
import type { StreamTarget } from '../../../src/stream/target'
import type { ScriptedServer } from './scripted'
import { createScriptedServer, frame } from './scripted'
import type { VirtualClock, VirtualNetwork } from './virtual'
import { createVirtualClock, createVirtualNetwork } from './virtual'

export type Call =
  | { call: 'apply'; events: string[]; cursor: Cursor | undefined }
  | { call: 'outcomes'; ids: string[]; cursor: Cursor | undefined }
  | { call: 'reached'; cursor: Cursor }
  | { call: 'resync'; reason: string; cursor?: Cursor | undefined; keys?: unknown; spread?: number | undefined }
  | { call: 'poll' }

export interface SyncBench {
  clock: VirtualClock
  network: VirtualNetwork
  server: ScriptedServer
  stream: SyncStream
  calls: Call[]
  reports: SyncError[]
  /** Reads of resyncs that are not back; call to bring them back. */
  reads: Array<() => void>
  /** Starts, and greets with a fresh stream at `e:0`. */
  open(): Promise<void>
  /** Drops what was recorded so far. */
  forget(): void
}

export interface SyncBenchOptions extends Partial<StreamOptions> {
  seed?: number
  target?: Partial<StreamTarget>
  /** Reads of resyncs come back only when told. */
  slowReads?: boolean
  refreshAuth?: () => Promise<boolean>
  headers?: () => Promise<Record<string, string>>
  /** Another network than the scripted one: a real server's. */
  fetch?: FetchLike
}

export const hello = (cursor: Cursor, resume = 'fresh', more: object = {}): string =>
  frame('hello', { protocol: 1, epoch: cursor.slice(0, cursor.lastIndexOf(':')), resume, cursor, ...more })

/** The next event of a chain: `invalidate` of one key, from `prev` to `id`. */
export const change = (prev: Cursor | null, id: Cursor, more: object = {}): string =>
  frame('invalidate', { prev, keys: [['k', id]], ...more }, id)

export function createSyncBench(options: SyncBenchOptions = {}): SyncBench {
  const { seed = 1, target, slowReads = false, refreshAuth, headers, fetch, ...streamOptions } = options
  const clock = createVirtualClock()
  const network = createVirtualNetwork()
  const server = createScriptedServer(clock.now)
  const calls: Call[] = []
  const reports: SyncError[] = []
  const reads: Array<() => void> = []
  const stream = createSyncStream(
    {
      clock,
      network,
      random: seededRandom(seed),
      fetch: fetch ?? server.fetch,
      headers: headers ?? (async () => ({})),
      refreshAuth,
      report: (error) => void reports.push(error),
      target: {
        apply: (messages, cursor) =>
          void calls.push({ call: 'apply', events: messages.map(({ event }) => event), cursor }),
        outcomes: (mutations, cursor) =>
          void calls.push({ call: 'outcomes', ids: mutations.map(({ id }) => id), cursor }),
        reached: (cursor) => void calls.push({ call: 'reached', cursor }),
        resync(request) {
          calls.push({ call: 'resync', ...request })
          return slowReads ? new Promise((resolve) => reads.push(resolve)) : Promise.resolve()
        },
        poll: () => void calls.push({ call: 'poll' }),
        ...target,
      },
    },
    { url: '/sync', ...streamOptions },
  )
  const bench: SyncBench = {
    clock,
    network,
    server,
    stream,
    calls,
    reports,
    reads,
    async open() {
      server.next(server.open(hello('e:0')))
      stream.start()
      await clock.advance(0)
      bench.forget()
    },
    forget: () => void calls.splice(0),
  }
  return bench
}
