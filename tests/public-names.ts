// Every name that users can import at run time, entry by entry: the package's contract. A name added to an entry is
// added here; one that is missing here or there fails `public-names.test.ts` and, on the built package, `dist/`.

export interface Entry {
  /** As users write it. */
  readonly specifier: string
  readonly source: string
  /** A package that is re-exported whole: its names belong to the entry too. */
  readonly includes: string | undefined
  /** The names that are ours, those that replace an included one among them. */
  readonly own: readonly string[]
}

export const entries: readonly Entry[] = [
  {
    specifier: 'tidemark',
    source: 'src/index.ts',
    includes: '@tanstack/query-core',
    own: [
      'SyncError',
      'createEventStream',
      'createQueryStore',
      'createRowStore',
      'createSyncClient',
      'defineMutation',
      'entity',
      'hydrate',
      'infiniteQueryOptions',
      'isSyncError',
      'memoryStorage',
      'mergeFields',
      'mirrorMutations',
      'queryOptions',
      'seededRandom',
      'syncStorage',
      'syncStream',
    ],
  },
  {
    specifier: 'tidemark/react',
    source: 'adapters/react/index.ts',
    includes: '@tanstack/react-query',
    own: [
      'HydrationBoundary',
      'QueryClientProvider',
      'SyncProvider',
      'hydrate',
      'useInfiniteQuery',
      'useIsFetching',
      'useIsMutating',
      'useMutation',
      'useMutationState',
      'useOutbox',
      'usePending',
      'usePrefetchInfiniteQuery',
      'usePrefetchQuery',
      'useQueries',
      'useQuery',
      'useQueryClient',
      'useRow',
      'useSuspenseInfiniteQuery',
      'useSuspenseQueries',
      'useSuspenseQuery',
      'useSyncAction',
      'useSyncClient',
      'useSyncStatus',
    ],
  },
  {
    specifier: 'tidemark/vue',
    source: 'adapters/vue/index.ts',
    includes: '@tanstack/vue-query',
    own: [
      'VueQueryPlugin',
      'dehydrate',
      'hydrate',
      'syncPlugin',
      'useInfiniteQuery',
      'useIsFetching',
      'useIsMutating',
      'useMutation',
      'useMutationState',
      'useOutbox',
      'usePending',
      'usePrefetchInfiniteQuery',
      'usePrefetchQuery',
      'useQueries',
      'useQuery',
      'useQueryClient',
      'useRow',
      'useSyncClient',
      'useSyncStatus',
    ],
  },
  {
    specifier: 'tidemark/mocks',
    source: 'mocks/index.ts',
    includes: undefined,
    own: ['conflict', 'createMockServer', 'forbid', 'reject', 'retryLater'],
  },
  {
    specifier: 'tidemark/mocks/node',
    source: 'mocks/node.ts',
    includes: undefined,
    own: ['conflict', 'createMockServer', 'forbid', 'reject', 'retryLater'],
  },
  {
    specifier: 'tidemark/mocks/browser',
    source: 'mocks/browser.ts',
    includes: undefined,
    own: ['conflict', 'createMockServer', 'forbid', 'reject', 'retryLater'],
  },
  {
    specifier: 'tidemark/server',
    source: 'server/index.ts',
    includes: undefined,
    own: [
      'conflict',
      'createSyncHandler',
      'forbid',
      'jsonSerializer',
      'memoryStore',
      'processBus',
      'reject',
      'retryLater',
      'sqliteStore',
      'storeError',
      'toNodeListener',
    ],
  },
]

/** All names of an entry, given those of what it includes. */
export function namesOf(entry: Entry, included: Iterable<string>): string[] {
  return [...new Set([...entry.own, ...included])].filter((name) => name !== 'default').sort()
}
