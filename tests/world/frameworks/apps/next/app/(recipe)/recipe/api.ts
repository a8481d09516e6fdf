import type { Todo } from '../../../todos'

const origin = typeof window === 'undefined' ? process.env.SITE_ORIGIN : ''

export async function readTodos(headers: Record<string, string> = {}): Promise<Todo[]> {
  const answer = await fetch(`${origin}/api/todos`, { headers })
  return answer.json()
}

export async function writeTodo(todo: Todo): Promise<Todo> {
  const answer = await fetch(`${origin}/api/todos`, { method: 'POST', body: JSON.stringify(todo) })
  return answer.json()
}
