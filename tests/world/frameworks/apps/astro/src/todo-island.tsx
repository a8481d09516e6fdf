import { useState } from 'react'
import type { SyncClient } from 'tidemark'
import { createSyncClient } from 'tidemark'
import type { DehydratedState } from 'tidemark/react'
import { HydrationBoundary, SyncProvider } from 'tidemark/react'
import { addTodo } from '../todos'
import { TodoList } from './todo-list'

const makeClient = () => createSyncClient({ mutations: [addTodo] })
let shared: SyncClient | undefined

/** The islands of a page share a client; on the server each has its own. */
function getClient(): SyncClient {
  if (typeof window === 'undefined') return makeClient()
  shared ??= makeClient()
  return shared
}

export function TodoIsland({ state }: { state: DehydratedState }) {
  const [sync] = useState(getClient)
  return (
    <SyncProvider client={sync}>
      <HydrationBoundary state={state}>
        <TodoList />
      </HydrationBoundary>
    </SyncProvider>
  )
}
