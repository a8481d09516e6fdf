// An open stream is given a moment to bring what an answer has confirmed: then nothing has to be read.
import { expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { changing, item, load, openItems } from '../kit/lists'
import { at, put, ranks, scripted } from './scripted'

async function confirmed() {
  const world = await scripted(changing({ apply: undefined }))
  await load<Item[]>(world, openItems, '/open', ranks(), at(0))
  const { id } = world.write({ op: 'set', id: 'b', to: { n: 1 } })
  await world.confirm(1)
  return { ...world, id }
}

test('an own change in its place, without "apply", is covered by its echo and not by a read', async () => {
  const world = await confirmed()
  await world.advance(299)
  await world.stream.patch(1, [put(item('b', { rank: 2, n: 1, version: 2 }))], { mutations: [world.id] })
  await world.advance(20_000)
  expect([world.reads('/open'), world.sync.outbox.getState().entries]).toEqual([1, []])
})

test('without an echo it is read for', async () => {
  const world = await confirmed()
  await world.advance(299)
  expect(world.reads('/open')).toBe(1)
  await world.advance(1)
  expect(world.reads('/open')).toBe(2)
})

test('a client that is closed meanwhile reads nothing', async () => {
  const world = await confirmed()
  await world.sync.close({ outbox: 'discard' })
  await world.advance(1_000)
  expect(world.reads('/open')).toBe(1)
})
