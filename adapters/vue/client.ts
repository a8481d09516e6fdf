/** Plugins: TanStack's own key holds the view client, so that TanStack's own composables show views. */
import type { VueQueryPluginOptions } from '@tanstack/vue-query'
import { QueryClient, VueQueryPlugin as TanStackPlugin, VUE_QUERY_CLIENT } from '@tanstack/vue-query'
import type { QueryClient as CoreQueryClient, SyncClient } from 'tidemark'
import { SyncError } from 'tidemark'
import type { App } from 'vue'
import { inject, ref } from 'vue'
import { checkSyncClient, findSyncClient, startClient, syncClientFor } from '../clients'
import { checkPeers, environmentManager, hasInjectionContext } from './peers'

/** Options of {@link syncPlugin}; the others are those of TanStack's plugin. */
export interface SyncPluginOptions extends Omit<VueQueryPluginOptions, 'queryClient' | 'queryClientConfig'> {
  /** What `createSyncClient()` returned. */
  client: SyncClient
}

/**
 * Gives a sync client to an application, and runs it until the application is unmounted (never on a server). With
 * `queryClientKey` an application can have several. Throws a `usage` error for anything that is not a sync client.
 *
 * @example
 * ```ts
 * const sync = createSyncClient({ mutations: [addTodo], stream: syncStream({ url: '/api/sync' }) })
 * createApp(Board).use(syncPlugin, { client: sync }).mount('#board')
 * ```
 */
export const syncPlugin = {
  install(app: App, options: SyncPluginOptions): void {
    checkPeers(app)
    const { client, ...rest } = options ?? {}
    checkSyncClient(client, 'app.use(syncPlugin, { client })', 'VueQueryPlugin')
    install(app, client, rest)
  },
}

/**
 * TanStack's plugin. The sync client that its `queryClient` belongs to is used; without one a pull-only one is made, once
 * per QueryClient.
 */
export const VueQueryPlugin = {
  install(app: App, options: VueQueryPluginOptions = {}): void {
    checkPeers(app)
    const given = 'queryClient' in options ? options.queryClient : undefined
    const config = 'queryClientConfig' in options ? options.queryClientConfig : undefined
    // What is no QueryClient (a test's stand-in) is TanStack's to take or to refuse.
    if (given !== undefined && typeof given?.getQueryCache !== 'function') TanStackPlugin.install(app, options)
    else install(app, syncClientFor(given ?? new QueryClient(config)), options)
  },
}

function install(app: App, client: SyncClient, options: VueQueryPluginOptions): void {
  const viewClient = inVue(client.viewClient)
  const queryClient = inVue(client.queryClient)
  // TanStack's composables subscribe only where there is such a ref; a QueryClient of query-core has none.
  viewClient.isRestoring ??= ref(false)
  const { clientPersister, clientPersisterOnSuccess } = options
  TanStackPlugin.install(app, {
    ...options,
    queryClient: viewClient,
    // What is kept is base.
    ...(clientPersister && { clientPersister: () => clientPersister(queryClient) }),
    ...(clientPersisterOnSuccess && {
      clientPersisterOnSuccess: () => clientPersisterOnSuccess(queryClient),
    }),
  })
  if (environmentManager.isServer()) client.renderedOnServer()
  else onUnmount(app, startClient(client))
}

/** Vue's own QueryClient is query-core's, with refs allowed as arguments and in another copy of it. */
function inVue(queryClient: object): QueryClient {
  return queryClient as QueryClient
}

function onUnmount(app: App, end: () => void): void {
  if (typeof app.onUnmount === 'function') app.onUnmount(end)
  else {
    const { unmount } = app // before Vue 3.5
    app.unmount = () => {
      end()
      unmount()
    }
  }
}

function injected(id: string): object | undefined {
  checkPeers()
  if (!hasInjectionContext()) {
    throw new SyncError('usage', 'Composables of tidemark/vue are called in setup(), or where injections work.')
  }
  return inject<object | undefined>(id === '' ? VUE_QUERY_CLIENT : `${VUE_QUERY_CLIENT}:${id}`, undefined)
}

/** The sync client that the QueryClient belongs to; without one that of the application. */
export function resolveSyncClient(queryClient: object | undefined, id = ''): SyncClient {
  const nearest = queryClient ?? injected(id)
  const client = findSyncClient(nearest)
  if (client !== undefined) return client
  throw new SyncError(
    'usage',
    nearest === undefined
      ? 'There is no sync client here: call app.use(syncPlugin, { client: sync }) first.'
      : 'This QueryClient has no sync client: take VueQueryPlugin from tidemark/vue, or use syncPlugin.',
  )
}

/** The sync client of the application (of this `queryClientKey`). Throws a `usage` error without one. */
export function useSyncClient(id = ''): SyncClient {
  return resolveSyncClient(undefined, id)
}

/** Vue's QueryClient, whose methods also take the definitions and keys of `tidemark`. */
export type AppQueryClient = Pick<CoreQueryClient, keyof CoreQueryClient> & QueryClient

/** The `QueryClient` that the application gave (base, not views). Throws a `usage` error without one. */
export function useQueryClient(id = ''): AppQueryClient {
  return nearestQueryClient(id)
}

/** What {@link useQueryClient} returns, where it is only a check. */
export function nearestQueryClient(id = ''): AppQueryClient {
  const nearest = injected(id)
  if (nearest !== undefined) return inVue(findSyncClient(nearest)?.queryClient ?? nearest) as AppQueryClient
  throw new SyncError('usage', 'There is no QueryClient here: call app.use(syncPlugin, { client: sync }) first.')
}
