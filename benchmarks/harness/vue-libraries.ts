// Tidemark and TanStack Query in Vue, as their pages say.
import './page.ts'
import { MutationObserver, QueryClient, useQuery, VueQueryPlugin } from '@tanstack/vue-query'
import { createSyncClient } from 'tidemark'
import { syncPlugin, useQuery as useView } from 'tidemark/vue'
import type { App } from 'vue'
import type { Change, Row, Server } from './server.ts'
import { changeOf, rowsQuery } from './tidemark.ts'

/** Vue reads the document when it is imported: after the page is there. */
export const vue: typeof import('vue') = await import('vue')

export interface VueLibrary {
  readonly name: string
  open(server: Server): {
    install(app: App): void
    /** The library's composable. */
    rows(): { readonly value: readonly Row[] | undefined }
    write(change: Change): unknown
    close(): void
  }
}

export const tidemarkVue: VueLibrary = {
  name: 'tidemark',
  open(server) {
    const change = changeOf(server, ({ id }) => id)
    const sync = createSyncClient({ mutations: [change] })
    const query = rowsQuery(server)
    return {
      install: (app) => void app.use(syncPlugin, { client: sync }),
      rows: () => useView(query).data,
      write: (variables) => sync.mutate(change, variables),
      close: () => void sync.close({ outbox: 'discard' }),
    }
  },
}

export const vueQuery: VueLibrary = {
  name: 'vue-query',
  open(server) {
    const client = new QueryClient()
    const queryKey = ['rows']
    const mutation = new MutationObserver(client, {
      mutationFn: (change: Change) => server.send(change),
      async onMutate({ id, n }) {
        await client.cancelQueries({ queryKey })
        const previous = client.getQueryData(queryKey)
        client.setQueryData<Row[]>(queryKey, (old) => old?.map((row) => (row.id === id ? { ...row, n } : row)))
        return { previous }
      },
      onError: (_error, _change, context) => void client.setQueryData(queryKey, context?.previous),
      onSettled: () => client.invalidateQueries({ queryKey }),
    })
    return {
      install: (app) => void app.use(VueQueryPlugin, { queryClient: client }),
      rows: () => useQuery({ queryKey, queryFn: () => server.read(), staleTime: Number.POSITIVE_INFINITY }).data,
      write: (change) => mutation.mutate(change).catch(() => {}),
      close: () => client.clear(),
    }
  },
}
