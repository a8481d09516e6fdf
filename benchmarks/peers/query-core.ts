// @tanstack/query-core as its guide to optimistic updates says: cancel what is read, keep what was there, write into the
// cache, put it back on an error, read again when all is settled.
import { MutationObserver, QueryClient, QueryObserver } from '@tanstack/query-core'
import type { Change, Row } from '../harness/server.ts'
import type { Library, Subject } from '../harness/subject.ts'

export const queryCore: Library = {
  name: 'query-core',
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
