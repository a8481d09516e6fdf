/** The board's queries and mutations. Free of any client and any framework: both panels and the README use them. */
import type { MutationContext } from 'tidemark'
import { defineMutation, entity, queryOptions } from 'tidemark'
import type { Choice } from './lists'
import { ruleOf } from './lists'
import type { AddTask, MoveTask, RemoveTask, RenameTask, Task, ToggleTask } from './task'

export const taskRow = entity<Task>('task')

/** A list says how the server makes it: a task that is ticked leaves the open ones before the server has answered. */
export const tasksQuery = ({ show, sort }: Choice) =>
  queryOptions({
    queryKey: ['tasks', { show, sort }],
    queryFn: ({ fetch }) =>
      fetch(`/api/queries/tasks?show=${show}&sort=${sort}`).then((response): Promise<Task[]> => response.json()),
    rows: [taskRow, (tasks) => tasks, ruleOf({ show, sort })],
    staleTime: Number.POSITIVE_INFINITY, // the stream says when it is not
  })

/** All of them, by hand: where a task stands among them is what moving it changes. */
export const allTasks = tasksQuery({ show: 'all', sort: 'hand' })

export const addTask = defineMutation({
  mutationKey: ['tasks', 'add'],
  mutationFn: (task: AddTask, context) => post<Task>('tasks/add', task, context),
  optimistic: (view, task) => view.insert(taskRow, { ...task, done: false, version: 0 }), // every list that takes it
  apply: (base, saved) => base.upsert(taskRow, saved),
})

export const renameTask = defineMutation({
  mutationKey: ['tasks', 'rename'],
  mutationFn: (change: RenameTask, context) => post<Task>('tasks/rename', change, context),
  optimistic: (view, { id, title }) =>
    view.row(taskRow, id).update((task) => {
      task.title = title
    }),
  apply: (base, saved) => base.upsert(taskRow, saved),
  conflict: 'manual', // two titles: only a person knows which
})

export const toggleTask = defineMutation({
  mutationKey: ['tasks', 'toggle'],
  mutationFn: (change: ToggleTask, context) => post<Task>('tasks/toggle', change, context),
  optimistic: (view, { id, done }) =>
    view.row(taskRow, id).update((task) => {
      task.done = done
    }),
  apply: (base, saved) => base.upsert(taskRow, saved),
})

export const moveTask = defineMutation({
  mutationKey: ['tasks', 'move'],
  mutationFn: (change: MoveTask, context) => post<Task>('tasks/move', change, context),
  optimistic: (view, { id, rank }) =>
    view.row(taskRow, id).update((task) => {
      task.rank = rank
    }),
  apply: (base, saved) => base.upsert(taskRow, saved),
})

export const removeTask = defineMutation({
  mutationKey: ['tasks', 'remove'],
  mutationFn: (task: RemoveTask, context) => post<null>('tasks/remove', task, context),
  optimistic: (view, { id }) => view.remove(taskRow, id),
  apply: (base, _, { id }) => base.remove(taskRow, id),
})

export const mutations = [addTask, renameTask, toggleTask, moveTask, removeTask]

function post<T>(name: string, variables: unknown, { fetch }: MutationContext): Promise<T> {
  return fetch(`/api/mutations/${name}`, { body: JSON.stringify(variables) }).then(
    (answer): Promise<T> => answer.json(),
  )
}

/** A new task's id: made here, so that a write which is sent twice makes one task. */
export function newId(): string {
  // Only secure contexts have randomUUID; the board may be open over plain HTTP from another machine.
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
