import { SyncProvider, useMutation, usePending, useQuery } from 'tidemark/react'
import { sync } from './sync'
import { addTodo, todosQuery } from './todos'

export function App() {
  return (
    <SyncProvider client={sync}>
      <TodoList />
    </SyncProvider>
  )
}

function TodoList() {
  const { data: todos = [] } = useQuery(todosQuery) // TanStack's own hook
  const { mutate, error } = useMutation(addTodo)
  const writes = usePending({ mutationKey: ['todos'] })
  return (
    <>
      <button type="button" onClick={() => mutate({ id: crypto.randomUUID(), title: 'Milk' })}>
        Add milk
      </button>
      <ul>
        {todos.map(({ id, title }) => (
          <li key={id}>{title}</li>
        ))}
      </ul>
      <p>{error?.message ?? (writes.length > 0 ? 'Saving' : 'Saved')}</p>
    </>
  )
}
