// The log is restored from a backup while a stream is on its way back: what one log says is never said of the other.
import type { StateStore } from 'tidemark/server'
import { memoryStore } from 'tidemark/server'
import { expect, test } from 'vitest'
import { authenticate, manualClock, startServer } from './harness'

/** Holds back what the store has read after a position, when it is read for the n-th time. */
function heldStore(store: StateStore, after: string, nth: number) {
  let reads = 0
  let release!: () => void
  let reached!: () => void
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const isReached = new Promise<void>((resolve) => {
    reached = resolve
  })
  const held: StateStore = {
    ...store,
    async snapshot(run) {
      let isHeld = false
      const result = await store.snapshot((view) =>
        run({
          ...view,
          readLog(from, limit) {
            if (from === after) isHeld = ++reads === nth
            return view.readLog(from, limit)
          },
        }),
      )
      if (isHeld) {
        reached()
        await released
      }
      return result
    },
  }
  return { held, isReached, release }
}

/** A log `old` of so many commits, of which the ring has the last two; reads after a position are held. */
async function start(commits: number, after: string, nth: number) {
  const clock = manualClock()
  const store = memoryStore({ now: clock.now, epoch: 'old' })
  const { held, isReached, release } = heldStore(store, after, nth)
  const server = startServer(held, {
    authenticate,
    clock,
    limits: { ringEvents: 2 },
    mutations: { put: (tx, id: string) => tx.put('row', id, { id }) },
  })
  for (let n = 1; n <= commits; n++) await server.post('put', `r${n}`)
  await (await server.stream('?topics=row')).next()
  const restore = async () => {
    store.rotateEpoch('new')
    await server.post('put', 'restored')
    await expect.poll(() => server.handler.snapshot()['ring_restarts']).toBe(2)
    release()
  }
  return { ...server, isReached, restore }
}

test.each([
  ['is all there', 5],
  ['goes on', 9],
])('a new log while it is looked up what was missed, which %s, is begun at its end', async (_, commits) => {
  const { stream, post, isReached, restore } = await start(commits, '1', 1)
  const opening = stream('?topics=row', { headers: { 'Last-Event-ID': 'old:1' } })
  await isReached
  await restore()
  const events = await opening
  const cursor = `new:${commits + 1}`
  expect(await events.next()).toMatchObject({ event: 'hello', resume: 'reset', epoch: 'new', cursor })
  await post('put', 'next')
  expect(await events.next()).toMatchObject({ event: 'patch', prev: cursor, id: `new:${commits + 2}` })
})

test('a new log while what was missed is sent ends that, and is begun at its end', async () => {
  const { stream, post, isReached, restore } = await start(9, '5', 2)
  const events = await stream('?topics=row', { headers: { 'Last-Event-ID': 'old:1' } })
  const [hello, ...patches] = await events.take(5)
  expect(hello).toMatchObject({ event: 'hello', resume: 'continued', epoch: 'old', cursor: 'old:1' })
  expect(patches.map(({ id }) => id)).toEqual(['old:2', 'old:3', 'old:4', 'old:5'])
  const following = events.next()
  await isReached
  await restore()
  expect(await following).toMatchObject({
    event: 'resync',
    reason: 'stream-changed',
    prev: 'old:5',
    id: 'new:10',
  })
  await post('put', 'next')
  expect(await events.next()).toMatchObject({ event: 'patch', prev: 'new:10', id: 'new:11' })
})
