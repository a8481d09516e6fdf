// Changes of several rows of a list that has no order: each is taken as if it were the last, so that the list is the same
// folded one by one, all at once, and by hand on an array.
import fc from 'fast-check'
import type { InsertPosition } from 'tidemark'
import { defineMutation, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'
import type { Item } from '../kit/lists'
import { item, itemRow } from '../kit/lists'
import { createWorld } from '../kit/world'

const all = queryOptions({
  queryKey: ['items', 'all'],
  queryFn: () => new Promise<Item[]>(() => {}),
  rows: [itemRow, (items) => items, { where: () => true }],
})

type Act = { op: 'insert' | 'upsert' | 'edit' | 'remove'; id: string } | { op: 'move'; id: string; at: InsertPosition }

const act = defineMutation({
  mutationKey: ['act'],
  mutationFn: (_: Act[]) => new Promise<never>(() => {}),
  optimistic: (view, acts) => {
    for (const each of acts) {
      if (each.op === 'insert') view.insert(itemRow, item(each.id))
      if (each.op === 'upsert') view.upsert(itemRow, item(each.id, { n: 1 }))
      if (each.op === 'edit') view.row(itemRow, each.id).update((row) => void row.n++)
      if (each.op === 'remove') view.remove(itemRow, each.id)
      if (each.op === 'move') view.move(itemRow, each.id, each.at)
    }
  },
})

/** What the change makes of a list of ids, by hand. */
function byHand(ids: readonly string[], each: Act): string[] {
  const { op, id } = each
  const others = ids.filter((one) => one !== id)
  if (op === 'remove') return others
  if (op === 'edit' || (op === 'upsert' && ids.includes(id)) || (op === 'insert' && ids.includes(id))) return [...ids]
  if (op !== 'move') return [...ids, id]
  if (!ids.includes(id)) return [...ids]
  const { at } = each
  const anchor = typeof at === 'object' ? others.indexOf(String('before' in at ? at.before : at.after)) : -1
  if (at === 'start') return [id, ...others]
  if (typeof at === 'number') return [...others.slice(0, at), id, ...others.slice(at)]
  if (typeof at !== 'object' || anchor < 0) return [...others, id]
  const spot = 'before' in at ? anchor : anchor + 1
  return [...others.slice(0, spot), id, ...others.slice(spot)]
}

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'n', 'm')
const positions: fc.Arbitrary<InsertPosition> = fc.oneof(
  fc.constantFrom<InsertPosition>('start', 'end'),
  fc.nat(4),
  ids.map((before) => ({ before })),
  ids.map((after) => ({ after })),
)
const acts = fc.oneof(
  fc.record({ op: fc.constantFrom('insert', 'upsert', 'edit', 'remove'), id: ids }),
  fc.record({ op: fc.constant('move'), id: ids, at: positions }),
) as fc.Arbitrary<Act>

test.each([
  ['insert n, insert m, move n to the end', 'abc', ['n', 'm'], [{ op: 'move', id: 'n', at: 'end' }], 'abcmn'],
  [
    'move a to the end, move b after a, move a to the start',
    'abc',
    [],
    [
      { op: 'move', id: 'a', at: 'end' },
      { op: 'move', id: 'b', at: { after: 'a' } },
      { op: 'move', id: 'a', at: 'start' },
    ],
    'acb',
  ],
  [
    'remove b, insert it again',
    'abc',
    [],
    [
      { op: 'remove', id: 'b' },
      { op: 'upsert', id: 'b' },
    ],
    'acb',
  ],
] as const)('%s', (_, start, made, changes, end) => {
  const { sync, watch } = createWorld({ mutations: [act] })
  const list = watch<Item[]>(all)
  sync.queryClient.setQueryData(
    all.queryKey,
    [...start].map((id) => item(id)),
  )
  for (const id of made) sync.mutate(act, [{ op: 'insert', id }])
  for (const each of changes) sync.mutate(act, [each as Act])
  expect(list.data?.map(({ id }) => id).join('')).toBe(end)
})

test('one by one, all at once, and by hand it is one list', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(fc.array(fc.array(acts, { minLength: 1, maxLength: 3 }), { maxLength: 6 }), (writes) => {
      const { sync, watch } = createWorld({ mutations: [act], platform: { development: false } })
      const list = watch<Item[]>(all)
      const start = ['a', 'b', 'c', 'd']
      sync.queryClient.setQueryData(
        all.queryKey,
        start.map((id) => item(id)),
      )
      let expected: string[] = start
      for (const write of writes) {
        expected = write.reduce(byHand, expected)
        sync.mutate(act, write)
        expect(
          list.data?.map(({ id }) => id),
          'one by one',
        ).toEqual(expected)
        // Another base: everything is folded anew.
        sync.queryClient.setQueryData(
          all.queryKey,
          start.map((id) => item(id, { rank: 7 })),
        )
        expect(
          list.data?.map(({ id }) => id),
          'all at once',
        ).toEqual(expected)
        sync.queryClient.setQueryData(
          all.queryKey,
          start.map((id) => item(id)),
        )
      }
    }),
    { numRuns: 1_000 },
  )
})
