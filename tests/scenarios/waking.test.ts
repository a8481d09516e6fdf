// A server that was away for long: reads pause longer and longer, and none of that pause is left when it is there again.
import { QueryClient, syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import { at, doc, loadDoc, takeRead } from '../kit/docs'
import { greet } from '../kit/stream'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

/** A stale query of which so many reads in a row have failed that the next one is far. */
async function paused() {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const world = createWorld({ queryClient, stream: syncStream({ url: '/stream' }), breaker: { threshold: 1000 } })
  world.sync.start()
  const stream = await greet(world, { heartbeat: 120_000 })
  await loadDoc(world, doc('q1', 0), at(0))
  await stream.invalidate(1, [['doc', 'q1']])
  for (let failures = 0; failures < 8; failures++) {
    await takeRead(world, 'q1').answer({}, { status: 500 })
    await world.advance(60_000)
    await stream.send('ping', {})
  }
  await takeRead(world, 'q1').answer({}, { status: 500 })
  await world.advance(1000)
  expect(reads(world)).toEqual([])
  return { world, stream }
}

const reads = ({ net }: World): string[] => net.waiting.filter(({ method }) => method === 'GET').map(({ url }) => url)

test('a stream that opens again makes the reads that wait', async () => {
  const { world, stream } = await paused()
  await stream.connection.close()
  await world.advance(3000)
  await greet(world, { position: 1, resume: 'continued' })
  expect(reads(world)).toEqual(['/doc/q1'])
})

test('a resync does, and what it brings ends the pauses', async () => {
  const { world, stream } = await paused()
  await stream.send('resync', { reason: 'operator' }, 2)
  await world.settle()
  await takeRead(world, 'q1').answer(doc('q1', 2), at(2))
  expect(reads(world)).toEqual([])
  await stream.invalidate(3, [['doc', 'q1']])
  expect(reads(world)).toEqual(['/doc/q1'])
})

test('the network that returns does', async () => {
  const { world } = await paused()
  await world.net.network.set('offline')
  await world.net.network.set('online')
  await world.settle()
  expect(reads(world)).toEqual(['/doc/q1'])
})
