/** TanStack's `hydrate`, for state that comes from outside. Data goes in through the adopted queries, as base. */
import type { DehydratedState, DehydrateOptions, HydrateOptions, QueryClient } from '@tanstack/query-core'
import { dehydrate as dehydrateClient, hydrate as hydrateSound } from '@tanstack/query-core'
import { soundState } from '../base/dehydrated'
import type { SyncError } from '../base/errors'
import { usageError } from '../base/errors'
import { CLIENT } from './view-client'

/** A `QueryClient` of any package: classes of two copies of query-core are two types, though they are the same at run time. */
export type AnyQueryClient = QueryClient | { getQueryCache(): object; getMutationCache(): object; mount(): void }

/** TanStack's `dehydrate`: what it writes down is base, with the position (cursor) of each query. */
export const dehydrate: (client: AnyQueryClient, options?: DehydrateOptions) => DehydratedState =
  dehydrateClient as never

/**
 * TanStack's `hydrate`. Each query's data becomes base, at the position (cursor) that it was read at. Queries and
 * mutations that are malformed are left out and reported as `usage`; nothing is thrown.
 */
export function hydrate(client: AnyQueryClient, state: unknown, options?: HydrateOptions): void {
  const queryClient = client as QueryClient & Record<typeof CLIENT, { report(error: SyncError): void } | undefined>
  const sound: object = soundState(state, (message) => queryClient[CLIENT]?.report(usageError(message)))
  hydrateSound(queryClient, sound as Partial<DehydratedState>, options)
}
