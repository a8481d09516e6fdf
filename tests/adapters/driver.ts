// What a framework must bring to run the contract: a component is a function that calls hooks and returns how it reads.
import type {
  DefinedInfiniteQuery,
  DefinedMutation,
  DefinedQuery,
  Entity,
  MutationObserverResult,
  OutboxEntry,
  OutboxState,
  PendingFilter,
  QueryClient,
  QueryKey,
  QueryObserverResult,
  SyncClient,
  SyncStatus,
} from 'tidemark'

/** Reads the newest value: of this render in React, of the refs in Vue. */
export type Read<T> = () => T

// biome-ignore lint/suspicious/noExplicitAny: options of any query, as the frameworks' own types see them
type AnyQuery = DefinedQuery<any, any, any, any> | Record<string, unknown>
// biome-ignore lint/suspicious/noExplicitAny: the same for infinite ones
type AnyInfinite = DefinedInfiniteQuery<any, any, any, any, any> | Record<string, unknown>

export interface MutationResult {
  status: MutationObserverResult['status']
  data: unknown
  error: (Error & { code?: string }) | null
  isPaused: boolean
  isPending: boolean
  failureCount: number
  failureReason: Error | null
  variables: unknown
  submittedAt: number
  mutate(variables?: unknown, callbacks?: Record<string, (...args: never[]) => unknown>): void
  mutateAsync(variables?: unknown, callbacks?: Record<string, (...args: never[]) => unknown>): Promise<unknown>
  reset(): void
}

/** The hooks of both frameworks, brought to one form: options may be a function, results are read by calling. */
export interface Hooks {
  useQuery<T = unknown>(options: () => AnyQuery): Read<QueryObserverResult<T>>
  useInfiniteQuery(
    options: () => AnyInfinite,
  ): Read<Record<string, never> & { data: unknown; fetchNextPage(): Promise<unknown> }>
  useQueries(
    options: () => { queries: AnyQuery[]; combine?: (results: QueryObserverResult[]) => unknown },
  ): Read<unknown>
  // biome-ignore lint/suspicious/noExplicitAny: any mutation, defined or inline
  useMutation(options: DefinedMutation<any, any> | Record<string, unknown>): Read<MutationResult>
  useIsFetching(): Read<number>
  useIsMutating(filters?: { mutationKey?: QueryKey }): Read<number>
  useMutationState(options?: Record<string, unknown>): Read<unknown[]>
  useSyncStatus<T>(selector: (status: SyncStatus) => T): Read<T>
  useOutbox<T>(selector: (outbox: OutboxState) => T): Read<T>
  usePending<T = readonly OutboxEntry[]>(
    filter: () => PendingFilter,
    selector?: (entries: readonly OutboxEntry[]) => T,
  ): Read<T>
  useRow<TRow, T = TRow | undefined>(
    entity: Entity<TRow>,
    id: () => string,
    selector?: (row: TRow | undefined) => T,
  ): Read<T>
  useSyncClient(): SyncClient
  useQueryClient(): QueryClient
}

/** The same without results: what a driver is written against. */
export type LooseHooks = { [Name in keyof Hooks]: (...args: Parameters<Hooks[Name]>) => unknown }

/** Calls hooks, and returns what the component shows. */
export type Component = (hooks: Hooks) => () => string

export interface Mounted {
  /** What is on the screen now. */
  read(): string
  /** How often the component has rendered. */
  readonly renders: number
  /** Errors that no component caught. */
  readonly errors: unknown[]
  unmount(): void
}

/** What to mount under: a provider of ours with a sync client or a QueryClient, TanStack's own provider, or none. */
export type Host = { sync: SyncClient } | { queryClient: QueryClient } | { tanStack: QueryClient } | { nothing: true }

export interface Driver {
  readonly name: string
  mount(host: Host, ...components: Component[]): Mounted
  /** A QueryClient of the framework's own package. */
  createQueryClient(): QueryClient
  /** Runs `run`, then waits until effects, timers of 0 ms and renders are done. */
  act(run?: () => unknown): Promise<void>
}

export const settle = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setTimeout(resolve, 0))
}
