// One sync client in virtual time, on a network that the test answers by hand.
import type { ClientStorage, SyncClient, SyncClientOptions, SyncError } from 'tidemark'
import { createQueryStore, createSyncClient, memoryStorage, QueryClient, seededRandom } from 'tidemark'
import type { VirtualClock } from './clock'
import { virtualClock } from './clock'
import type { ScriptedNetwork } from './network'
import { scriptedNetwork } from './network'

export interface World {
  readonly sync: SyncClient
  readonly clock: VirtualClock
  readonly net: ScriptedNetwork
  /** What a second world is given to be the page after a reload. */
  readonly storage: ClientStorage
  /** What was reported. */
  readonly reports: SyncError[]
  /** What a developer was warned of. */
  readonly warnings: string[]
  /** Watches a query; `values` are the data of every publish, the one at the start included. */
  watch<T>(options: { queryKey: readonly unknown[] }): Watch<T>
  settle(): Promise<void>
  advance(milliseconds: number): Promise<void>
}

export interface Watch<T> {
  readonly values: Array<T | undefined>
  readonly data: T | undefined
  stop(): void
}

export function createWorld(options: SyncClientOptions & { seed?: number } = {}): World {
  const { seed = 1, platform, storage = memoryStorage(), ...rest } = options
  const clock = virtualClock()
  const net = scriptedNetwork()
  const reports: SyncError[] = []
  const warnings: string[] = []
  const sync = createSyncClient({
    queryClient: new QueryClient({
      defaultOptions: {
        queries: { retry: false, gcTime: Number.POSITIVE_INFINITY, staleTime: Number.POSITIVE_INFINITY },
      },
    }),
    onReport: (report) => void reports.push(report),
    storage,
    platform: {
      clock,
      random: seededRandom(seed),
      network: net.network,
      fetch: net.fetch,
      development: true,
      console: { warn: (message: unknown) => void warnings.push(String(message)) },
      ...platform,
    },
    ...rest,
  })
  return {
    sync,
    clock,
    net,
    storage,
    reports,
    warnings,
    watch<T>(query: { queryKey: readonly unknown[] }): Watch<T> {
      const store = createQueryStore(sync, query as never) as unknown as {
        getState(): { data: T | undefined }
        subscribe(listener: (state: { data: T | undefined }) => void): () => void
      }
      const values: Array<T | undefined> = []
      const note = ({ data }: { data: T | undefined }) => {
        if (values.length === 0 || values.at(-1) !== data) values.push(data)
      }
      const stop = store.subscribe(note)
      note(store.getState())
      return {
        values,
        get data() {
          return store.getState().data
        },
        stop,
      }
    },
    settle: clock.settle,
    advance: clock.advance,
  }
}
