// What becomes of a write that the stream has confirmed, and whose own answer never comes, when the client is closed.
import { syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import { at, doc, loadDoc, takeWrite, writing } from '../kit/docs'
import { greet } from '../kit/stream'
import { createWorld } from '../kit/world'

test('a write that the stream has confirmed is confirmed, also when the client is closed before its answer', async () => {
  const push = writing('push')
  const world = createWorld({ mutations: [push], stream: syncStream({ url: '/sync', pollInterval: false }) })
  world.sync.start()
  const stream = await greet(world)
  await loadDoc(world, doc('q1', 0), at(0))
  const { id, confirmed } = world.sync.mutate(push, { token: 'm', to: ['q1'] })
  await world.settle()
  takeWrite(world)
  await stream.ack(1, [id])
  expect(world.sync.outbox.getState().entries).toMatchObject([{ status: 'confirmed' }])
  await world.sync.close({ outbox: 'discard' })
  await expect(confirmed).resolves.toBeUndefined()
})
