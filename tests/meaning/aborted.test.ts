// An AbortError in the body of an answer: Firefox says so of a connection that was reset, every engine of a request that
// the caller gave up. Who aborted decides, not the name.
import type { FetchLike, SyncError } from 'tidemark'
import { createSyncClient, defineMutation } from 'tidemark'
import { expect, test } from 'vitest'

const abortError = () => new DOMException('The operation was aborted.', 'AbortError')

/** A 200 whose body begins, and then breaks as `end` says. */
function broken(end: (fail: () => void) => void): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"id":'))
      end(() => controller.error(abortError()))
    },
  })
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

function createPage(fetch: FetchLike, more: { retry?: number; idempotent?: false; signal?: AbortSignal }) {
  const { signal, ...rest } = more
  const errors: unknown[] = []
  const add = defineMutation({
    mutationKey: ['add'],
    mutationFn: async (_, context): Promise<unknown> => {
      try {
        return await (await context.fetch('/add', signal === undefined ? {} : { signal })).json()
      } catch (error) {
        errors.push(error)
        throw error
      }
    },
    ...rest,
  })
  const reports: SyncError[] = []
  const sync = createSyncClient({
    mutations: [add],
    platform: { fetch, development: false },
    onReport: (report) => void reports.push(report),
  })
  sync.start()
  return { sync, add, errors, reports }
}

test.each([{ retry: 0 }, { idempotent: false } as const])(
  'a reset after a 2xx is an answer that was cut: %o',
  async (more) => {
    let sent = 0
    const fetch = async () => {
      sent++
      return broken((fail) => setTimeout(fail))
    }
    const { sync, add, errors, reports } = createPage(fetch, more)
    expect(await sync.mutate(add).confirmed).toBeUndefined()
    expect(sent).toBe(1)
    expect(errors).toMatchObject([{ code: 'network', status: 200, cause: { name: 'AbortError' } }])
    expect(reports).toMatchObject([{ code: 'protocol' }])
    await sync.close({ outbox: 'discard' })
  },
)

test('a caller that gives its request up gets the AbortError as it is', async () => {
  const abort = new AbortController()
  const fetch: FetchLike = async (_, init) =>
    broken((fail) => {
      init?.signal?.addEventListener('abort', fail)
      setTimeout(() => abort.abort())
    })
  const { sync, add, errors } = createPage(fetch, { signal: abort.signal })
  sync.mutate(add).confirmed.catch(() => {})
  await expect.poll(() => errors).toMatchObject([{ name: 'AbortError' }])
  await sync.close({ outbox: 'discard' })
})
