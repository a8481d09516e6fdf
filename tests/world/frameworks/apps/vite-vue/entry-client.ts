import { createSyncClient } from 'tidemark'
import { hydrate, syncPlugin } from 'tidemark/vue'
import { createSSRApp } from 'vue'
import TodoList from './todo-list.vue'
import { addTodo } from './todos'

const sync = createSyncClient({ mutations: [addTodo] })
hydrate(sync.queryClient, JSON.parse(document.querySelector('#state')?.textContent ?? 'null'))
createSSRApp(TodoList).use(syncPlugin, { client: sync }).mount('#app')
