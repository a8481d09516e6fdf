/** The mock server with MSW's request handlers for it. */
import type { HttpHandler } from 'msw'
import * as msw from 'msw'
import { usageError } from '../src/base/errors'
import { createHandlers } from './handlers'
import type { MockServerOptions, Rows } from './options'
import type { MockServerCore } from './server'
import { createServer } from './server'

/** A whole server for a test. Made by {@link createMockServer}. */
export interface MockServer<TRows extends Rows = Rows> extends MockServerCore<TRows> {
  /** For MSW's `setupServer(...server.handlers)` and `setupWorker(...server.handlers)`. */
  readonly handlers: readonly HttpHandler[]
}

/**
 * Makes a sync server in memory: tables with REST routes, named queries and mutations, the stream, and faults that a
 * test switches on. Nothing is intercepted by it alone: give `server.handlers` to MSW, or `server.fetch` to a client.
 *
 * @example
 * ```ts
 * const server = createMockServer({ tables: { todos: { rows: [{ id: '1', title: 'Milk' }] } } })
 * const sync = createSyncClient({ mutations, stream: syncStream({ url: '/api/sync' }), platform: { fetch: server.fetch } })
 * server.faults.loseAnswer({ on: 'POST /api/todos' })
 * ```
 */
export function createMockServer<TRows extends Rows = Record<never, never>>(
  options: MockServerOptions<TRows> = {},
): MockServer<TRows> {
  checkMsw()
  const { server, network, options: resolved } = createServer(options)
  return extend(server, { handlers: createHandlers(network, resolved) })
}

/** The newest name of MSW 3 that is taken; it has no number. */
function checkMsw(): void {
  if (msw.getCleanUrlString !== undefined) return
  throw usageError('tidemark/mocks needs msw 3 or newer and found an older one: run npm install --save-dev msw@3.')
}

/** An object with the members of both, of which the second's win. Getters stay getters. */
export function extend<T extends object, TMore extends object>(base: T, more: TMore): Omit<T, keyof TMore> & TMore {
  const members = { ...Object.getOwnPropertyDescriptors(base), ...Object.getOwnPropertyDescriptors(more) }
  return Object.defineProperties({}, members) as Omit<T, keyof TMore> & TMore
}
