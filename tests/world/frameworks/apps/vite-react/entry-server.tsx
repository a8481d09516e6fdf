import { renderToString } from 'react-dom/server'
import { createSyncClient } from 'tidemark'
import { dehydrate, SyncProvider } from 'tidemark/react'
import { TodoList } from './todo-list'
import { addTodo, todosQuery } from './todos'

/** Called for each request: each has a client of its own. */
export async function render(cookie: string | undefined) {
  const sync = createSyncClient({ mutations: [addTodo], headers: { cookie } })
  await sync.queryClient.prefetchQuery(todosQuery)
  const html = renderToString(
    <SyncProvider client={sync}>
      <TodoList />
    </SyncProvider>,
  )
  return { html, state: dehydrate(sync.queryClient) }
}
