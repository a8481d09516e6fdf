import { createSyncClient } from 'tidemark'
import { addTodo } from './todos'

export const sync = createSyncClient({
  mutations: [addTodo],
  stream: { url: '/api/sync', topics: ['todos'] }, // leave it out, and the client only pulls
})
