// A declared list in pages: they are read one after another, and none of them says where the next begins when a row has gone.
import { syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import type { Item, Page } from '../kit/lists'
import { changing, item, load, pagedItems, shown } from '../kit/lists'
import { greet } from '../kit/stream'
import type { Watch } from '../kit/world'
import { createWorld } from '../kit/world'

interface Pages {
  pages: Page[]
}
const text = (data: Pages | undefined): string => data?.pages.map(({ items }) => shown(items)).join(' | ') ?? '-'
const at = (position: number) => ({ headers: { 'sync-cursor': `e:${position}` } })

async function twoPages(second: Item[]) {
  const world = createWorld({ stream: syncStream({ url: '/sync', pollInterval: false }) })
  world.sync.start()
  const stream = await greet(world)
  const first: Page = { items: [item('a'), item('b', { rank: 2 })], next: 'b' }
  const paged = (await load(world, pagedItems, '/pages?after=', first, at(0))) as unknown as Watch<Pages>
  const query = world.sync.queryClient.getQueryCache().find({ queryKey: pagedItems.queryKey })
  void query?.fetch(query.options, { meta: { fetchMore: { direction: 'forward' } } } as never)
  await world.settle()
  await world.net.take('GET', '/pages?after=b').answer({ items: second, next: null } satisfies Page, at(0))
  return { world, stream, paged }
}

test('a row that is deleted is gone at once, and all pages are read: each begins elsewhere now', async () => {
  const { world, stream, paged } = await twoPages([item('c', { rank: 3 })])
  await stream.patch(1, [{ op: 'del', type: 'item', id: 'a', version: 2 }])
  expect(text(paged.data)).toBe('b2 | c3')
  await world.net
    .take('GET', '/pages?after=')
    .answer({ items: [item('b', { rank: 2 }), item('c', { rank: 3 })], next: null }, at(1))
  expect(text(paged.data)).toBe('b2 c3')
  await world.advance(60_000)
  expect(world.net.waiting).toEqual([])
})

test('a row that stands in two pages is shown once, as the page has it that was read last', async () => {
  const { world, paged } = await twoPages([item('c', { rank: 3 }), item('b', { rank: 5 })])
  expect(text(paged.data)).toBe('a | c3 b5')
  expect(text(world.sync.getBase(pagedItems.queryKey) as Pages)).toBe('a b2 | c3 b5')
})

test('a page of which it cannot be told whether it contains an open write is asked for again with pauses', async () => {
  const world = createWorld({ mutations: [changing()] })
  world.sync.start()
  await load(world, pagedItems, '/pages?after=', { items: [item('a')], next: 'a' })
  world.sync.mutate(changing(), [{ op: 'count', id: 'b' }])
  const query = world.sync.queryClient.getQueryCache().find({ queryKey: pagedItems.queryKey })
  void query?.fetch(query.options, { meta: { fetchMore: { direction: 'forward' } } } as never)
  await world.settle()
  for (let seconds = 0; seconds < 10; seconds += 0.1) {
    for (const get of world.net.waiting.filter(({ method }) => method === 'GET'))
      await get.answer(
        get.url.endsWith('=') ? { items: [item('a')], next: 'a' } : { items: [item('b', { rank: 2 })], next: null },
      )
    await world.advance(100)
  }
  const reads = world.net.log.filter(({ method }) => method === 'GET').length
  expect(reads).toBeGreaterThan(4)
  expect(reads).toBeLessThan(16)
  await world.net.take('POST').answer({})
  await world.advance(60_000)
  for (let n = 0; n < 4; n++) {
    for (const get of world.net.waiting.filter(({ method }) => method === 'GET'))
      await get.answer(
        get.url.endsWith('=')
          ? { items: [item('a')], next: 'a' }
          : { items: [item('b', { rank: 2, n: 1 })], next: null },
      )
    await world.advance(40_000)
  }
  expect(text(world.sync.getView(pagedItems.queryKey) as Pages)).toBe('a | b2#1')
})
