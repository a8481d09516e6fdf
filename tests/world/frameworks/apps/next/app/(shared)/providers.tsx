'use client'

import type { ReactNode } from 'react'
import { createSyncClient } from 'tidemark'
import { SyncProvider } from 'tidemark/react'

/** The mistake: all requests share what stands at the top of a module. */
const sync = createSyncClient()

export function Providers({ children }: { children: ReactNode }) {
  return <SyncProvider client={sync}>{children}</SyncProvider>
}
