'use client'

import { ReactQueryStreamedHydration } from '@tanstack/react-query-next-experimental'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { createSyncClient } from 'tidemark'
import { SyncProvider } from 'tidemark/react'
import { addTodo } from '../../todos'

/** TanStack's way to read in client components without a prefetch: what the server reads is streamed after the page. */
export function Providers({ children }: { children: ReactNode }) {
  const [sync] = useState(() => createSyncClient({ mutations: [addTodo] }))
  return (
    <SyncProvider client={sync}>
      <ReactQueryStreamedHydration>{children}</ReactQueryStreamedHydration>
    </SyncProvider>
  )
}
