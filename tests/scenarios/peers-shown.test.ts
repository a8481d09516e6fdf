// The same situations as in `peers.test.ts`, with the recipe for optimistic updates that TanStack Query documents, on the
// query-core that Tidemark is built on: what is wrong there is shown to be wrong, so that the comparison stays true.
import { MutationObserver, QueryClient, QueryObserver } from '@tanstack/query-core'
import { describe, expect, test } from 'vitest'

interface Form {
  a: number
  b: number
}
const KEY = ['form']
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A field's optimistic update as the documentation has it: cancel, snapshot, set, restore on error. */
function createField(client: QueryClient, field: keyof Form, scope?: string) {
  let resolve: (value: unknown) => void = () => {}
  let reject: (error: Error) => void = () => {}
  let sent = 0
  const observer = new MutationObserver<unknown, Error, number, { before: Form | undefined }>(client, {
    mutationFn: () => {
      sent++
      return new Promise((onResolve, onReject) => {
        resolve = onResolve
        reject = onReject
      })
    },
    onMutate: async (value) => {
      await client.cancelQueries({ queryKey: KEY })
      const before = client.getQueryData<Form>(KEY)
      client.setQueryData<Form>(KEY, (old) => old && { ...old, [field]: value })
      return { before }
    },
    onError: (_error, _value, context) => void client.setQueryData(KEY, context?.before),
    ...(scope === undefined ? undefined : { scope: { id: scope } }),
  })
  return {
    async set(value: number) {
      observer.mutate(value).catch(() => {})
      await settle()
    },
    async succeed() {
      resolve({})
      await settle()
    },
    async fail() {
      reject(new Error('no'))
      await settle()
    },
    sent: () => sent,
  }
}

function start(queryFn: () => Promise<Form> = () => new Promise<Form>(() => {})) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } } })
  client.setQueryData<Form>(KEY, { a: 0, b: 0 })
  const seen: Array<Form | undefined> = []
  const stop = new QueryObserver<Form>(client, { queryKey: KEY, queryFn }).subscribe(({ data }) => seen.push(data))
  return { client, seen, stop, data: () => client.getQueryData<Form>(KEY) }
}

describe('TanStack Query with its documented recipe', () => {
  test('loses a confirmed change when an earlier one is rolled back', async () => {
    const { client, data, stop } = start()
    const [a, b] = [createField(client, 'a'), createField(client, 'b')]
    await a.set(1)
    await b.set(1)
    await b.succeed()
    await a.fail()
    expect(data()).toEqual({ a: 0, b: 0 }) // b was confirmed: { a: 0, b: 1 } would be right
    stop()
  })

  test('shows a refused change for ever when two are refused in order', async () => {
    const { client, data, stop } = start()
    const [a, b] = [createField(client, 'a'), createField(client, 'b')]
    await a.set(1)
    await b.set(1)
    await a.fail()
    await b.fail()
    expect(data()).toEqual({ a: 1, b: 0 }) // nothing was accepted: { a: 0, b: 0 } would be right
    stop()
  })

  test('takes a pending change away when a refetch comes back before its answer', async () => {
    const { client, seen, stop } = start(() => Promise.resolve({ a: 0, b: 0 }))
    const a = createField(client, 'a')
    await a.set(1)
    await client.refetchQueries({ queryKey: KEY })
    await a.succeed()
    expect(seen.map((form) => form?.a)).toContain(1)
    expect(seen.at(-1)?.a).toBe(0) // it went back while the change was pending
    stop()
  })

  test('forgets the refetch of a push that a mutation cancelled, and calls the query fresh', async () => {
    let reads = 0
    const { client, stop } = start(() => {
      reads++
      return new Promise<Form>(() => {})
    })
    void client.refetchQueries({ queryKey: KEY }) // somebody else's write was pushed
    await settle()
    const a = createField(client, 'a')
    await a.set(1)
    await a.succeed()
    expect(reads).toBe(1)
    expect(client.getQueryState(KEY)).toMatchObject({ fetchStatus: 'idle', isInvalidated: false })
    stop()
  })

  test('sends an update although the creation that it builds on has failed', async () => {
    const { client, stop } = start()
    const create = createField(client, 'a', 'form')
    const update = createField(client, 'b', 'form')
    await create.set(1)
    await update.set(1)
    expect(update.sent()).toBe(0)
    await create.fail()
    await settle()
    expect(update.sent()).toBe(1)
    stop()
  })
})
