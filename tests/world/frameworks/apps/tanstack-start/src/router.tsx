import { createRouter } from '@tanstack/react-router'
import { createIsomorphicFn } from '@tanstack/react-start'
import { getRequestHeader } from '@tanstack/react-start/server'
import { createSyncClient } from 'tidemark'
import { dehydrate, hydrate, SyncProvider } from 'tidemark/react'
import { addTodo } from '../todos'
import { routeTree } from './routeTree.gen'

const headers = createIsomorphicFn()
  .server(() => ({ cookie: getRequestHeader('cookie') }))
  .client(() => ({}))

/** Called for each request on the server, and once in a browser. */
export function getRouter() {
  const sync = createSyncClient({ mutations: [addTodo], headers })
  return createRouter({
    routeTree,
    context: { sync },
    Wrap: ({ children }) => <SyncProvider client={sync}>{children}</SyncProvider>,
    dehydrate: () => ({ state: JSON.stringify(dehydrate(sync.queryClient)) }),
    hydrate: ({ state }) => hydrate(sync.queryClient, JSON.parse(state)),
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof getRouter>
  }
}
