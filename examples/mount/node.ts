// Plain Node: the listener serves the sync routes; everything else is yours.
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { SyncHandler } from 'tidemark/server'
import { toNodeListener } from 'tidemark/server'

export function mountOnNode(handler: SyncHandler): Server {
  const sync = toNodeListener(handler)
  return createServer((request, response) => {
    if (handler.matches(request.url ?? '/')) return sync(request, response)
    response.end('your own page')
  })
}
