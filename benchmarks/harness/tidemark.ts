// Tidemark as its documentation says: a query with its rows declared, a mutation with `optimistic` and `apply`, a store.
import type { SyncClientOptions } from 'tidemark'
import { createQueryStore, createSyncClient, defineMutation, entity, memoryStorage, queryOptions } from 'tidemark'
import type { Change, Row, Server } from './server.ts'
import type { Library, Queue, Subject } from './subject.ts'

const rowEntity = entity<Row>('row')

/** All rows of the server, in a list that says how it is made. */
export const rowsQuery = (server: Server) =>
  queryOptions({
    queryKey: ['rows'],
    queryFn: () => server.read(),
    rows: [rowEntity, (rows) => rows, { where: () => true }],
    staleTime: Number.POSITIVE_INFINITY,
  })

/** One row of it. */
const rowQuery = (server: Server, id: string) =>
  queryOptions({
    queryKey: ['row', id],
    queryFn: async () => server.rows.find((row) => row.id === id) as Row,
    rows: [rowEntity, (row) => row],
    staleTime: Number.POSITIVE_INFINITY,
  })

export const changeOf = (server: Server, scope: (change: Change) => string) =>
  defineMutation({
    mutationKey: ['rows', 'change'],
    mutationFn: (change: Change) => server.send(change),
    optimistic: (view, { id, n }) =>
      view.row(rowEntity, id).update((draft: { -readonly [Name in keyof Row]: Row[Name] }) => {
        draft.n = n
      }),
    apply: (base, saved) => base.upsert(rowEntity, saved),
    scope: (change) => ({ id: scope(change) }),
  })

/** Writes alone. */
const sendOf = (server: Server) =>
  defineMutation({
    mutationKey: ['rows', 'send'],
    mutationFn: ({ id, n }: Change & { scope: string }) => server.send({ id, n }),
    scope: ({ scope }) => ({ id: scope }),
    invalidates: () => [],
  })

/** One of many queries. */
export const oneOf = (at: number) =>
  queryOptions({
    queryKey: ['row', at],
    queryFn: (): Promise<Row> => new Promise(() => {}),
    rows: [rowEntity, (row) => row],
    staleTime: Number.POSITIVE_INFINITY,
    enabled: false,
  })

export const tidemark: Library = {
  name: 'tidemark',
  queue: (server) => queueOf(server, {}),
  queries() {
    const sync = createSyncClient()
    return {
      set: (at, row) => void sync.queryClient.setQueryData(oneOf(at).queryKey, row),
      watch: (at, show) => void createQueryStore(sync, oneOf(at)).subscribe(({ data }) => data && show(data)),
      invalidate: (at) =>
        void sync.queryClient.invalidateQueries({ queryKey: oneOf(at).queryKey, refetchType: 'none' }),
    }
  },
  hasRows: true,
  async open({ server, show, watch }): Promise<Subject> {
    const change = changeOf(server, ({ id }) => id)
    const sync = createSyncClient({ mutations: [change] })
    sync.start()
    const rows = rowsQuery(server)
    await sync.queryClient.fetchQuery(rows)
    if (watch === undefined) createQueryStore(sync, rows).subscribe(({ data }) => show(data))
    else {
      const row = rowQuery(server, watch)
      await sync.queryClient.fetchQuery(row)
      createQueryStore(sync, row).subscribe(({ data }) => show(data))
    }
    return {
      write: (variables) => sync.mutate(change, variables).confirmed.catch(() => {}),
      refetch: () => sync.queryClient.invalidateQueries({ queryKey: rows.queryKey }),
      handIn: (next) => void sync.queryClient.setQueryData(rows.queryKey, next),
      close: () => void sync.close({ outbox: 'discard' }),
    }
  },
}

/** The same with its outbox in a storage, which is in memory, too: what is measured is the client's part. */
export const tidemarkStored: Library = {
  ...tidemark,
  name: 'tidemark with a storage',
  queue: (server) => queueOf(server, { storage: memoryStorage() }),
}

function queueOf(server: Server, options: SyncClientOptions): Queue {
  const send = sendOf(server)
  const sync = createSyncClient({ ...options, mutations: [send] })
  sync.start()
  return {
    write: (change, scope) => sync.mutate(send, { ...change, scope }).confirmed,
    close: () => void sync.close({ outbox: 'discard' }),
  }
}
