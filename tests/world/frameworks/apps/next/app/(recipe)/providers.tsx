'use client'

import type { ReactNode } from 'react'
import { isServer, QueryClient, QueryClientProvider } from 'tidemark/react'

let browserClient: QueryClient | undefined

const makeClient = () => new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } })

function getClient(): QueryClient {
  if (isServer) return makeClient()
  browserClient ??= makeClient()
  return browserClient
}

export function Providers({ children }: { children: ReactNode }) {
  return <QueryClientProvider client={getClient()}>{children}</QueryClientProvider>
}
