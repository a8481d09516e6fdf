'use client'

import { useMutation, useQueryClient, useSuspenseQuery } from 'tidemark/react'
import type { Todo } from '../../../todos'
import { readTodos, writeTodo } from '../recipe/api'

export function TodoList() {
  const queryClient = useQueryClient()
  const { data: todos } = useSuspenseQuery({ queryKey: ['todos'], queryFn: () => readTodos() })
  const { mutate, isPending } = useMutation({
    mutationFn: writeTodo,
    onMutate: (todo) => queryClient.setQueryData<Todo[]>(['todos'], (before = []) => [...before, todo]),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['todos'] }),
  })
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
      <p role="status">{isPending ? 'Saving' : 'Saved'}</p>
    </>
  )
}
