// Express: before `express.json()`, so that the body is read once and counted. Behind it the listener works too, with
// what the parser has made of the body. Compression must skip text/event-stream.
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import express from 'express'
import type { SyncHandler } from 'tidemark/server'
import { toNodeListener } from 'tidemark/server'

export function mountOnExpress(handler: SyncHandler, parsesFirst = false): Server {
  const app = express()
  if (parsesFirst) app.use(express.json())
  app.use(toNodeListener(handler)) // passes on what is not its own
  app.use(express.json())
  app.get('/', (_request, response) => {
    response.send('your own page')
  })
  return createServer(app)
}
