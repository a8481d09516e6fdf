// A proxy of our own that holds event streams back, as some that nobody can configure do. Everything else passes at once.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer, request } from 'node:http'
import { freePort } from './processes.ts'

/** `half`: an event goes on only when so many characters stand behind it. `all`: nothing goes on before the stream ends. */
export type Holding = 'half' | 'all'

/** `half` lets this many bytes of a stream pass, for the greeting, and then collects as many before it sends any. */
const BLOCK = 16_384
const GREETING = 1

export interface Buffer {
  base: string
  close(): Promise<void>
}

export async function startBuffer(origin: number, holding: Holding): Promise<Buffer> {
  const port = await freePort()
  const server = createServer((incoming, outgoing) => forward({ incoming, outgoing, origin, holding }))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { base: `http://127.0.0.1:${port}/sync`, close: () => close(server) }
}

interface Exchange {
  incoming: IncomingMessage
  outgoing: ServerResponse
  origin: number
  holding: Holding
}

function forward({ incoming, outgoing, origin, holding }: Exchange): void {
  const { method, url, headers } = incoming
  const onward = request({ host: '127.0.0.1', port: origin, method, path: url, headers }, (answer) => {
    const isStream = answer.headers['content-type']?.startsWith('text/event-stream') === true
    if (isStream) hold(answer, outgoing, holding)
    else {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    }
  })
  onward.on('error', () => outgoing.destroy())
  outgoing.on('close', () => onward.destroy())
  incoming.pipe(onward)
}

function hold(answer: IncomingMessage, outgoing: ServerResponse, holding: Holding): void {
  let held: Uint8Array[] = []
  let size = 0
  let passed = 0
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
  if (holding === 'half') outgoing.flushHeaders()
  const flush = () => {
    for (const piece of held) outgoing.write(piece)
    held = []
    size = 0
    passed++
  }
  answer.on('data', (piece: Uint8Array) => {
    held.push(piece)
    size += piece.byteLength
    if (holding === 'half' && (passed < GREETING || size >= BLOCK)) flush()
  })
  answer.on('end', () => {
    flush()
    outgoing.end()
  })
  answer.on('error', () => outgoing.destroy())
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
