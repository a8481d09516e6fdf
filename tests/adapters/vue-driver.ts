// The contract in Vue.
import { VueQueryPlugin as TanStackPlugin } from '@tanstack/vue-query'
import type { QueryClient as CoreQueryClient } from 'tidemark'
import * as adapter from 'tidemark/vue'
import { createApp, defineComponent, h, proxyRefs } from 'vue'
import type { Component, Driver, Hooks, Host, LooseHooks } from './driver.ts'
import { settle } from './driver.ts'

/** Results are objects of refs; `proxyRefs` reads them as plain fields. */
const readAll = (result: object) => {
  const proxy = proxyRefs(result)
  return () => proxy
}
const readRef =
  <T>(ref: { readonly value: T }) =>
  () =>
    ref.value

const hooks = {
  useQuery: (options) => readAll(adapter.useQuery(options as never)),
  useInfiniteQuery: (options) => readAll(adapter.useInfiniteQuery(options as never)),
  useQueries: (options) => readRef(adapter.useQueries(options() as never)),
  useMutation: (options) => readAll(adapter.useMutation(options as never)),
  useIsFetching: () => readRef(adapter.useIsFetching()),
  useIsMutating: (filters) => readRef(adapter.useIsMutating(filters as never)),
  useMutationState: (options) => readRef(adapter.useMutationState(options as never)),
  useSyncStatus: (selector) => readRef(adapter.useSyncStatus(selector)),
  useOutbox: (selector) => readRef(adapter.useOutbox(selector)),
  usePending: (filter, selector) => readRef(adapter.usePending(filter, selector as never)),
  useRow: (entity, id, selector) => readRef(adapter.useRow(entity, id, selector as never)),
  useSyncClient: () => adapter.useSyncClient(),
  useQueryClient: () => adapter.useQueryClient(),
} satisfies LooseHooks as unknown as Hooks

export const vueDriver: Driver = {
  name: 'Vue',
  createQueryClient: () => new adapter.QueryClient() as unknown as CoreQueryClient,
  mount(host: Host, ...components: Component[]) {
    const box = document.body.appendChild(document.createElement('div'))
    const errors: unknown[] = []
    const seen = { renders: 0 }
    const parts = components.map((component) =>
      defineComponent(() => {
        const show = component(hooks)
        return () => {
          seen.renders++
          return show()
        }
      }),
    )
    const app = createApp({ render: () => parts.map((part) => h(part)) })
    app.config.errorHandler = (error) => void errors.push(error)
    app.config.warnHandler = () => {}
    if ('sync' in host) app.use(adapter.syncPlugin, { client: host.sync })
    else if ('queryClient' in host) app.use(adapter.VueQueryPlugin, { queryClient: host.queryClient as never })
    else if ('tanStack' in host) app.use(TanStackPlugin, { queryClient: host.tanStack as never })
    app.mount(box)
    return {
      read: () => box.textContent ?? '',
      get renders() {
        return seen.renders
      },
      errors,
      unmount: () => app.unmount(),
    }
  },
  async act(run) {
    await run?.()
    await settle()
  },
}
