import { createFileRoute } from '@tanstack/react-router'
import { todosQuery } from '../../todos'
import { TodoList } from '../todo-list'

export const Route = createFileRoute('/')({
  loader: ({ context }) => context.sync.queryClient.prefetchQuery(todosQuery),
  component: TodoList,
})
