/** Which sync client a QueryClient belongs to. A QueryClient carries it, so that two copies of a module find the same. */
import type { AnyQueryClient, SyncClient } from 'tidemark'
import { createSyncClient, SyncError } from 'tidemark'

const CLIENT = Symbol.for('tidemark.client')

/** The sync client that this QueryClient (or its view client) belongs to. */
export function findSyncClient(queryClient: object | undefined): SyncClient | undefined {
  return (queryClient as Record<symbol, SyncClient | undefined> | undefined)?.[CLIENT]
}

/** The sync client of a plain QueryClient; a pull-only one is made the first time. */
export function syncClientFor(queryClient: AnyQueryClient): SyncClient {
  return findSyncClient(queryClient) ?? createSyncClient({ queryClient })
}

/** Throws a `usage` error unless this is a sync client. */
export function checkSyncClient(client: unknown, where: string, otherwise: string): asserts client is SyncClient {
  if (typeof (client as SyncClient | null | undefined)?.viewClient === 'object') return
  throw new SyncError(
    'usage',
    `${where} needs a sync client: pass what createSyncClient() returned. For a plain QueryClient use ${otherwise}.`,
  )
}

/** Starts a client for as long as something is mounted. A client that is closed shows what it has, and does nothing. */
export function startClient(client: SyncClient): () => void {
  try {
    return client.start()
  } catch (error) {
    console.warn(`Tidemark: ${(error as Error).message}`)
    return () => {}
  }
}
