import { hydrateRoot } from 'react-dom/client'
import { createSyncClient } from 'tidemark'
import { hydrate, SyncProvider } from 'tidemark/react'
import { TodoList } from './todo-list'
import { addTodo } from './todos'

const sync = createSyncClient({ mutations: [addTodo] })
hydrate(sync.queryClient, JSON.parse(document.querySelector('#state')?.textContent ?? 'null'))

const app = document.querySelector('#app')
if (app !== null) {
  hydrateRoot(
    app,
    <SyncProvider client={sync}>
      <TodoList />
    </SyncProvider>,
  )
}
