// Tidemark and TanStack Query in React, as their pages say; both on the React that the product is tested with.
import './page.ts'
import { MutationObserver, QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import * as react from 'react'
import { createRoot } from 'react-dom/client'
import { createSyncClient } from 'tidemark'
import { SyncProvider, useQuery as useView } from 'tidemark/react'
import type { ReactLibrary } from './react.ts'
import type { Change, Row, Server } from './server.ts'
import { changeOf, rowsQuery } from './tidemark.ts'

const common = {
  react: react as unknown as ReactLibrary['react'],
  createRoot: createRoot as ReactLibrary['createRoot'],
}

export const tidemarkReact: ReactLibrary = {
  ...common,
  name: 'tidemark',
  open(server) {
    const change = changeOf(server, ({ id }) => id)
    const sync = createSyncClient({ mutations: [change] })
    const rows = rowsQuery(server)
    return {
      Provider: ({ children }) => react.createElement(SyncProvider, { client: sync }, children),
      useRows: () => useView(rows).data,
      write: (variables) => sync.mutate(change, variables),
      close: () => void sync.close({ outbox: 'discard' }),
    }
  },
}

export const reactQuery: ReactLibrary = {
  ...common,
  name: 'react-query',
  open(server: Server) {
    const client = new QueryClient()
    const queryKey = ['rows']
    const options = { queryKey, queryFn: () => server.read(), staleTime: Number.POSITIVE_INFINITY }
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
      Provider: ({ children }) => react.createElement(QueryClientProvider, { client }, children),
      useRows: () => useQuery(options).data,
      write: (change) => mutation.mutate(change).catch(() => {}),
      close: () => client.clear(),
    }
  },
}
