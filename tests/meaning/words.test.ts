// The server's words reach the user, whichever framework has written the answer: on writes, on reads, in the outbox.
import { defineMutation, queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { problemOf, statusOf } from '../../src/base/meaning'
import { createWorld } from '../kit/world'

const problem = 'application/problem+json'
const json = 'application/json'

type Body = readonly [name: string, body: unknown, reads: string, type?: string]

const BODIES: readonly Body[] = [
  [
    'RFC 9457',
    { type: 'about:blank', title: 'No', status: 422, detail: 'A title is needed.' },
    'A title is needed.',
    problem,
  ],
  ['RFC 9457 without a detail', { title: 'Out of stock.', status: 422 }, 'Out of stock.', problem],
  ['Express, message', { message: 'A title is needed.' }, 'A title is needed.'],
  ['Express, error', { error: 'A title is needed.' }, 'A title is needed.'],
  ['Express, nested', { error: { code: 'E1', message: 'A title is needed.' } }, 'A title is needed.'],
  [
    'express-validator',
    { errors: [{ type: 'field', msg: 'A title is needed.', path: 'title' }] },
    'A title is needed.',
  ],
  ['Rails', { errors: { title: ["can't be blank"] } }, "title: can't be blank"],
  [
    'Rails, full messages',
    { errors: ["Title can't be blank", 'Price is not a number'] },
    "Title can't be blank Price is not a number",
  ],
  ['Rails, errors at the top', { title: ["can't be blank"] }, "title: can't be blank"],
  [
    'Laravel',
    { message: 'The title field is required.', errors: { title: ['The title field is required.'] } },
    'The title field is required.',
  ],
  ['Django REST, fields', { title: ['This field is required.'] }, 'title: This field is required.'],
  ['Django REST, detail', { detail: 'Not found.' }, 'Not found.'],
  ['Django REST, non-field', { non_field_errors: ['Too many at once.'] }, 'Too many at once.'],
  [
    'Spring',
    {
      timestamp: '2026-01-01T00:00:00Z',
      status: 422,
      error: 'Unprocessable Entity',
      message: 'A title is needed.',
      path: '/x',
    },
    'A title is needed.',
  ],
  [
    'Spring, without a message',
    { timestamp: '2026-01-01T00:00:00Z', status: 422, error: 'Unprocessable Entity', path: '/x' },
    'Unprocessable Entity',
  ],
  [
    'Spring, binding errors',
    { status: 400, errors: [{ field: 'title', defaultMessage: 'must not be blank' }] },
    'must not be blank',
  ],
  ['FastAPI', { detail: [{ loc: ['body', 'title'], msg: 'Field required', type: 'missing' }] }, 'Field required'],
  ['JSON:API', { errors: [{ status: '422', title: 'Invalid', detail: 'A title is needed.' }] }, 'A title is needed.'],
  ['GraphQL', { errors: [{ message: 'A title is needed.' }] }, 'A title is needed.'],
  ['OAuth', { error: 'invalid_grant', error_description: 'The code has expired.' }, 'The code has expired.'],
  [
    'ASP.NET',
    { title: 'One or more validation errors occurred.', errors: { Title: ['The Title field is required.'] } },
    'The Title field is required.',
    problem,
  ],
  ['Phoenix', { errors: { detail: 'Not Found' } }, 'Not Found'],
  [
    'NestJS',
    { statusCode: 422, message: ['title should not be empty'], error: 'Unprocessable Entity' },
    'title should not be empty',
  ],
  [
    'Fastify',
    { statusCode: 422, code: 'E', error: 'Unprocessable', message: 'body must have title' },
    'body must have title',
  ],
  ['PostgREST', { code: '23505', message: 'duplicate key value', details: null, hint: null }, 'duplicate key value'],
  ['a JSON string', 'A title is needed.', 'A title is needed.'],
  ['plain text', 'A title is needed.\n', 'A title is needed.', 'text/plain; charset=utf-8'],
]

type Wordless = readonly [name: string, body: unknown, type?: string]

const NOTHING: readonly Wordless[] = [
  ['a page', '<html><h1>Nope</h1></html>', 'text/html'],
  ['a page that says it is text', '<html><h1>Nope</h1></html>', 'text/plain'],
  ['a stack trace of a thousand characters', `Error: x\n${'at y '.repeat(200)}`, 'text/plain'],
  ['JSON that is none', '{message}', json],
  ['nothing', '', json],
  ['a number', 42, json],
  ['an empty object', {}, json],
]

async function answered(body: unknown, type = json) {
  const text =
    type.includes('json') && !(typeof body === 'string' && /^($|\{)/.test(body)) ? JSON.stringify(body) : String(body)
  const fetch = async () => new Response(text, { status: 422, headers: { 'content-type': type } })
  const change = defineMutation({ mutationKey: ['change'], mutationFn: (_, { fetch }) => fetch('/change') })
  const world = createWorld({ mutations: [change], platform: { fetch } })
  world.sync.start()
  const thrown = await world.sync.mutate(change).confirmed.catch((error: unknown) => error as Error)
  const query = queryOptions({ queryKey: ['q'], queryFn: ({ fetch }) => fetch('/q').then((answer) => answer.json()) })
  const error = await world.sync.queryClient.fetchQuery(query).catch((cause: unknown) => cause as Error)
  const { failure } = { ...world.sync.outbox.getState().failed[0] }
  await world.sync.close({ outbox: 'discard' })
  return { thrown: (thrown as Error).message, failure, read: (error as Error).message }
}

describe('the words of', () => {
  test.each(BODIES.map(([name, body, reads, type]) => ({ name, body, reads, type })))(
    '$name',
    async ({ body, reads, type }) => {
      const { thrown, failure, read } = await answered(body, type)
      expect([thrown, failure?.message]).toEqual([reads, reads])
      expect(read).toBe(`The server answered 422: ${reads.replace(/\.$/, '')}.`)
      expect(failure?.problem).toEqual(body !== null && typeof body === 'object' ? body : { detail: reads })
    },
  )
})

describe('an answer without words for people', () => {
  test.each(NOTHING.map(([name, body, type]) => ({ name, body, type })))('$name', async ({ body, type }) => {
    const { thrown, read } = await answered(body, type)
    expect([thrown, read]).toEqual(['The server answered 422.', 'The server answered 422.'])
  })
})

describe('failure.problem', () => {
  const detail = 'No stock left.'
  const failing = (status: number, more: object) => {
    const change = defineMutation({ mutationKey: ['change'], mutationFn: (_, { fetch }) => fetch('/change'), ...more })
    const headers = { 'content-type': problem }
    const fetch = async () => new Response(JSON.stringify({ detail, status }), { status, headers })
    const world = createWorld({ mutations: [change], platform: { fetch } })
    world.sync.start()
    world.sync.mutate(change)
    return world
  }

  test.each([
    ['uncertain', 500, {}],
    ['uncertain', 503, {}],
    ['blocked', 500, { idempotent: false }],
    ['conflicted', 409, { conflict: 'manual' }],
  ] as const)('is on an entry that is %s (%i)', async (status, answer, more) => {
    const world = failing(answer, more)
    await world.settle()
    expect(world.sync.outbox.getState().entries).toMatchObject([
      { status, failure: { status: answer, problem: { detail } } },
    ])
    await world.sync.close({ outbox: 'discard' })
  })

  test.each([
    ['refused', 422, {}],
    ['given up', 500, { retry: 0 }],
  ] as const)('is on one that was %s (%i)', async (_, answer, more) => {
    const world = failing(answer, more)
    await world.settle()
    expect(world.sync.outbox.getState().failed).toMatchObject([
      { failure: { status: answer, problem: { detail }, message: detail } },
    ])
    await world.sync.close({ outbox: 'discard' })
  })
})

test('a body that nobody has read is no problem: a stream has no words', () => {
  for (const body of [new ReadableStream(), { pipe() {} }]) {
    const error = Object.assign(new Error('Conflict'), { response: { status: 409, body } })
    expect([problemOf(error), statusOf(error)]).toEqual([undefined, 409])
  }
})
