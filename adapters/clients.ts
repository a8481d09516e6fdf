/** Which sync client a QueryClient belongs to. A QueryClient carries it, so that two copies of a module find the same. */
import type { AnyQueryClient, SyncClient } from 'tidemark'
import { createSyncClient, mirrorMutations, SyncError } from 'tidemark'

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

const ADVICE = Symbol.for('tidemark.advice')

/** Who tells a developer of mistakes that are no errors. */
interface Advice {
  provided(): () => void
  hooked(mutation: object): void
}

/** A client has one in development only. */
export function adviceOf(client: SyncClient): Advice | undefined {
  return (client as unknown as Record<symbol, Advice | undefined>)[ADVICE]
}

/** Starts a client for as long as something is mounted. A client that is closed shows what it has, and does nothing. */
export function startClient(client: SyncClient): () => void {
  const advice = adviceOf(client)
  const end = advice?.provided()
  mirrorMutations(client) // for TanStack's `useIsMutating`, `useMutationState` and devtools
  try {
    const stop = client.start()
    return () => {
      stop()
      end?.()
    }
  } catch (error) {
    if (advice !== undefined) console.warn(`Tidemark: ${(error as Error).message}`)
    return () => end?.()
  }
}
