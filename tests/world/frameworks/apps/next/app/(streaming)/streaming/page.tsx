import { connection } from 'next/server'
import { Suspense } from 'react'
import { TodoList } from '../../(main)/todo-list'

export default function Page() {
  return (
    <Suspense fallback={<p>Loading</p>}>
      <Todos />
    </Suspense>
  )
}

async function Todos() {
  await connection() // not while Next builds
  return <TodoList />
}
