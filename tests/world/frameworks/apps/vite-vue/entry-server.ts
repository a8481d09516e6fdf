import { createSyncClient } from 'tidemark'
import { dehydrate, syncPlugin } from 'tidemark/vue'
import { createSSRApp } from 'vue'
import { renderToString } from 'vue/server-renderer'
import TodoList from './todo-list.vue'
import { addTodo } from './todos'

/** Called for each request: each has a client, and an application, of its own. */
export async function render(cookie: string | undefined) {
  const sync = createSyncClient({ mutations: [addTodo], headers: { cookie } })
  const html = await renderToString(createSSRApp(TodoList).use(syncPlugin, { client: sync }))
  return { html, state: dehydrate(sync.queryClient) }
}
