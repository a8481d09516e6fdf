// A developer is told of a list that is read again for changes that a rule would have shown to be harmless.
import { syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { doneItems, item, load, openItems } from '../kit/lists'
import { greet } from '../kit/stream'
import { createWorld } from '../kit/world'

const put = (row: Item) => [{ op: 'put' as const, type: 'item', id: row.id, version: row.version, value: row }]

test('once per query, when it has the same rows in the same order as before', async () => {
  const world = createWorld({ stream: syncStream({ url: '/sync', pollInterval: false }) })
  world.sync.start()
  const stream = await greet(world)
  const headers = (position: number) => ({ headers: { 'sync-cursor': `e:${position}` } })
  await load(world, doneItems, '/done', [item('a', { done: true })], headers(0))
  await load(world, openItems, '/open', [item('b')], headers(0))
  for (const n of [1, 2]) {
    const row = item('a', { done: true, n, version: n + 1 })
    await stream.patch(n, put(row))
    await world.advance(1_000)
    await world.net.take('GET', '/done').answer([row], headers(n))
  }
  expect(world.warnings).toEqual([
    expect.stringMatching(
      /^Tidemark: Query \["items","done"\] was read again because a row had changed, and has the same/,
    ),
  ])
  await stream.patch(3, put(item('b', { done: true, version: 2 })))
  await world.advance(1_000)
  await world.net.take('GET', '/open').answer([], headers(3))
  await world.net.take('GET', '/done').answer([item('a', { done: true }), item('b', { done: true })], headers(3))
  expect(world.warnings).toHaveLength(1)
})
