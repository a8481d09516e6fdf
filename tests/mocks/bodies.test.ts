// Requests whose body never arrives whole: the server learns nothing of them, and they are on their way no longer.
import type { MockServer } from 'tidemark/mocks'
import { describe, expect, test } from 'vitest'
import { todoServer, turns } from './support'

describe('a request whose body is still on its way', () => {
  /** A write whose body the test sends, and ends. */
  function start(server: MockServer) {
    let body!: ReadableStreamDefaultController<Uint8Array>
    const abort = new AbortController()
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        body = controller
      },
    })
    const init = { method: 'PATCH', body: stream, signal: abort.signal, duplex: 'half' }
    const answer = server.fetch('http://localhost/api/todos/milk', init)
    answer.catch(() => {})
    return { body, abort, answer }
  }

  test('is over when it is aborted, and nothing has reached the server', async () => {
    const server = todoServer()
    const { abort, answer } = start(server)
    await turns()
    const idle = server.idle()
    abort.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
    await idle
    expect(server.log).toMatchObject([{ outcome: 'aborted', body: undefined, delivered: 0 }])
  })

  test('is over when it is aborted as the body ends', async () => {
    const server = todoServer()
    const { abort, answer, body } = start(server)
    await turns()
    body.enqueue(new TextEncoder().encode('{"title":"x"}'))
    body.close()
    abort.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
    await server.idle()
    expect(server.log).toMatchObject([{ outcome: 'aborted', delivered: 0 }])
  })

  test('is over when the body breaks', async () => {
    const server = todoServer()
    const { body, answer } = start(server)
    await turns()
    body.error(new TypeError('gone'))
    await expect(answer).rejects.toThrow('gone')
    await server.idle()
    expect(server.log).toMatchObject([{ outcome: 'failed', delivered: 0 }])
  })
})
