'use client'

import type { ReactNode } from 'react'
import { useState } from 'react'
import { createSyncClient } from 'tidemark'
import { SyncProvider } from 'tidemark/react'
import { addTodo } from '../../todos'

export function Providers({ children }: { children: ReactNode }) {
  // In state: each request that is rendered on the server has a client of its own, and a browser keeps its one.
  const [sync] = useState(() => createSyncClient({ mutations: [addTodo] }))
  return <SyncProvider client={sync}>{children}</SyncProvider>
}
