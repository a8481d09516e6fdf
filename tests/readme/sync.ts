import { createSyncClient, syncStream } from 'tidemark'
import { addTodo } from './todos'

export const sync = createSyncClient({
  mutations: [addTodo],
  stream: syncStream({ url: '/api/sync', topics: ['todos'] }), // leave it out, and the client only pulls
})
