// Rows that are ordered by hand: what the server says of a row does not say where it stands, so the move waits for a read.
import { syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import { allShown, changing, item, load, orderedItems, shown } from '../kit/lists'
import { greet } from '../kit/stream'
import { createWorld } from '../kit/world'

const at = (position: number) => ({ headers: { 'sync-cursor': `e:${position}` } })

async function moved() {
  const world = createWorld({ mutations: [changing()], stream: syncStream({ url: '/sync', pollInterval: false }) })
  world.sync.start()
  const stream = await greet(world)
  const list = await load(world, orderedItems, '/ordered', [item('a'), item('b'), item('c')], at(0))
  const handle = world.sync.mutate(changing(), [{ op: 'move', id: 'a', at: 'end' }])
  await world.settle()
  const row = item('a', { version: 2, rank: 9 })
  const event = () =>
    stream.patch(1, [{ op: 'put', type: 'item', id: 'a', version: 2, value: row }], { mutations: [handle.id] })
  const answer = () => world.net.take('POST').answer({ rows: { a: row } }, at(1))
  return { world, list, event, answer, row }
}

test.each([['the event first'], ['the answer first']])('it stands until the list was read: %s', async (order) => {
  const { world, list, event, answer, row } = await moved()
  for (const come of order === 'the event first' ? [event, answer] : [answer, event]) await come()
  expect(shown(list.data)).toBe('b c a')
  await world.advance(1_000)
  await world.net.take('GET', '/ordered').answer([item('b'), item('c'), row], at(1))
  await world.advance(60_000)
  expect(allShown(list, shown)).toEqual(['-', 'a b c', 'b c a', 'b c a9'])
  expect(world.net.log.filter(({ method }) => method === 'GET')).toHaveLength(2)
})
