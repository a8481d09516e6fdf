/** `createSyncClient`: builds the floors, wires them, starts and stops them. Nothing of the parts is decided here. */

import type { QueryKey } from '@tanstack/query-core'
import { QueryClient } from '@tanstack/query-core'
import { ADVICE, createAdvice } from './advice/advice'
import { createAids } from './advice/aids'
import { didYouMean, usageError } from './base/errors'
import type { SyncClient } from './face'
import { faceOf } from './face'
import { createLife } from './life'
import type { SyncClientOptions } from './options'
import { assertOptions, resolveOptions } from './options'
import { createBreaker } from './platform/breaker'
import { createHttp } from './platform/http'
import { createServerWatch } from './platform/server'
import { createCache } from './queries/queries'
import { CLIENT } from './queries/view-client'
import { createLiveStore } from './stores/live'
import { createOutboxView } from './stores/outbox'
import { createPendingStores } from './stores/pending'
import { createProgressStores } from './stores/progress'
import { createStatusView } from './stores/status'
import type { Watched } from './stores/watched'
import { WATCHED } from './stores/watched'
import type { SyncStream } from './stream/stream'
import type { QueueDeps } from './writes/context'
import { keptIn } from './writes/kept'
import type { Queue } from './writes/writes'
import { createQueue } from './writes/writes'

export type { Arguments, SyncClient } from './face'

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
  const client = faceOf({
    ...{ cache, queue, stream, life, advice, status, outbox, pending, progress },
    ...{ queryClient, report },
  })
  for (const holder of [queryClient, cache.viewClient])
    Object.defineProperty(holder, CLIENT, { value: client, configurable: true })
  const watched: Watched = {
    ...{ queryClient, core: cache.core, writes: queue.log.writes, isHeldBack: queue.flow.isHeldBack, announce, report },
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
