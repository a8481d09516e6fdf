// The sync server that the examples of mounting share: a list of tasks, in memory.
import type { SyncHandler } from 'tidemark/server'
import { createSyncHandler, memoryStore, reject } from 'tidemark/server'

interface Task {
  id: string
  title: string
}

export function createApp(): SyncHandler {
  return createSyncHandler({
    store: memoryStore(), // sqliteStore('app.db') keeps them
    mutations: {
      'tasks/add': (tx, task: Task) => {
        if (!task.title) throw reject({ detail: 'a task needs a title', errors: { title: 'required' } })
        return tx.put('task', task.id, task)
      },
    },
    queries: { tasks: (tx) => tx.rows('task') },
    topics: () => ['tasks'],
  })
}
