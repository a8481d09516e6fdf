'use client'

/** Providers: TanStack's own context holds the view client, so that TanStack's own hooks show views. */
import type { QueryClientProviderProps } from '@tanstack/react-query'
import type { ReactElement, ReactNode } from 'react'
import { createElement, useContext, useEffect } from 'react'
import type { QueryClient, SyncClient } from 'tidemark'
import { SyncError } from 'tidemark'
import { checkSyncClient, findSyncClient, startClient, syncClientFor } from '../clients'
import { noClient } from './no-client'
import { QueryClientContext, usePeers, useSyncExternalStore } from './peers'
import { renderInTurn } from './scheduler'

/** Props of {@link SyncProvider}. */
export interface SyncProviderProps {
  /** What `createSyncClient()` returned. */
  client: SyncClient
  children?: ReactNode
}

/**
 * Gives a sync client to the components inside, and runs it while it is mounted: started in an effect, stopped when the
 * last provider of this client is gone. Providers nest; the innermost counts. Throws a `usage` error for anything that is
 * not a sync client.
 *
 * @example
 * ```tsx
 * const sync = createSyncClient({ mutations: [addTodo], stream: syncStream({ url: '/api/sync' }) })
 * root.render(<SyncProvider client={sync}><App /></SyncProvider>)
 * ```
 */
export function SyncProvider({ client, children }: SyncProviderProps): ReactElement {
  usePeers()
  checkSyncClient(client, 'SyncProvider', 'QueryClientProvider')
  useEffect(() => {
    const stopTurns = renderInTurn(client)
    const stop = startClient(client)
    return () => {
      stop()
      stopTurns()
    }
  }, [client])
  // Only a render on a server, and hydration, ask for the server's snapshot: other renderers without a window do not.
  useSyncExternalStore(subscribeNever, none, client.renderedOnServer)
  return createElement(QueryClientContext.Provider, { value: client.viewClient as never }, children)
}

const none = (): void => {}
const subscribeNever = (): (() => void) => none

/**
 * TanStack's provider for a plain `QueryClient`. The sync client that the QueryClient belongs to is used; without one a
 * pull-only one is made, once per QueryClient.
 */
export function QueryClientProvider({ client, children }: QueryClientProviderProps): ReactElement {
  if (typeof (client as QueryClient | undefined)?.getQueryCache !== 'function') {
    throw new SyncError(
      'usage',
      'QueryClientProvider needs a client: <QueryClientProvider client={new QueryClient()}>.',
    )
  }
  return createElement(SyncProvider, { client: syncClientFor(client) }, children)
}

/** The sync client of the nearest provider, or of the given QueryClient. Throws a `usage` error without one. */
export function useSyncClient(queryClient?: object): SyncClient {
  const nearest = usePeers() as object | undefined
  const client = findSyncClient(queryClient ?? nearest)
  if (client !== undefined) return client
  throw new SyncError(
    'usage',
    (queryClient ?? nearest) === undefined
      ? 'There is no sync client here: render this inside <SyncProvider client={sync}>.'
      : 'This QueryClient has no sync client: take QueryClientProvider from tidemark/react, or use <SyncProvider>.',
  )
}

/** The `QueryClient` that the application gave (base, not views), or the one passed in. Throws a `usage` error without one. */
export function useQueryClient(queryClient?: QueryClient): QueryClient {
  const nearest = useContext(QueryClientContext)
  const client = queryClient ?? findSyncClient(nearest)?.queryClient ?? nearest
  if (client === undefined) throw noClient()
  return client as QueryClient
}
