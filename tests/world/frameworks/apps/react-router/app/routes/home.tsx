import type { LoaderFunctionArgs } from 'react-router'
import { useLoaderData } from 'react-router'
import { createSyncClient } from 'tidemark'
import { dehydrate, HydrationBoundary } from 'tidemark/react'
import { todosQuery } from '../../todos'
import { TodoList } from '../todo-list'

export async function loader({ request }: LoaderFunctionArgs) {
  const sync = createSyncClient({ headers: { cookie: request.headers.get('cookie') ?? undefined } })
  await sync.queryClient.prefetchQuery(todosQuery)
  return { state: dehydrate(sync.queryClient) }
}

export default function Home() {
  const { state } = useLoaderData<typeof loader>()
  return (
    <HydrationBoundary state={state}>
      <TodoList />
    </HydrationBoundary>
  )
}
