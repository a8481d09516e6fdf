import { cookies } from 'next/headers'
import { Suspense } from 'react'
import { defaultShouldDehydrateQuery, dehydrate, HydrationBoundary, QueryClient } from 'tidemark/react'
import { readTodos } from '../recipe/api'
import { TodoList } from './todo-list'

export default function Page() {
  return (
    <Suspense fallback={<p>Loading</p>}>
      <Todos />
    </Suspense>
  )
}

/** The read is not awaited: the page is sent with a promise in its state, and the rows follow. */
async function Todos() {
  const queryClient = new QueryClient()
  const cookie = (await cookies()).toString()
  void queryClient.prefetchQuery({ queryKey: ['todos'], queryFn: () => readTodos({ cookie }) })
  const state = dehydrate(queryClient, {
    shouldDehydrateQuery: (query) => defaultShouldDehydrateQuery(query) || query.state.status === 'pending',
  })
  return (
    <HydrationBoundary state={state}>
      <TodoList />
    </HydrationBoundary>
  )
}
