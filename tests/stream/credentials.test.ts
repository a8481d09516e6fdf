// What is still under way when a stream is stopped does not speak of it afterwards: requests for credentials, and waits.
import { expect, test } from 'vitest'
import { createSyncBench, hello } from './support/sync'

type Bench = ReturnType<typeof createSyncBench>

const refused = () => new Response(null, { status: 401 })

/** The states that are shown from now on. */
function statesOf(bench: Bench): string[] {
  const states: string[] = []
  bench.stream.status.subscribe(({ state }) => void (states.at(-1) !== state && states.push(state)))
  return states
}

/** A promise that the test settles. */
function held<T>() {
  let settle!: (value: T) => void
  const promise = new Promise<T>((resolve) => {
    settle = resolve
  })
  return { promise, settle }
}

test('1. waits for other credentials, 2. wakes up and asks for them, 3. is stopped, 4. gets the same: stays idle', async () => {
  const asked = held<Record<string, string>>()
  let isHeld = false
  const bench = createSyncBench({ headers: () => (isHeld ? asked.promise : Promise.resolve({})) })
  bench.server.otherwise = refused
  bench.stream.start()
  await bench.clock.advance(0)
  expect(bench.stream.status.getState().state).toBe('unauthorized')
  isHeld = true
  bench.network.emit('visible')
  await bench.clock.advance(2_000)
  const states = statesOf(bench)
  bench.stream.stop()
  asked.settle({})
  await bench.clock.advance(0)
  expect(states).toEqual(['idle'])
  expect(bench.clock.timers()).toBe(0)
})

test('1. is refused and refreshes, 2. is stopped and started, 3. the first refresh ends, 4. is refused: refreshes again', async () => {
  const refreshes: ReturnType<typeof held<boolean>>[] = []
  const bench = createSyncBench({
    refreshAuth() {
      const refresh = held<boolean>()
      refreshes.push(refresh)
      return refresh.promise
    },
  })
  const second = held<Response>()
  bench.server.next(refused, () => second.promise, bench.server.open(hello('e:0')))
  bench.stream.start()
  await bench.clock.advance(0)
  const states = statesOf(bench)
  bench.stream.stop()
  bench.stream.start()
  await bench.clock.advance(0)
  refreshes[0]?.settle(true)
  await bench.clock.advance(0)
  second.settle(refused())
  await bench.clock.advance(0)
  refreshes[1]?.settle(true)
  await bench.clock.advance(0)
  expect(states).toEqual(['idle', 'connecting', 'open'])
  expect(refreshes).toHaveLength(2)
  bench.stream.stop()
})

test('a subscriber that stops the stream at a wake-up leaves no timer behind', async () => {
  const bench = createSyncBench()
  bench.stream.start()
  await bench.clock.advance(0)
  expect(bench.stream.status.getState().state).toBe('waiting')
  bench.stream.status.subscribe(({ state }) => void (state === 'waiting' && bench.stream.stop()))
  bench.network.emit('online')
  await bench.clock.advance(0)
  expect(bench.stream.status.getState().state).toBe('idle')
  expect(bench.clock.timers()).toBe(0)
})
