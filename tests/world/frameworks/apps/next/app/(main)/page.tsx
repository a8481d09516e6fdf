import { cookies } from 'next/headers'
import { Suspense } from 'react'
import { createSyncClient } from 'tidemark'
import { dehydrate, HydrationBoundary } from 'tidemark/react'
import { todosQuery } from '../../todos'
import { TodoList } from './todo-list'

export default function Page() {
  return (
    <Suspense fallback={<p>Loading</p>}>
      <Todos />
    </Suspense>
  )
}

async function Todos() {
  const cookie = (await cookies()).toString()
  const sync = createSyncClient({ headers: { cookie } }) // reads as this visitor, and keeps positions
  await sync.queryClient.prefetchQuery(todosQuery)
  return (
    <HydrationBoundary state={dehydrate(sync.queryClient)}>
      <TodoList />
    </HydrationBoundary>
  )
}
