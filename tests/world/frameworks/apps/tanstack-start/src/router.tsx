import { createRouter } from '@tanstack/react-router'
import { setupRouterSsrQueryIntegration } from '@tanstack/react-router-ssr-query'
import { createIsomorphicFn } from '@tanstack/react-start'
import { getRequestHeader } from '@tanstack/react-start/server'
import { createSyncClient } from 'tidemark'
import { SyncProvider } from 'tidemark/react'
import { addTodo } from '../todos'
import { routeTree } from './routeTree.gen'

const headers = createIsomorphicFn()
  .server(() => ({ cookie: getRequestHeader('cookie') }))
  .client(() => ({}))

/** Called for each request on the server, and once in a browser. */
export function getRouter() {
  const sync = createSyncClient({ mutations: [addTodo], headers })
  const router = createRouter({
    routeTree,
    context: { sync },
    Wrap: ({ children }) => <SyncProvider client={sync}>{children}</SyncProvider>,
  })
  // Hands on what the server read, also what comes later than the page; the provider is ours.
  setupRouterSsrQueryIntegration({ router, queryClient: sync.queryClient, wrapQueryClient: false })
  return router
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof getRouter>
  }
}
