/** `tidemark/vue`: everything of `@tanstack/vue-query`, over views. Names of ours stand before TanStack's. */
export * from '@tanstack/vue-query'
export type { SyncPluginOptions } from './client'
export { syncPlugin, useQueryClient, useSyncClient, VueQueryPlugin } from './client'
export { useOutbox, usePending, useSyncStatus } from './stores'
export { useMutation } from './use-mutation'
