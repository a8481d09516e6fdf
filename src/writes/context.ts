/** What the parts of the queue share: the log, whether anything flows, and what works with them. */
import type { SyncError } from '../base/errors'
import type { Breaker } from '../platform/breaker'
import type { Clock } from '../platform/clock'
import type { Http } from '../platform/http'
import type { Random } from '../platform/ids'
import type { Network } from '../platform/network'
import type { Serializer } from '../platform/storage'
import type { Cache } from '../queries/queries'
import type { AnyMutation } from './definition'
import type { Flow } from './flow'
import type { Log } from './log'
import type { Plans } from './plans'
import type { Outbox, WriteRecord } from './stored'
import type { Write } from './write'
import { noteStored, revise } from './write'

/** What has happened to a write. */
export type Movement = 'added' | 'restored' | 'updated' | 'confirmed' | 'rejected'

/** Puts a write into the log, and shows it. */
export type Add = (record: WriteRecord, mutation: AnyMutation | undefined) => Write

/** Reads the log that an earlier page left. */
export type Load = (queue: QueueContext, add: Add) => Promise<void>

export interface QueueDeps {
  cache: Cache
  clock: Clock
  random: Random
  network: Network
  http: Http
  breaker: Breaker
  outbox: Outbox
  /** Reads what an earlier page left; without a storage there is none. */
  load: Load
  serializer: Serializer
  report: (error: SyncError) => void
  /**
   * Something that people can see has changed: statuses, lists, counts; with `write`, what has happened to it. `tell` calls
   * the mutation's own callbacks: after those of all mutations, before those of one call.
   */
  changed: (write?: Write, how?: Movement, tell?: () => void) => void
  /** Finds the name that was meant, as the end of a sentence. */
  hint: (word: string, known: Iterable<string>) => string
  /** Whether pushes bring news of the queries: else a write without a known effect makes everything stale. */
  isPushed: () => boolean
}

export interface QueueOptions {
  mutations: ReadonlyMap<string, AnyMutation>
  readOnly: boolean
  /** Milliseconds until a request without an answer counts as uncertain. */
  timeout: number
  /** Bound of the list of failed entries. */
  keepFailed: number
  /** The idempotency key is sent without quotes. */
  bareKey: boolean
  /** The application's word on errors of its own transports. */
  isNetworkError: ((error: unknown) => boolean | undefined) | undefined
}

export interface QueueContext {
  readonly deps: QueueDeps
  readonly options: QueueOptions
  readonly log: Log
  readonly flow: Flow
  readonly plans: Plans
  /** Starts what can be started. */
  pump(): void
}

/** Another state of a write that people can see. */
export function change({ deps }: QueueContext, write: Write, fields: Partial<WriteRecord>): void {
  deps.cache.core.transition(() => {
    revise(write, fields)
    deps.changed(write, 'updated')
  })
}

/** Writes the writes down; a failure is reported, and they live on in memory. */
export async function save({ deps, log }: QueueContext, ...writes: Write[]): Promise<void> {
  try {
    await deps.outbox.save(
      writes.map(({ record }) => record),
      log.meta,
    )
    for (const write of writes) noteStored(write, false)
  } catch (error) {
    for (const write of writes) noteStored(write, true)
    deps.report(error as SyncError)
  }
}
