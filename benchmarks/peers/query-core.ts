// @tanstack/query-core as its guide to optimistic updates says: cancel what is read, keep what was there, write into the
// cache, put it back on an error, read again when all is settled.
import { MutationObserver, notifyManager, QueryClient, QueryObserver } from '@tanstack/query-core'
import type { Change, Row } from '../harness/server.ts'
import type { Library, Queries, Subject } from '../harness/subject.ts'

export const queryCore: Library = {
  name: 'query-core',
  queue(server) {
    const client = new QueryClient()
    client.mount()
    return {
      write(change, scope) {
        const mutationFn = (sent: Change) => server.send(sent)
        return new MutationObserver(client, { mutationFn, scope: { id: scope } }).mutate(change)
      },
      close: () => [client.unmount(), client.clear()],
    }
  },
  queries: () => queries(),
  async open({ server, show, watch }): Promise<Subject> {
    const client = new QueryClient()
    client.mount()
    const queryKey = watch === undefined ? ['rows'] : ['row', watch]
    const queryFn = async (): Promise<Row[] | Row | undefined> =>
      watch === undefined ? server.read() : server.rows.find(({ id }) => id === watch)
    const options = { queryKey, queryFn, staleTime: Number.POSITIVE_INFINITY }
    await client.fetchQuery(options)
    if (watch !== undefined) await client.fetchQuery({ ...options, queryKey: ['rows'], queryFn: () => server.read() })
    new QueryObserver(client, options).subscribe(({ data }) => show(data))
    const with_ = (old: Row[] | Row | undefined, { id, n }: Change) => {
      if (Array.isArray(old)) return old.map((row) => (row.id === id ? { ...row, n } : row))
      return old?.id === id ? { ...old, n } : old
    }
    const mutation = new MutationObserver(client, {
      mutationFn: (change: Change) => server.send(change),
      async onMutate(change) {
        await client.cancelQueries({ queryKey })
        const previous = client.getQueryData(queryKey)
        client.setQueryData<Row[] | Row>(queryKey, (old) => with_(old, change))
        return { previous }
      },
      onError: (_error, _change, context) => void client.setQueryData(queryKey, context?.previous),
      onSettled: () => client.invalidateQueries({ queryKey }),
    })
    return {
      write: (change) => mutation.mutate(change).catch(() => {}),
      refetch: () => client.invalidateQueries({ queryKey }),
      handIn: (rows) => void client.setQueryData(queryKey, rows),
      close: () => [client.unmount(), client.clear()],
    }
  },
}

type Wrap = (show: (row: Row) => void) => (row: Row) => void

function queries(wrap: Wrap = (show) => show): Queries {
  const client = new QueryClient()
  const options = (at: number) => ({
    queryKey: ['row', at],
    queryFn: (): Promise<Row> => new Promise(() => {}),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: false,
  })
  return {
    set: (at, row) => void client.setQueryData(['row', at], row),
    watch(at, show) {
      const call = wrap(show)
      new QueryObserver(client, options(at)).subscribe(({ data }) => data && call(data))
    },
    invalidate: (at) => void client.invalidateQueries({ queryKey: ['row', at], refetchType: 'none' }),
  }
}

/** The same with the subscriber that its hooks make: called after a timer of 0 ms, with all that came until then. */
export const queryCoreHooks: Library = {
  ...queryCore,
  name: 'query-core, as its hooks do',
  queries: () => queries(notifyManager.batchCalls),
}
