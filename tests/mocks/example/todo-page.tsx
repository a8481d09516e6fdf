import { useState } from 'react'
import { createSyncClient, syncStream } from 'tidemark'
import { SyncProvider, useMutation, useQuery } from 'tidemark/react'
import { addTodo, todosQuery } from './todos'

export function TodoPage() {
  const [sync] = useState(() => createSyncClient({ mutations: [addTodo], stream: syncStream({ url: '/api/sync' }) }))
  return (
    <SyncProvider client={sync}>
      <TodoForm />
    </SyncProvider>
  )
}

function TodoForm() {
  const { data: todos = [] } = useQuery(todosQuery)
  const { mutate, error } = useMutation(addTodo)
  const [title, setTitle] = useState('')
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        mutate({ id: crypto.randomUUID(), title })
        setTitle('')
      }}
    >
      <input aria-label="Title" value={title} onChange={(event) => setTitle(event.target.value)} />
      <button type="submit">Add</button>
      <ul>
        {todos.map((todo) => (
          <li key={todo.id}>{todo.title}</li>
        ))}
      </ul>
      {error && <p role="alert">{error.message}</p>}
    </form>
  )
}
