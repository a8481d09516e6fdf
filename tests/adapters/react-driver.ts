// The contract in React, without `act`: the scheduler runs as it does on a page.
import { QueryClientProvider as TanStackProvider } from '@tanstack/react-query'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import type { QueryClient as CoreQueryClient } from 'tidemark'
import * as adapter from 'tidemark/react'
import type { Component, Driver, Hooks, Host, LooseHooks } from './driver.ts'
import { settle } from './driver.ts'

const read =
  <T>(value: T) =>
  () =>
    value

const hooks = {
  useQuery: (options) => read(adapter.useQuery(options() as never)),
  useInfiniteQuery: (options) => read(adapter.useInfiniteQuery(options() as never)),
  useQueries: (options) => read(adapter.useQueries(options() as never)),
  useMutation: (options) => read(adapter.useMutation(options as never)),
  useIsFetching: () => read(adapter.useIsFetching()),
  useIsMutating: (filters) => read(adapter.useIsMutating(filters as never)),
  useMutationState: (options) => read(adapter.useMutationState(options as never)),
  useSyncStatus: (selector) => read(adapter.useSyncStatus(selector)),
  useOutbox: (selector) => read(adapter.useOutbox(selector)),
  usePending: (filter, selector) => read(adapter.usePending(filter(), selector as never)),
  useRow: (entity, id, selector) => read(adapter.useRow(entity, id(), selector as never)),
  useSyncClient: adapter.useSyncClient,
  useQueryClient: adapter.useQueryClient,
} satisfies LooseHooks as unknown as Hooks

export const reactDriver: Driver = {
  name: 'React',
  createQueryClient: () => new adapter.QueryClient() as CoreQueryClient,
  mount(host: Host, ...components: Component[]) {
    const box = document.body.appendChild(document.createElement('div'))
    const errors: unknown[] = []
    const seen = { renders: 0 }
    const root = createRoot(box, {
      onUncaughtError: (error: unknown) => errors.push(error),
      onRecoverableError: (error: unknown) => errors.push(error),
    })
    const parts = components.map((component, key) => {
      const Part = () => {
        const show = component(hooks)
        seen.renders++
        return show()
      }
      return createElement(Part, { key })
    })
    root.render(within(host, parts))
    return {
      read: () => box.textContent ?? '',
      get renders() {
        return seen.renders
      },
      errors,
      unmount: () => root.unmount(),
    }
  },
  async act(run) {
    await run?.()
    await settle()
  },
}

function within(host: Host, children: React.ReactNode) {
  if ('sync' in host) return createElement(adapter.SyncProvider, { client: host.sync }, children)
  if ('queryClient' in host)
    return createElement(adapter.QueryClientProvider, { client: host.queryClient as never }, children)
  if ('tanStack' in host) return createElement(TanStackProvider, { client: host.tanStack as never }, children)
  return children
}
