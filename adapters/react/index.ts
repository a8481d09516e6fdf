/** `tidemark/react`: everything of `@tanstack/react-query`, over views. Names of ours stand before TanStack's. */
export * from '@tanstack/react-query'
export { dehydrate, hydrate } from 'tidemark'
export type { SyncProviderProps } from './context'
export { QueryClientProvider, SyncProvider, useQueryClient, useSyncClient } from './context'
export { HydrationBoundary } from './hydration-boundary'
export {
  useInfiniteQuery,
  useIsFetching,
  useIsMutating,
  useMutationState,
  usePrefetchInfiniteQuery,
  usePrefetchQuery,
  useQueries,
  useQuery,
  useSuspenseInfiniteQuery,
  useSuspenseQueries,
  useSuspenseQuery,
} from './queries'
export { useOutbox, usePending, useRow, useSyncStatus } from './stores'
export { useMutation } from './use-mutation'
export type { SyncActionState } from './use-sync-action'
export { useSyncAction } from './use-sync-action'
