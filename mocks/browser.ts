/** `tidemark/mocks/browser`: the mock server with MSW's service worker in a page. */
import type { AnyHandler } from 'msw'
import type { SetupWorker } from 'msw/browser'
import { setupWorker } from 'msw/browser'
import type { MockServer } from './msw-server'
import { createMockServer as create, extend } from './msw-server'
import type { MockServerOptions, Rows } from './options'

export { conflict, forbid, reject, retryLater } from '../server/problem'

/** A mock server that answers this page's requests. */
export interface BrowserMockServer<TRows extends Rows = Rows> extends MockServer<TRows> {
  /** MSW's own worker, for its events and `use`. */
  readonly msw: SetupWorker
  /** Registers the worker; from then on requests of this page are answered here. Options are MSW's. */
  start(...options: Parameters<SetupWorker['start']>): Promise<void>
  /** As it was at first; handlers that were added with `server.msw.use` are gone. */
  reset(): void
  /** Lets requests through to the network again; open streams end. */
  close(): void
}

/**
 * `createMockServer` of `tidemark/mocks`, with `start` and `close`. `handlers`: your own, asked first. The worker's file
 * must be served: `npx msw init <public folder>`, or the plugin of `msw/vite`.
 *
 * @example
 * ```ts
 * const server = createMockServer({ tables: { todos: { rows: [] as Todo[] } } })
 * await server.start({ quiet: true })
 * ```
 */
export function createMockServer<TRows extends Rows = Record<never, never>>(
  options: MockServerOptions<TRows> = {},
  ...handlers: AnyHandler[]
): BrowserMockServer<TRows> {
  const server = create(options)
  const msw = setupWorker(...handlers, ...server.handlers)
  return extend(server, {
    msw,
    async start(...options: Parameters<SetupWorker['start']>) {
      await msw.start(...options)
    },
    reset() {
      msw.resetHandlers()
      server.reset()
    },
    close() {
      void msw.stop()
      server.close()
    },
  })
}
