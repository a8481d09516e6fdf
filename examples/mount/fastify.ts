// Fastify: its JSON parser would eat the body, so in this scope bodies are left alone; `hijack` says that the answer is
// written past Fastify. A scope of its own keeps both away from your other routes.
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import type { SyncHandler } from 'tidemark/server'
import { toNodeListener } from 'tidemark/server'

export function mountOnFastify(handler: SyncHandler): FastifyInstance {
  const app = fastify({ forceCloseConnections: true })
  const sync = toNodeListener(handler)
  app.get('/', () => 'your own page')
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _body, done) => done(null))
    scope.all('/sync/*', (request, reply) => {
      reply.hijack()
      sync(request.raw, reply.raw)
    })
  })
  return app
}
