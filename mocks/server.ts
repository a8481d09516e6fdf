/** The mock server: the sync kit in memory behind a network that can be told to fail. Without MSW and without a socket. */

import { controlText } from '../server/frames'
import type { StateChange } from '../server/store'
import type { ReadTransaction, WriteTransaction } from '../server/transaction'
import type { Cursor } from '../src/base/cursor'
import { isRequest } from '../src/base/kinds'
import type { ByeMessage, ResyncMessage } from '../src/base/messages'
import type { Core, Stale } from './core'
import { createCore } from './core'
import type { MockDatabase } from './database'
import { createDatabase } from './database'
import { createRules } from './faults'
import type { MockFaults } from './make-faults'
import { makeFaults } from './make-faults'
import type { Network } from './network'
import { createNetwork } from './network'
import type { MockServerOptions, ResolvedOptions, Rows } from './options'
import { resolveOptions } from './options'
import { seeded } from './random'
import type { MockRequest } from './requests'
import { EVERYTHING, routeOf } from './routes'

/** What {@link MockServerCore.push} sends. */
export type MockPush =
  /** Queries that are stale, by key prefix, topic or row. Goes through the log: replayed to who comes back later. */
  | (Stale & {
      event?: 'invalidate' | undefined
      /** Topics whose readers hear it. @defaultValue everybody */
      to?: readonly string[] | undefined
    })
  /** The whole state of one query key, or a patch of it. Goes through the log. */
  | (StateChange & { event: 'state'; to?: readonly string[] | undefined })
  /** To the streams that are open now. */
  | Omit<ResyncMessage, 'prev' | 'txn' | 'more' | 'mutations'>
  /** To the streams that are open now, which end with it. */
  | ByeMessage
  /** Any text, to the streams that are open now: what a broken server might send. */
  | { raw: string }

/** A whole server for a test. Made by `createMockServer`. */
export interface MockServerCore<TRows extends Rows = Rows> {
  /** Leads to this server, with all its faults: for `createSyncClient({ platform: { fetch } })`, without MSW. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** Its tables, to seed and to inspect. */
  readonly database: MockDatabase<TRows>
  /** What goes wrong from now on. */
  readonly faults: MockFaults
  /** What arrived, or tried to, in order. */
  readonly log: readonly MockRequest[]
  /** How many event streams are open. */
  readonly streams: number
  /** Tells the clients something. Resolves once it is in the server's log. */
  push(message: MockPush): Promise<void>
  /** Writes as the server itself, in one transaction; its events go out. */
  write<T>(run: (tx: WriteTransaction) => T | Promise<T>): Promise<{ value: T; cursor: Cursor }>
  /** Reads one snapshot. */
  read<T>(run: (tx: ReadTransaction) => T | Promise<T>): Promise<{ value: T; cursor: Cursor }>
  /** Resolves when no read or write is on its way. Streams do not count. */
  idle(): Promise<void>
  /** As it was at first: the tables' rows, no faults, an empty log, another epoch. Open streams break. */
  reset(): void
  /** Ends all streams and stops. */
  close(): void
}

/** What is inside, for the entries that put MSW around it. */
export interface MockServerParts<TRows extends Rows> {
  server: MockServerCore<TRows>
  network: Network
  options: ResolvedOptions
}

export function createServer<TRows extends Rows>(given: MockServerOptions<TRows>): MockServerParts<TRows> {
  const options = resolveOptions(given)
  const random = seeded(options.seed)
  let core: Core = createCore(options, random)
  const network = createNetwork({
    rules: createRules(namesOf(options)),
    clock: options.clock,
    random,
    routeOf: (method, pathname) => routeOf(method, pathname, options),
    serve: (sent, route) => core.serve(sent, route),
    currentOf: (route) => core.currentOf(route),
  })
  const begin = () => {
    network.reset()
    core.close()
    core = createCore(options, random)
  }
  const server: MockServerCore<TRows> = {
    fetch: (input, init) => network.send(toRequest(input, init, options.origin ?? 'http://mock.test')),
    database: createDatabase<TRows>(options.tables, () => core),
    faults: makeFaults(network, () => core.changeEpoch()),
    log: network.log,
    get streams() {
      return network.streams.size
    },
    push: (message) => push(message, core, network),
    write: (run) => core.write(run),
    read: (run) => core.read(run),
    idle: network.idle,
    reset: begin,
    close() {
      network.reset()
      core.close()
    },
  }
  return { server, network, options }
}

function namesOf({ tables, queries, mutations }: ResolvedOptions): Set<string> {
  const ofTables = [...tables.keys()].flatMap((name) =>
    [name, 'one', 'create', 'replace', 'update', 'delete'].map((verb) => (verb === name ? name : `${name}/${verb}`)),
  )
  return new Set([...ofTables, ...Object.keys(queries), ...Object.keys(mutations)])
}

function toRequest(input: string | URL | Request, init: RequestInit | undefined, origin: string): Request {
  return new Request(isRequest(input) ? input : new URL(input, origin), init)
}

async function push(message: MockPush, core: Core, { streams }: Network): Promise<void> {
  if ('raw' in message) {
    for (const stream of streams) stream.send(() => message.raw)
  } else if (message.event === 'resync') {
    const { event, ...data } = message
    for (const stream of streams) stream.send((prev) => controlText(event, { prev: prev ?? null, ...data }))
  } else if (message.event === 'bye') {
    const { event, ...data } = message
    for (const stream of streams) {
      stream.send(() => controlText(event, data))
      stream.end(false)
    }
  } else if (message.event === 'state') {
    const { event: _, to, ...change } = message
    await core.write((tx) => tx.state(change, { topics: [...(to ?? [EVERYTHING])] }))
  } else {
    const { event: _, to, ...what } = message
    await core.invalidate(what, to ?? [EVERYTHING])
  }
}
