// State that a server sent, and the stream that the page opens then: what is known to be current is not read again.
import { dehydrate, hydrate, queryOptions, syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import { greet } from '../kit/stream'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

const list = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/todos').then((answer): Promise<string[]> => answer.json()),
})

/** What a server read at position 5, as it is sent. */
async function sent(): Promise<unknown> {
  const { sync, net, settle } = createWorld()
  const read = sync.queryClient.prefetchQuery(list)
  await settle()
  await net.take('GET').answer(['A'], { headers: { 'sync-cursor': 'e:5' } })
  await read
  return JSON.parse(JSON.stringify(dehydrate(sync.queryClient)))
}

async function page(): Promise<World> {
  const world = createWorld({ stream: syncStream({ url: '/sync' }) })
  hydrate(world.sync.queryClient, await sent())
  world.watch(list)
  world.sync.start()
  return world
}

const reads = ({ net }: World): number => net.waiting.length

test('a stream that begins where the server read brings no read', async () => {
  const world = await page()
  await greet(world, { position: 5 })
  expect(reads(world)).toBe(0)
})

test('a stream that begins later brings one', async () => {
  const world = await page()
  await greet(world, { position: 6 })
  expect(reads(world)).toBe(1)
})

test('what follows on the stream is applied to what the server read', async () => {
  const world = await page()
  const stream = await greet(world, { position: 5 })
  await stream.send('state', { key: ['todos'], value: ['A', 'B'] }, 6)
  expect(world.sync.getView(['todos'])).toEqual(['A', 'B'])
  expect(reads(world)).toBe(0)
})
