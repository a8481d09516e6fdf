/** What users call: the adviser hears of it first, and nothing is decided here. */
import type { QueryClient, QueryKey } from '@tanstack/query-core'
import type { Advice } from './advice/advice'
import type { SyncError } from './base/errors'
import type { DataOfKey } from './data/recipes'
import type { Life } from './life'
import type { ServerWatch } from './platform/server'
import type { Mode } from './queries/cell'
import type { Cache } from './queries/queries'
import type { LiveStore, ReadonlyStore } from './stores/live'
import type { OutboxEntry, OutboxState } from './stores/outbox'
import type { PendingStores } from './stores/pending'
import type { Progress, ProgressStores } from './stores/progress'
import type { SyncStatus } from './stores/status'
import type { SyncStream } from './stream/stream'
import type { DefinedMutation, Resolution } from './writes/definition'
import type { MutationHandle } from './writes/handle'
import type { Queue } from './writes/writes'

/** Keeps what is shown in step with what the server knows. Made by {@link createSyncClient}. */
export interface SyncClient {
  /** Loads the outbox, connects, sends. Counted: the function it returns undoes this one call. */
  start(): () => void
  /** Disconnects and stops sending, whatever the count. Views and the outbox stay; `start()` goes on. */
  stop(): void
  /** Records the mutation; its views have changed when this returns. */
  mutate<TVariables, TData>(
    mutation: DefinedMutation<TVariables, TData>,
    ...variables: Arguments<TVariables>
  ): MutationHandle<TData>
  /** Sends nothing until `resume()`; what is on its way ends. */
  pause(): void
  /** Sends again, also after a 401. */
  resume(): void
  /** Sends now; resolves when everything that is pending now is confirmed or refused. */
  flush(): Promise<void>
  /** Sends a failed entry again, as a new one; `undefined` if there is none of this id. */
  retry(id: string): MutationHandle | undefined
  /** Sends a failed entry again with other variables. */
  edit(id: string, variables: unknown): MutationHandle | undefined
  /** Forgets a failed entry or gives up a pending one; `false` if there is none of this id. */
  discard(id: string): boolean
  /** Ends a conflict whose policy is `'manual'`; `false` if this entry waits for none. */
  resolve<TVariables>(id: string, resolution: Resolution<TVariables>): boolean
  /** What is shown for a query: base and pending changes. */
  getView<TKey extends QueryKey>(queryKey: TKey): DataOfKey<TKey> | undefined
  /** What the server said. */
  getBase<TKey extends QueryKey>(queryKey: TKey): DataOfKey<TKey> | undefined
  /** How exactly the query's endpoint says what its answers contain; `undefined` for a query that is not cached. */
  getMode(queryKey: QueryKey): Mode | undefined
  /** Resolves when the outbox is loaded and its changes are shown; rejects with `stopped` if the client is closed before. */
  readonly ready: Promise<void>
  /** The plain client: base. */
  readonly queryClient: QueryClient
  /** The client for observers and hooks: views. */
  readonly viewClient: QueryClient
  readonly status: ReadonlyStore<SyncStatus>
  readonly outbox: ReadonlyStore<OutboxState>
  /**
   * A store of the entries that are not settled and match the filter, oldest first: by row, by query, by mutation. A row's
   * store is told of that row's writes only, so that every row of a long list can have one.
   */
  readonly pending: PendingStores
  /**
   * A store of one write's way to its outcome, in the words of TanStack's mutations; `undefined` if no entry of this id is
   * pending. `handle.id` is the id.
   */
  progress(id: string): ReadonlyStore<Progress> | undefined
  /**
   * Runs everything that this client publishes inside `wrap`, which must call what it is given before it returns: for
   * frameworks that batch. `isOwn`: the reason is a write of this client (it comes, it is accepted or refused, it leaves),
   * not a read or a push. Returns a function that takes it away.
   */
  wrapPublish(wrap: (publish: () => void, isOwn: boolean) => void): () => void
  /** For adapters: a server render shows this client. In development it reports a client that requests share. */
  renderedOnServer(): void
  /** Hands an error to `onReport`; for adapters and devtools. */
  report(error: SyncError): void
  /** Tries to connect now instead of waiting. */
  reconnect(): void
  /**
   * Logout: takes nothing in any more, ends the stream, then `'flush'` (at most 10 s), `'discard'` or `'keep'` what is
   * pending; wipes memory and, but for `'keep'`, storage of the namespace. Resolves when that is done, with
   * what was not confirmed by then (empty for `'keep'`).
   */
  close(options?: { outbox?: 'flush' | 'discard' | 'keep' | undefined }): Promise<readonly OutboxEntry[]>
}

/** A mutation without variables is called without them. */
export type Arguments<TVariables> = [TVariables] extends [void] | [undefined] ? [] : [variables: TVariables]

export interface FaceParts extends Pick<SyncClient, 'queryClient' | 'report' | 'pending'> {
  cache: Cache
  queue: Queue
  stream: SyncStream | undefined
  life: Life
  advice: (Advice & { server: ServerWatch }) | undefined
  status: LiveStore<SyncStatus>
  outbox: LiveStore<OutboxState>
  progress: ProgressStores
}

/** What users call; the adviser hears of it first. */
export function faceOf({
  cache,
  queue,
  stream,
  life,
  advice,
  status,
  outbox,
  pending,
  progress,
  ...shown
}: FaceParts): SyncClient {
  const noted = <T extends MutationHandle | undefined>(handle: T): T => {
    if (handle !== undefined) advice?.wrote(handle)
    return handle
  }
  return {
    ...life,
    ...shown,
    start() {
      advice?.server.used('start')
      return life.start()
    },
    mutate(mutation, ...variables) {
      advice?.server.used('mutate')
      return noted(queue.mutate(mutation, variables[0] as never))
    },
    renderedOnServer() {
      if (advice?.server.rendered()) advice.minded() // nobody is to start it there
    },
    pause: queue.pause,
    resume: queue.resume,
    flush: queue.flush,
    retry(id) {
      advice?.asked('retry', id)
      return noted(queue.retry(id))
    },
    edit(id, variables) {
      advice?.asked('edit', id)
      return noted(queue.edit(id, variables))
    },
    discard(id) {
      advice?.asked('discard', id)
      return queue.discard(id)
    },
    resolve(id, resolution) {
      advice?.asked('resolve', id)
      return queue.resolve(id, resolution as Resolution<never>)
    },
    getView: (queryKey) => cache.getView(queryKey) as never,
    getBase: (queryKey) => cache.getBase(queryKey) as never,
    getMode: cache.getMode,
    viewClient: cache.viewClient,
    status: status.store,
    outbox: outbox.store,
    pending(filter) {
      advice?.filtered(filter)
      return pending(filter)
    },
    progress: progress.of,
    wrapPublish(wrap) {
      const own: typeof wrap = (publish, isOwn) => wrap(publish, isOwn)
      cache.core.wraps.add(own)
      return () => void cache.core.wraps.delete(own)
    },
    reconnect() {
      queue.wake(true)
      stream?.retryNow()
    },
  }
}
