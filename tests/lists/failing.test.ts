// What does not hold yet, each case with the sentence of section 11 that it breaks.
import { expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { changing, item, load, openItems } from '../kit/lists'
import { ALL, paged, six } from './paged'
import { at, put, ranks, scripted } from './scripted'

const without = changing({ apply: undefined })

// 'Placed, no read'; 'what the kit sends never costs a read that it need not'. An answer with a position and no rows makes the
// lists be read at once, though the stream is open and brings the row a moment later. (The kit in one process is not seen doing
// it: its echo is there before its answer.)
test('an own change in its place, without "apply", is covered by its echo and not by a read', async () => {
  const world = await scripted(without)
  await load<Item[]>(world, openItems, '/open', ranks(), at(0))
  const { id } = world.write({ op: 'set', id: 'b', to: { n: 1 } })
  await world.confirm(1)
  await world.stream.patch(1, [put(item('b', { rank: 2, n: 1, version: 2 }))], { mutations: [id] })
  await world.advance(1_000)
  expect(world.reads('/open')).toBe(1)
})

// ''Load more' during a reread runs after it, and neither is lost': one further page. Where no page follows there is none to ask for: it is
// taken for one that was not brought, asked for again, and all pages are read without end, with no pause between (since 3ae3d54).
test.each(ALL)('%s: "load more" at the end of the list asks for nothing', async (kind) => {
  const list = await paged(kind, { pages: 3 })
  list.more()
  expect([await list.serve(six(), 0), list.shown]).toEqual([0, 'a b | c d | e f'])
})
