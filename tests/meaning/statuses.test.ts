// Every status that an answer can have, for a write and for a read: how often it is asked, where it stands, what is read.
import { defineMutation, QueryClient, queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { createWorld } from '../kit/world'

const between = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const ALL = between(300, 599)

/** Who sends these has not asked the application, or speaks for nobody (RFC 9110, 8470, 6585, nginx, CDNs). */
const UNANSWERED = [407, 408, 421, 425, 429, 499, 502, 503, 504, 509, 511, ...between(512, 599)]
/** The application itself failed, or somebody redirected to where nobody followed. */
const FAILED = [...between(300, 399), 500, 501, 505, 506, 507, 508, 510]
const CONFLICT = [409, 412]
const REFUSED = between(400, 498).filter((status) => ![401, ...CONFLICT, ...UNANSWERED].includes(status))

async function write(status: number, problem?: object) {
  let attempts = 0
  const fetch = () => {
    attempts++
    const body = problem === undefined ? null : JSON.stringify(problem)
    return Promise.resolve(new Response(body, { status, headers: { 'content-type': 'application/problem+json' } }))
  }
  const change = defineMutation({ mutationKey: ['change'], mutationFn: (_, { fetch }) => fetch('/change') })
  const world = createWorld({ mutations: [change], platform: { fetch }, breaker: { threshold: 1_000_000 } })
  world.sync.start()
  world.sync.mutate(change)
  await world.advance(1_200_000)
  const {
    entries: [entry],
    failed: [failed],
  } = world.sync.outbox.getState()
  await world.sync.close({ outbox: 'discard' })
  const { code, message, mayBeApplied } = { ...(entry ?? failed)?.failure }
  return { attempts, stands: entry?.status ?? 'failed', code, message, mayBeApplied: mayBeApplied === true }
}

describe('a write that is answered with', () => {
  test('every status is in one row', () => {
    expect([...UNANSWERED, ...FAILED, ...CONFLICT, ...REFUSED, 401].sort()).toEqual(ALL)
  })

  test.each(UNANSWERED)('%i is sent without end', async (status) => {
    const { attempts, ...outcome } = await write(status)
    expect(attempts).toBeGreaterThan(15)
    expect(outcome).toEqual({
      stands: 'uncertain',
      code: 'http',
      message: `The server answered ${status}.`,
      mayBeApplied: false,
    })
  })

  test.each(FAILED)('%i is sent eight times more, and given up without the server’s word', async (status) => {
    expect(await write(status)).toEqual({
      attempts: 9,
      stands: 'failed',
      code: 'http',
      message: `The server answered ${status}.`,
      mayBeApplied: true,
    })
  })

  test.each(CONFLICT)('%i is a conflict', async (status) => {
    expect(await write(status)).toMatchObject({
      stands: 'failed',
      code: 'conflict',
      message: `The server has a newer version: The server answered ${status}.`,
      mayBeApplied: false,
    })
  })

  test.each(REFUSED)('%i is refused at once', async (status) => {
    expect(await write(status)).toEqual({
      attempts: 1,
      stands: 'failed',
      code: 'rejected',
      message: `The server answered ${status}.`,
      mayBeApplied: false,
    })
  })

  test('401 waits for new credentials', async () => {
    expect(await write(401)).toMatchObject({ attempts: 1, stands: 'paused' })
  })

  test('409 of one that is in work is asked again under the same key', async () => {
    const { attempts, stands } = await write(409, { type: 'https://example.com/problems/in-progress' })
    expect([attempts > 15, stands]).toEqual([true, 'uncertain'])
  })

  test('422 of a key with another payload is set aside', async () => {
    const problem = { type: 'https://example.com/problems/key-reused' }
    expect(await write(422, problem)).toMatchObject({ attempts: 1, stands: 'failed', code: 'rejected' })
  })

  test.each([500, 503])('%i whose problem says that sending again is of no use is refused', async (status) => {
    expect(await write(status, { retryable: false, detail: 'The shop is closed.' })).toEqual({
      attempts: 1,
      stands: 'failed',
      code: 'rejected',
      message: 'The shop is closed.',
      mayBeApplied: false,
    })
  })
})

async function read(status: number) {
  let attempts = 0
  const fetch = () => {
    attempts++
    return Promise.resolve(new Response(null, { status }))
  }
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: 3, retryDelay: 0 } } })
  const world = createWorld({ queryClient, platform: { fetch }, breaker: { threshold: 1_000_000 } })
  const options = queryOptions({ queryKey: ['q'], queryFn: ({ fetch }) => fetch('/q').then((answer) => answer.json()) })
  const error = await world.sync.queryClient.fetchQuery({ ...options, retry: 3 }).catch((cause: unknown) => cause)
  await world.sync.close({ outbox: 'discard' })
  return { attempts, error }
}

describe('a read that is answered with', () => {
  test.each(ALL.filter((status) => status !== 401))('%i is tried as often as TanStack tries', async (status) => {
    const { attempts, error } = await read(status)
    expect(attempts).toBe(4)
    const code = CONFLICT.includes(status) ? 'conflict' : 'http'
    expect(error).toMatchObject({ name: 'SyncError', code, status, message: `The server answered ${status}.` })
  })

  test('401 is not tried again: the same credentials are refused again', async () => {
    const { attempts, error } = await read(401)
    expect(attempts).toBe(1)
    expect(error).toMatchObject({ code: 'unauthorized', status: 401, message: 'The server answered 401.' })
  })
})
