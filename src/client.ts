/** `createSyncClient`: builds the floors, wires them, starts and stops them. Nothing of the parts is decided here. */

import type { QueryKey } from '@tanstack/query-core'
import { QueryClient } from '@tanstack/query-core'
import { ADVICE, createAdvice } from './advice/advice'
import { createAids } from './advice/aids'
import type { SyncError } from './base/errors'
import { didYouMean, usageError } from './base/errors'
import type { DataOfKey } from './data/recipes'
import { createLife } from './life'
import type { SyncClientOptions } from './options'
import { assertOptions, resolveOptions } from './options'
import { createBreaker } from './platform/breaker'
import { createHttp } from './platform/http'
import { createServerWatch } from './platform/server'
import type { Mode } from './queries/cell'
import { createCache } from './queries/queries'
import { CLIENT } from './queries/view-client'
import type { ReadonlyStore } from './stores/live'
import { createLiveStore } from './stores/live'
import type { OutboxEntry, OutboxState } from './stores/outbox'
import { createOutboxView } from './stores/outbox'
import type { PendingStores } from './stores/pending'
import { createPendingStores } from './stores/pending'
import type { Progress } from './stores/progress'
import { createProgressStores } from './stores/progress'
import type { SyncStatus } from './stores/status'
import { createStatusView } from './stores/status'
import type { Watched } from './stores/watched'
import { WATCHED } from './stores/watched'
import type { SyncStream } from './stream/stream'
import type { QueueDeps } from './writes/context'
import type { DefinedMutation, Resolution } from './writes/definition'
import type { MutationHandle } from './writes/handle'
import { keptIn } from './writes/kept'
import type { Queue } from './writes/writes'
import { createQueue } from './writes/writes'

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

/**
 * Makes a sync client.
 *
 * @example
 * ```ts
 * const sync = createSyncClient({ mutations: [addTodo], stream: syncStream({ url: '/api/sync' }) })
 * const stop = sync.start()
 * sync.mutate(addTodo, { id: crypto.randomUUID(), title: 'Milk' })
 * ```
 */
export function createSyncClient(options: SyncClientOptions = {}): SyncClient {
  const tools = forDevelopers()
  tools?.assertOptions(options)
  const settings = resolveOptions(options)
  const queryClient = claim(settings.queryClient ?? new QueryClient())
  const { clock, random, network, report } = settings
  const breaker = createBreaker({ clock, random }, settings.breaker)
  const http = createHttp({ clock, breaker }, settings)
  const onInvalidate = (keys: readonly QueryKey[]): void => advice?.invalidated(keys)
  const { timeout } = settings
  const helping = settings.development ? tools : undefined
  const aids = helping?.createAids((message) => settings.console.warn(`Tidemark: ${message}`))
  const cache = createCache({ clock, random, http, report, aids, timeout, onInvalidate }, queryClient)
  let stream: SyncStream | undefined
  const watchers: Parameters<Watched['watch']>[0][] = []
  const changed = (own = false, ...what: Parameters<QueueDeps['changed']>): void =>
    cache.core.transition(() => {
      const [write, how, tell] = what
      for (const look of watchers) look(write, how)
      if (tell !== undefined) announce(tell, true)
      if (write !== undefined) progress.moved(write)
      status.changed(own)
      outbox.changed(own)
      progress.changed()
    })
  const { announce } = cache.core
  const progress = createProgressStores(() => queue, announce)
  const queue: Queue = createQueue(
    {
      cache,
      clock,
      random,
      network,
      http,
      breaker,
      ...keptIn(settings.storage, settings.serializer, settings.namespace),
      serializer: settings.serializer,
      report,
      changed: (...what) => changed(true, ...what),
      hint: tools?.didYouMean ?? (() => ''),
      isPushed: () => stream?.status.getState().state === 'open',
    },
    {
      mutations: settings.mutations,
      readOnly: settings.readOnly,
      timeout,
      keepFailed: settings.keepFailed,
      bareKey: settings.idempotencyKey === 'bare',
      isNetworkError: settings.isNetworkError,
    },
  )
  const tell = (message: string): void => report(usageError(message))
  const advice = helping && {
    ...helping.createAdvice({ cache, queue, clock, options }),
    server: helping.createServerWatch(tell),
  }
  stream = settings.stream?.connect({
    ...{ clock, random, network, report, cache, http },
    fetch: settings.fetch,
    hasRefresh: settings.refreshAuth !== undefined,
    pushed: (messages) => advice?.pushed(messages),
    takeOutcomes: queue.takeOutcomes,
    opened() {
      queue.wake(true)
      cache.wake()
    },
    changed: () => changed(),
  })
  const status = createLiveStore(
    createStatusView({ queue, cache, network, stream, durable: settings.storage?.durable === true }),
    announce,
  )
  const outbox = createLiveStore(createOutboxView(queue, cache), announce)
  const atClose: Array<() => void> = []
  const release = (): void => {
    breaker.stop()
    for (const stop of atClose) stop()
    advice?.stop()
  }
  const minded = (): void => advice?.minded()
  const pending = createPendingStores({ outbox: outbox.store, core: cache.core })
  const life = createLife({ settings, cache, queue, stream, changed, release, minded, queryClient })
  const noted = <T extends MutationHandle | undefined>(handle: T): T => {
    if (handle !== undefined) advice?.wrote(handle)
    return handle
  }

  const client: SyncClient = {
    ...life,
    start() {
      advice?.server.used('start')
      return life.start()
    },
    mutate(mutation, ...variables) {
      advice?.server.used('mutate')
      return noted(queue.mutate(mutation, variables[0] as never))
    },
    renderedOnServer() {
      if (advice?.server.rendered()) minded() // nobody is to start it there
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
    queryClient,
    viewClient: cache.viewClient,
    status: status.store,
    outbox: outbox.store,
    pending(filter) {
      advice?.filtered(filter)
      return pending(filter)
    },
    progress: progress.of,
    report,
    wrapPublish(wrap) {
      const own: typeof wrap = (publish, isOwn) => wrap(publish, isOwn)
      cache.core.wraps.add(own)
      return () => void cache.core.wraps.delete(own)
    },
    reconnect: () => {
      queue.wake(true)
      stream?.retryNow()
    },
  }
  for (const holder of [queryClient, cache.viewClient])
    Object.defineProperty(holder, CLIENT, { value: client, configurable: true })
  const watched: Watched = {
    ...{ queryClient, writes: queue.log.writes, isHeldBack: queue.flow.isHeldBack, announce, report },
    watch: (look) => void watchers.push(look),
    atClose: (stop) => void atClose.push(stop),
  }
  Object.defineProperty(client, WATCHED, { value: watched })
  if (advice !== undefined) Object.defineProperty(client, ADVICE, { value: advice })
  return client
}

declare const process: { env: { NODE_ENV?: string } }

/** Bundlers replace the name and drop the branch: a production build has none of the sentences in it. */
function forDevelopers() {
  try {
    if (process.env.NODE_ENV !== 'production')
      return { assertOptions, createAdvice, createAids, createServerWatch, didYouMean }
  } catch {
    // No bundler, and no process.
  }
  return undefined
}

function claim(queryClient: QueryClient): QueryClient {
  if (typeof queryClient.getQueryCache !== 'function')
    throw usageError('The option "queryClient" is not a QueryClient.')
  if (CLIENT in queryClient)
    throw usageError('This QueryClient belongs to a sync client already; use that one, or bring another QueryClient.')
  return queryClient
}
