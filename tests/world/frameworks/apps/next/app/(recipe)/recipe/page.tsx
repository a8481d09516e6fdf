import { cookies } from 'next/headers'
import { Suspense } from 'react'
import { dehydrate, HydrationBoundary, QueryClient } from 'tidemark/react'
import { readTodos } from './api'
import { TodoList } from './todo-list'

export default function Page() {
  return (
    <Suspense fallback={<p>Loading</p>}>
      <Todos />
    </Suspense>
  )
}

async function Todos() {
  const queryClient = new QueryClient()
  const cookie = (await cookies()).toString()
  await queryClient.prefetchQuery({ queryKey: ['todos'], queryFn: () => readTodos({ cookie }) })
  return (
    <HydrationBoundary state={dehydrate(queryClient)}>
      <TodoList />
    </HydrationBoundary>
  )
}
