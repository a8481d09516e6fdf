// A read waits for its answer as long as a write does, and no longer.
import { getEventListeners } from 'node:events'
import type { SyncClientOptions } from 'tidemark'
import { QueryClient, queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { createWorld } from '../kit/world'

const list = queryOptions({
  queryKey: ['list'],
  queryFn: ({ fetch }) => fetch('/list').then((answer) => answer.json()),
})

function reading(options: SyncClientOptions, query = list) {
  const world = createWorld(options)
  const outcome = world.sync.queryClient.fetchQuery(query).catch((error: unknown) => error)
  let isOver = false
  void outcome.then(() => {
    isOver = true
  })
  return { ...world, outcome, isOver: () => isOver }
}

describe('a read without an answer', () => {
  test('fails after a minute, with a sentence, and its request is aborted', async () => {
    const { advance, isOver, outcome, net } = reading({})
    await advance(59_999)
    expect(isOver()).toBe(false)
    await advance(1)
    expect(await outcome).toMatchObject({ code: 'timeout', message: 'No answer within 60 s.' })
    expect(net.log[0]?.aborted).toBe(true)
  })

  test('fails after the client’s time, or its query’s own', async () => {
    const client = reading({ timeout: 5000 })
    await client.advance(5000)
    expect(await client.outcome).toMatchObject({ code: 'timeout' })
    const query = reading({ timeout: 5000 }, { ...list, timeout: 500 })
    await query.advance(500)
    expect(await query.outcome).toMatchObject({ code: 'timeout', message: 'No answer within 0.5 s.' })
  })

  test('waits for ever if it is told to', async () => {
    const { advance, clock, isOver, net, outcome } = reading({}, { ...list, timeout: Number.POSITIVE_INFINITY })
    await advance(86_400_000)
    expect([isOver(), clock.pending()]).toEqual([false, 0])
    await net.take('GET').answer(['a'])
    expect(await outcome).toEqual(['a'])
  })

  test('is tried again as TanStack tries a read again', async () => {
    const queryClient = new QueryClient()
    const { advance, net, outcome } = reading({ queryClient, timeout: 1000 }, { ...list, retry: 1, retryDelay: 0 })
    await advance(1000)
    await new Promise((resolve) => setTimeout(resolve, 5)) // the delay is TanStack's
    await net.take('GET').answer(['a'])
    expect(await outcome).toEqual(['a'])
  })

  test('fails in time though its fetch heeds no signal', async () => {
    const { advance, outcome } = reading({ platform: { fetch: () => new Promise(() => {}) } })
    await advance(60_000)
    expect(await outcome).toMatchObject({ code: 'timeout' })
  })
})

test('a read whose body stalls fails in time', async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('[1,')) })
  const fetch = async () => new Response(body, { headers: { 'content-type': 'application/json' } })
  const { advance, outcome } = reading({ platform: { fetch } })
  await advance(60_000)
  expect(await outcome).toMatchObject({ code: 'timeout' })
})

test('what cancels the query aborts its request, and leaves no timer', async () => {
  const { sync, clock, net, settle, outcome } = reading({})
  await settle()
  await sync.queryClient.cancelQueries({ queryKey: list.queryKey })
  expect(await outcome).toMatchObject({ message: 'CancelledError' })
  await settle()
  expect([net.log[0]?.aborted, clock.pending()]).toEqual([true, 0])
})

test('a read that is tried again leaves nobody behind who listens to its signal', async () => {
  const signals = new Set<AbortSignal>()
  const { sync, net, settle } = createWorld({ breaker: { threshold: 1000 } })
  const failing = queryOptions({
    queryKey: ['failing'],
    queryFn: ({ fetch, signal }) => {
      signals.add(signal)
      return fetch('/list').then((answer) => answer.json())
    },
    retry: 20,
    retryDelay: 0,
  })
  const outcome = sync.queryClient.fetchQuery(failing).catch((error: unknown) => error)
  for (let attempt = 0; attempt <= 20; attempt++) {
    await expect.poll(() => net.waiting.length).toBe(1)
    await net.take('GET', '/list').answer({}, { status: 500 })
    await settle()
  }
  expect(await outcome).toMatchObject({ status: 500 })
  expect(signals.size).toBe(1)
  for (const signal of signals) expect(getEventListeners(signal, 'abort').length).toBeLessThan(3)
})
