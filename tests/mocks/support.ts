// What the mock server's tests share: rows, time that stands still, and a reader of event streams.
import type { MockServer } from 'tidemark/mocks'
import { createMockServer } from 'tidemark/mocks'
import { afterEach } from 'vitest'

export interface Todo {
  id: string
  title: string
  done?: boolean
}

export const MILK: Todo = { id: 'milk', title: 'Milk' }
export const BREAD: Todo = { id: 'bread', title: 'Bread' }

export interface TestClock {
  now(): number
  after(delay: number, callback: () => void): () => void
  soon(callback: () => void): void
  /** Lets time pass: timers fire in order, and what they start gets its turns. */
  advance(milliseconds: number): Promise<void>
}

/** A few turns of the event loop: what is only waiting for its turn is done after it. */
export async function turns(count = 5): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise<void>((resolve) => setTimeout(resolve))
}

export function testClock(start = 1_750_000_000_000): TestClock {
  let now = start
  const timers = new Set<{ at: number; callback: () => void }>()
  return {
    now: () => now,
    after(delay, callback) {
      const timer = { at: now + Math.max(0, delay), callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    soon: (callback) => queueMicrotask(callback),
    async advance(milliseconds) {
      const until = now + milliseconds
      await turns()
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (due === undefined) break
        timers.delete(due)
        now = Math.max(now, due.at)
        due.callback()
        await turns(2)
      }
      now = until
      await turns()
    },
  }
}

const opened: { close(): void }[] = []
afterEach(() => {
  for (const server of opened.splice(0)) server.close()
})

/** Closed after the test. */
export function open<T extends { close(): void }>(server: T): T {
  opened.push(server)
  return server
}

export function todoServer(options: Omit<Parameters<typeof createMockServer>[0], 'tables'> = {}) {
  return open(createMockServer({ ...options, tables: { todos: { rows: [MILK, BREAD], entity: 'todo' } } }))
}

type Fetch = MockServer['fetch']

export const get = (fetch: Fetch, path: string, init?: RequestInit): Promise<Response> => fetch(path, init)

export function send(
  fetch: Fetch,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(path, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

/** How a promise stands after a few turns. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  let state: 'pending' | 'resolved' | 'rejected' = 'pending'
  promise.then(
    () => (state = 'resolved'),
    () => (state = 'rejected'),
  )
  await turns()
  return state
}

export interface WireEvent {
  event: string
  id: string | undefined
  data: { [member: string]: unknown }
}

/** Reads an event stream as text, event by event. */
export async function listen(fetch: Fetch, path = '/api/sync', init?: RequestInit) {
  const response = await fetch(path, init)
  if (response.body === null || response.status !== 200) throw new Error(`the stream answered ${response.status}`)
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  return {
    /** The next whole event; `undefined` at a clean end. What breaks the connection rejects. */
    async next(): Promise<WireEvent | undefined> {
      for (;;) {
        const end = text.indexOf('\n\n')
        if (end !== -1) {
          const block = text.slice(0, end)
          text = text.slice(end + 2)
          return toEvent(block)
        }
        const { done, value } = await reader.read()
        if (done) return undefined
        text += decoder.decode(value, { stream: true })
      }
    },
    /** What came of an event that is not whole. */
    rest: () => text,
    close: () => reader.cancel(),
  }
}

function toEvent(block: string): WireEvent {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
  const data = JSON.parse(field('data') ?? '{}') as WireEvent['data']
  return { event: field('event') ?? '', id: field('id'), data }
}
