// A transport that puts the answer into its error without reading it, as ky does: the client reads it.
import { defineMutation } from 'tidemark'
import { expect, test } from 'vitest'
import { createWorld } from '../kit/world'

const json = (status: number, body: object | string) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/problem+json' },
  })

class HttpFailure extends Error {
  override readonly name = 'HTTPError'
  readonly response: Response
  constructor(response: Response) {
    super(`Request failed with status code ${response.status}: POST /add`)
    this.response = response
  }
}

/** A write whose transport throws each of these in turn, and then succeeds. */
async function written(...thrown: unknown[]) {
  const keys: string[] = []
  const write = defineMutation({
    mutationKey: ['add'],
    mutationFn: (_: void, { idempotencyKey }) => {
      const error = thrown[keys.length]
      keys.push(idempotencyKey)
      if (error !== undefined) throw error
      return Promise.resolve('done')
    },
  })
  const world = createWorld({ mutations: [write], timeout: 10_000 })
  world.sync.start()
  const { confirmed } = world.sync.mutate(write)
  const ended = confirmed.then(
    (data) => data,
    (error: unknown) => error,
  )
  await world.settle()
  const failure = () => world.sync.outbox.getState().failed[0]?.failure
  return { world, keys, ended, failure }
}

test.each([
  ['in the error', (response: Response) => new HttpFailure(response)],
  ['thrown as it is', (response: Response) => response],
  ['underneath', (response: Response) => new Error('Not saved.', { cause: new HttpFailure(response) })],
])('the server’s words reach the user from an unread answer %s', async (_, thrown) => {
  const error = thrown(json(422, { type: 'about:blank', title: 'No', detail: 'The title is taken.' }))
  const { ended, failure } = await written(error)
  expect(await ended).toMatchObject({
    code: 'rejected',
    status: 422,
    message: 'The title is taken.',
    problem: { detail: 'The title is taken.' },
    cause: error,
  })
  expect(failure()).toMatchObject({ message: 'The title is taken.', problem: { detail: 'The title is taken.' } })
})

test('plain text is words, too, and the application can still read the answer', async () => {
  const response = json(403, 'Not on Sundays.')
  const { ended } = await written(new HttpFailure(response))
  expect(await ended).toMatchObject({ code: 'rejected', message: 'Not on Sundays.' })
  expect(await response.text()).toBe('Not on Sundays.')
})

test('a page is no words: nothing of it is kept', async () => {
  const { ended, failure } = await written(new HttpFailure(json(404, '<!doctype html><h1>Not here</h1>')))
  expect(await ended).toMatchObject({ status: 404, message: expect.stringMatching(/^Request failed/) })
  expect(failure()?.problem).toBeUndefined()
})

test('a write that is in progress keeps its key', async () => {
  const busy = () => new HttpFailure(json(409, { type: 'https://example.com/in-progress' }))
  const { world, keys, ended } = await written(busy(), busy(), busy(), busy(), busy(), busy())
  await world.advance(600_000)
  expect(await ended).toBe('done')
  expect(keys).toHaveLength(7)
  expect(new Set(keys).size).toBe(1)
})

test('an answer that was read, or is cut, or never ends is judged by its status', async () => {
  const read = json(422, { detail: 'x' })
  await read.text()
  const cut = new Response(new ReadableStream({ pull: (body) => body.error(new TypeError('terminated')) }), {
    status: 422,
  })
  for (const response of [read, cut]) {
    const { ended } = await written(new HttpFailure(response))
    expect(await ended).toMatchObject({
      code: 'rejected',
      status: 422,
      message: expect.stringMatching(/^Request failed/),
    })
  }
  const endless = new Response(new ReadableStream({}), { status: 422 })
  const { world, keys, ended } = await written(new HttpFailure(endless))
  await world.advance(60_000)
  expect(await ended).toBe('done')
  expect(new Set(keys).size).toBe(1)
})

test('words that are cut off are asked for again under the same key, three times', async () => {
  const refusal = JSON.stringify({ title: 'No', detail: 'The title is taken.' })
  const headers = { 'content-type': 'application/problem+json' }
  const half = () => new Response(refusal.slice(0, 20), { status: 422, headers })
  const short = () =>
    new Response(refusal.slice(0, 20), { status: 422, headers: { ...headers, 'content-length': `${refusal.length}` } })
  const reset = () =>
    new Response(new ReadableStream({ pull: (body) => body.error(new TypeError('terminated')) }), {
      status: 422,
      headers,
    })
  for (const cut of [half, short, reset]) {
    for (const times of [1, 9]) {
      const keys: Array<string | null> = []
      const write = defineMutation({
        mutationKey: ['add'],
        mutationFn: (_: void, { fetch }) => fetch('/add', { body: '{}' }).then((answer) => answer.json()),
      })
      const world = createWorld({
        mutations: [write],
        platform: {
          fetch: (_, init) => {
            keys.push(new Headers(init?.headers).get('idempotency-key'))
            return Promise.resolve(keys.length > times ? new Response(refusal, { status: 422, headers }) : cut())
          },
        },
      })
      world.sync.start()
      const ended = world.sync.mutate(write).confirmed.catch((error: unknown) => error)
      await world.advance(600_000)
      expect(await ended).toMatchObject({
        code: 'rejected',
        status: 422,
        message: times === 1 ? 'The title is taken.' : 'The server answered 422.',
      })
      expect(keys).toHaveLength(times === 1 ? 2 : 4)
      expect(new Set(keys).size).toBe(1)
    }
  }
})
