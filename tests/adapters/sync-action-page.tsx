// A page in jsdom with the list of todos, for the tests of `useSyncAction`.
import type { ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { SyncProvider, useQuery } from 'tidemark/react'
import { afterEach } from 'vitest'
import { settle } from './driver.ts'
import type { todoWorld } from './todos.ts'
import { titles, todosQuery } from './todos.ts'

const ends: Array<() => void> = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
  document.body.replaceChildren()
})

type World = ReturnType<typeof todoWorld>

export function mount(world: World, node: ReactNode) {
  const box = document.body.appendChild(document.createElement('div'))
  const errors: unknown[] = []
  const root = createRoot(box, { onUncaughtError: (error) => void errors.push(error) })
  root.render(<SyncProvider client={world.sync}>{node}</SyncProvider>)
  ends.push(() => root.unmount())
  return { box, errors, read: () => box.textContent }
}

export async function withTodos(world: World): Promise<void> {
  await settle()
  await world.net.take('GET').answer([{ id: 'a', title: 'A' }])
  await settle()
}

/** A hook: the titles that are shown. */
export const list = () => titles(useQuery(todosQuery).data)
