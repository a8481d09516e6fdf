import { createSyncClient } from 'tidemark'
import { dehydrate, hydrate, syncPlugin } from 'tidemark/vue'
import { addTodo } from '../../todos'

export default defineNuxtPlugin((nuxt) => {
  // A plugin runs for each request on the server, and once in a browser: so many clients there are.
  const { cookie } = useRequestHeaders(['cookie'])
  const sync = createSyncClient({ mutations: [addTodo], headers: { cookie } })
  const state = useState<unknown>('tidemark')
  if (import.meta.server) {
    nuxt.hooks.hook('app:rendered', () => {
      state.value = dehydrate(sync.queryClient)
    })
  } else hydrate(sync.queryClient, state.value)
  nuxt.vueApp.use(syncPlugin, { client: sync })
})
