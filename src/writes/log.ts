/** What the parts of the queue share: its entries in memory, what works with it, what it promises a caller. */
import type { Backoff } from '../base/backoff'
import type { Deferred } from '../base/deferred'
import type { SyncError } from '../base/errors'
import type { Layer } from '../evidence/evidence'
import type { Breaker } from '../platform/breaker'
import type { Clock } from '../platform/clock'
import type { Http } from '../platform/http'
import type { Random } from '../platform/ids'
import type { Network } from '../platform/network'
import type { Serializer } from '../platform/storage'
import type { Cache } from '../queries/queries'
import type { AnyMutation } from './definition'
import type { Entry, Outbox, OutboxMeta } from './stored'

/** What the caller of `mutate` holds. Nobody has to listen: a failure is never an unhandled rejection. */
export interface MutationHandle<TData = unknown> {
  readonly id: string
  /**
   * It is in the storage. Whether that survives a reload is the storage's to say (`durable`); `memoryStorage` does not.
   * Rejects when it could not be written; the entry then lives on in memory.
   */
  readonly durable: Promise<void>
  /** The server accepted it: what `mutationFn` resolved with. Rejects with a `SyncError` when it was refused. */
  readonly confirmed: Promise<TData>
  /** The base contains it in every watched query that has data. */
  readonly reflected: Promise<void>
  /** Takes it back. `true` if it had not been sent; otherwise nothing happens. */
  cancel(): boolean
}

export interface Item {
  entry: Entry
  layer: Layer
  mutation: AnyMutation | undefined
  durable: Deferred<void>
  confirmed: Deferred<unknown>
  reflected: Deferred<void>
  /** Its append is on disk (or could not be). */
  appended: boolean
  /** It could not be written down: it lives in memory only. */
  isVolatile: boolean
  backoff: Backoff
  /** Failures so far that count against the mutation's `retry`. */
  failures: number
  /** How often a 409 was answered that nobody could read. */
  vague: number
  /** How much had been heard of its origin when a page came in place of its answer. */
  heard: number | undefined
  cancelRetry: (() => void) | undefined
  /** The circuit breaker held it back: it goes when its origin may be asked again. */
  isHeldBack: boolean
  /** A request of it is on its way, or about to leave. */
  abort: AbortController | undefined
  /** What the server said in the end, or why it was not asked. */
  outcome: { readonly data: unknown; readonly error: SyncError | null } | undefined
  /** Credentials were refreshed for it, and nothing but a 401 has come since. */
  hasRefreshed: boolean
  /** Ids of rows that it creates. */
  creates: ReadonlySet<string>
}

/** What has happened to an entry. */
export type Movement = 'added' | 'restored' | 'updated' | 'confirmed' | 'rejected'

export interface QueueDeps {
  cache: Cache
  clock: Clock
  random: Random
  network: Network
  http: Http
  breaker: Breaker
  outbox: Outbox
  serializer: Serializer
  report: (error: SyncError) => void
  warn: (message: string) => void
  /** Something that people can see has changed: statuses, lists, counts. */
  changed: () => void
  /**
   * An entry came, changed its status or left; for mirrors of the outbox. `tell` calls the mutation's own callbacks: after
   * those of all mutations, before those of one call.
   */
  moved: (item: Item, how: Movement, tell?: () => void) => void
  /** Whether pushes bring news of the queries: else a write without a known effect makes everything stale. */
  isPushed: () => boolean
  development: boolean
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

export interface QueueState {
  readonly deps: QueueDeps
  readonly options: QueueOptions
  /** One deque per scope, in the order of `pos`; only entries that are not settled. */
  readonly scopes: Map<string, Item[]>
  readonly items: Map<string, Item>
  readonly registered: ReadonlySet<AnyMutation>
  /** Who creates which row, while it is not confirmed. */
  readonly creators: Map<string, Item>
  /** Confirmed, not yet covered everywhere. */
  readonly confirmed: Set<Item>
  failed: Entry[]
  quarantined: Entry[]
  meta: OutboxMeta
  started: boolean
  ready: boolean
  /** Takes nothing in any more. */
  closing: boolean
  closed: boolean
  paused: boolean
  /** 401 without new credentials: nothing is sent until `resume()`. */
  needsAuth: boolean
  /** How often the circuit breaker has said that an origin may be asked again. */
  breakerTurns: number
  /** Something speaks against the device's word that it is offline: it is tried all the same. */
  doubtful: boolean
  cancelDoubt: (() => void) | undefined
  /** Says whether something speaks against that word; `false` after a request that got no answer. */
  doubtsOffline(doubtful: boolean): void
  /** Starts what can be started. */
  pump(): void
  /** Keys and layers to read again when their scope is idle. */
  readonly later: Map<string, { keys: Array<readonly unknown[]>; layers: Layer[]; all: boolean }>
}

/** Whether anything is sent at the moment. */
export function isFlowing(state: QueueState): boolean {
  return mayFlow(state) && (state.doubtful || state.deps.network.isOnline())
}

/** Whether only the device's word that it is offline can hold anything back. */
export function mayFlow({ started, ready, closed, paused, needsAuth }: QueueState): boolean {
  return started && ready && !closed && !paused && !needsAuth
}

export function setStatus(state: QueueState, item: Item, status: Entry['status']): void {
  state.deps.cache.core.transition(() => {
    item.entry.status = status
    state.deps.moved(item, 'updated')
    state.deps.changed()
  })
}

/** Writes the entry down; a failure is reported and the entry lives on in memory. */
export async function save(state: QueueState, ...items: Item[]): Promise<void> {
  try {
    await state.deps.outbox.save(
      items.map((item) => item.entry),
      state.meta,
    )
    for (const item of items) item.isVolatile = false
  } catch (error) {
    for (const item of items) item.isVolatile = true
    state.deps.report(error as SyncError)
  }
}

/** Puts the item into its scope, in the order of `pos`: nearly always at the end. */
export function joinScope(state: QueueState, item: Item): void {
  const list = state.scopes.get(item.entry.scope) ?? []
  let at = list.length
  while (at > 0 && (list[at - 1]?.entry.pos ?? 0) > item.entry.pos) at--
  list.splice(at, 0, item)
  state.scopes.set(item.entry.scope, list)
}

/** Takes the item out of its scope. */
export function leaveScope(state: QueueState, item: Item): void {
  const list = state.scopes.get(item.entry.scope)
  const at = list?.indexOf(item) ?? -1
  if (list !== undefined && at >= 0) list.splice(at, 1)
  if (list?.length === 0) state.scopes.delete(item.entry.scope)
  for (const id of item.creates) if (state.creators.get(id) === item) state.creators.delete(id)
  item.cancelRetry?.()
  item.cancelRetry = undefined
}
