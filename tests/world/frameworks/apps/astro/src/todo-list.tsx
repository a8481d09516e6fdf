import { useMutation, usePending, useSuspenseQuery } from 'tidemark/react'
import { addTodo, todosQuery } from '../todos'

export function TodoList() {
  const { data: todos } = useSuspenseQuery(todosQuery)
  const { mutate } = useMutation(addTodo)
  const isSaving = usePending({}, (writes) => writes.length > 0)
  return (
    <>
      <ul>
        {todos.map(({ id, title }) => (
          <li key={id}>{title}</li>
        ))}
      </ul>
      <button type="button" onClick={() => mutate({ id: crypto.randomUUID(), title: 'Milk' })}>
        Add milk
      </button>
      <p role="status">{isSaving ? 'Saving' : 'Saved'}</p>
    </>
  )
}
