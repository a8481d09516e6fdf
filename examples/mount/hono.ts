// Hono speaks Fetch: hand it the raw request. (On Bun, Deno and workers that is all; on Node, serve it with
// @hono/node-server, or as here.) Leave compression off for the stream.
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import { Hono } from 'hono'
import type { SyncHandler } from 'tidemark/server'
import { toNodeListener } from 'tidemark/server'

export function mountOnHono(handler: SyncHandler): Server {
  const app = new Hono()
  app.get('/', (context) => context.text('your own page'))
  app.all('/sync/*', (context) => handler(context.req.raw))
  return createServer(toNodeListener(async (request) => app.fetch(request)))
}
