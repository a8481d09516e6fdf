/** `tidemark/vue`: everything of `@tanstack/vue-query`, over views. Names of ours stand before TanStack's. */
export * from '@tanstack/vue-query'
export { dehydrate, hydrate } from 'tidemark'
export type { AppQueryClient, SyncPluginOptions } from './client'
export { syncPlugin, useQueryClient, useSyncClient, VueQueryPlugin } from './client'
export {
  useInfiniteQuery,
  useIsFetching,
  useIsMutating,
  useMutationState,
  usePrefetchInfiniteQuery,
  usePrefetchQuery,
  useQueries,
  useQuery,
} from './queries'
export { useOutbox, usePending, useRow, useSyncStatus } from './stores'
export { useMutation } from './use-mutation'
