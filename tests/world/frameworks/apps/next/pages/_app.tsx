import type { AppProps } from 'next/app'
import { useState } from 'react'
import { createSyncClient } from 'tidemark'
import { HydrationBoundary, SyncProvider } from 'tidemark/react'
import { addTodo } from '../todos'

export default function App({ Component, pageProps }: AppProps) {
  const [sync] = useState(() => createSyncClient({ mutations: [addTodo] }))
  return (
    <SyncProvider client={sync}>
      <HydrationBoundary state={pageProps.dehydratedState}>
        <Component {...pageProps} />
      </HydrationBoundary>
    </SyncProvider>
  )
}
