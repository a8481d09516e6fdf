/** `tidemark/mocks/node`: the mock server with MSW's interception in Node. */
import type { AnyHandler } from 'msw'
import type { SetupServer } from 'msw/node'
import { setupServer } from 'msw/node'
import type { MockServer } from './msw-server'
import { createMockServer as create, extend } from './msw-server'
import type { MockServerOptions, Rows } from './options'

export { conflict, forbid, reject, retryLater } from '../server/problem'

/** A mock server that answers this process's own requests. */
export interface NodeMockServer<TRows extends Rows = Rows> extends MockServer<TRows> {
  /** MSW's own server, for its events, `use` and `boundary`. */
  readonly msw: SetupServer
  /** From now on requests of this process are answered here. Options are MSW's. */
  listen(...options: Parameters<SetupServer['listen']>): void
  /** As it was at first; handlers that were added with `server.msw.use` are gone. */
  reset(): void
  /** Lets requests through to the network again; open streams end. */
  close(): void
}

/**
 * `createMockServer` of `tidemark/mocks`, with `listen` and `close`. `handlers`: your own, asked first.
 *
 * @example
 * ```ts
 * const server = createMockServer({ tables: { todos: { rows: [] as Todo[] } } })
 * beforeAll(() => server.listen())
 * afterEach(() => server.reset())
 * afterAll(() => server.close())
 * ```
 */
export function createMockServer<TRows extends Rows = Record<never, never>>(
  options: MockServerOptions<TRows> = {},
  ...handlers: AnyHandler[]
): NodeMockServer<TRows> {
  const server = create(options)
  const msw = setupServer(...handlers, ...server.handlers)
  return extend(server, {
    msw,
    listen: (...options: Parameters<SetupServer['listen']>) => msw.listen(...options),
    reset() {
      msw.resetHandlers()
      server.reset()
    },
    close() {
      msw.close()
      server.close()
    },
  })
}
