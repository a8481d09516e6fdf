// Sync clients behind an address: the core's sources and Node's own fetch.
import type { MutationHandle, SyncClient, SyncError } from 'tidemark'
import { createQueryStore, createSyncClient, defineMutation, entity, queryOptions, syncStream } from 'tidemark'

export interface Write {
  id: string
  scope: string
  /** Its number in the order in which the server ran the writes. */
  place: number
  /** How often the server ran it. */
  times: number
}

const writeRow = entity<Write>('write')

export interface Client {
  sync: SyncClient
  reports: SyncError[]
  /** Calls `listener` with the rows whenever they change; returns a function that stops. */
  watch(listener: (rows: readonly Write[]) => void): () => void
  add(id: string, scope: string): MutationHandle<Write>
}

export interface ClientOptions {
  /** Without one it only pulls. */
  stream?: boolean | undefined
  pollInterval?: number | undefined
}

/** It runs until `sync.close()`. */
export function createClient(base: string, { stream = true, pollInterval }: ClientOptions = {}): Client {
  const query = queryOptions({
    queryKey: ['writes'],
    queryFn: ({ fetch }) => fetch(`${base}/queries/writes`).then((answer): Promise<Write[]> => answer.json()),
    rows: [writeRow, (writes) => writes, { where: () => true }],
  })
  const add = defineMutation({
    mutationKey: ['writes', 'add'],
    mutationFn: (write: Pick<Write, 'id' | 'scope'>, { fetch }) =>
      fetch(`${base}/mutations/writes/add`, { body: JSON.stringify(write) }).then(
        (answer): Promise<Write> => answer.json(),
      ),
    optimistic: (view, write) => view.insert(query.queryKey, writeRow, { ...write, place: 0, times: 0 }),
    apply: (base, saved) => base.upsert(writeRow, saved),
    scope: ({ scope }) => ({ id: scope }),
  })
  const reports: SyncError[] = []
  const sync = createSyncClient({
    mutations: [add],
    stream: stream && syncStream({ url: `${base}/stream`, topics: ['write'], pollInterval }),
    onReport: (report) => void reports.push(report),
    platform: { development: false }, // no sentences for developers among the figures
    breaker: { cap: 2_000 }, // a restart is seconds away, not minutes
  })
  sync.start()
  return {
    sync,
    reports,
    watch(listener) {
      const store = createQueryStore(sync, query)
      return store.subscribe(({ data }) => data !== undefined && listener(data))
    },
    add: (id, scope) => sync.mutate(add, { id, scope }),
  }
}
