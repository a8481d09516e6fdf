// A view equals a fold from scratch: whatever was appended, taken out of the middle or rebased, remembering changes nothing.
import fc from 'fast-check'
import { createSyncClient, defineMutation, entity, QueryClient, seededRandom } from 'tidemark'
import { expect, test } from 'vitest'
import { virtualClock } from '../kit/clock'
import { scriptedNetwork } from '../kit/network'

interface Row {
  id: number
  text: string
  version?: number
}
type At = 'start' | 'end' | number | { before: number } | { after: number }
type Change =
  | { kind: 'edit'; id: number; mark: string }
  | { kind: 'insert'; id: number; at: At }
  | { kind: 'upsert'; id: number; text: string; keyed: boolean }
  | { kind: 'remove'; id: number }
  | { kind: 'reverse' }
  | { kind: 'set'; rows: Row[] }

const row = entity<Row>('row')
const KEY = ['rows'] as const
const change = defineMutation({
  mutationKey: ['change'],
  mutationFn: (_: Change[], { fetch }) => fetch('/change').then((response): Promise<unknown> => response.json()),
  optimistic(view, changes) {
    for (const each of changes) {
      if (each.kind === 'edit')
        view.row(row, each.id).update((draft) => {
          draft.text += each.mark
        })
      else if (each.kind === 'insert') view.insert(KEY, row, { id: each.id, text: 'new' }, each.at)
      else if (each.kind === 'upsert' && each.keyed) view.upsert(KEY, row, { id: each.id, text: each.text })
      else if (each.kind === 'upsert') view.upsert(row, { id: each.id, text: each.text })
      else if (each.kind === 'remove') view.remove(row, each.id)
      else if (each.kind === 'reverse')
        view.update<Row[]>({ queryKey: KEY, exact: true }, (rows) => [...rows].reverse() as Row[])
      else view.set(KEY, each.rows)
    }
  },
})

/** The plain meaning of a change: one after another on a copied list. */
function apply(rows: readonly Row[], each: Change): Row[] {
  const next = rows.map((one) => ({ ...one }))
  const at = next.findIndex(({ id }) => 'id' in each && id === each.id)
  if (each.kind === 'reverse') return next.reverse()
  if (each.kind === 'set') return each.rows.map((one) => ({ ...one }))
  if (each.kind === 'remove') return next.filter(({ id }) => id !== each.id)
  if (each.kind === 'edit') {
    const found = next[at]
    if (found !== undefined) found.text += each.mark
    return next
  }
  if (at >= 0) {
    if (each.kind === 'upsert') next[at] = { id: each.id, text: each.text }
    return next
  }
  if (each.kind === 'upsert') return each.keyed ? [...next, { id: each.id, text: each.text }] : next
  next.splice(place(next, each.at), 0, { id: each.id, text: 'new' })
  return next
}

function place(rows: readonly Row[], at: At): number {
  if (at === 'start') return 0
  if (at === 'end') return rows.length
  if (typeof at === 'number') return Math.min(Math.max(0, at), rows.length)
  const anchor = rows.findIndex(({ id }) => id === ('before' in at ? at.before : at.after))
  if (anchor < 0) return rows.length
  return 'before' in at ? anchor : anchor + 1
}

const id = fc.constantFrom(1, 2, 3, 4, 5, 6)
const at: fc.Arbitrary<At> = fc.oneof(
  fc.constantFrom<At>('start', 'end'),
  fc.integer({ min: -1, max: 7 }),
  id.map((before) => ({ before })),
  id.map((after) => ({ after })),
)
const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('edit' as const), id, mark: fc.constantFrom('x', 'y') }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('insert' as const), id, at }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('upsert' as const),
        id,
        text: fc.constantFrom('p', 'q'),
        keyed: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), id }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'reverse' as const }) },
    {
      weight: 1,
      arbitrary: fc
        .array(id, { maxLength: 3 })
        .map((ids) => ({ kind: 'set' as const, rows: [...new Set(ids)].map((each) => ({ id: each, text: 'set' })) })),
    },
  ),
  { minLength: 1, maxLength: 3 },
)
const base = fc
  .uniqueArray(id, { maxLength: 6 })
  .map((ids) => ids.map((each): Row => ({ id: each, text: `row ${each}` })))
type Action = { kind: 'mutate'; changes: Change[] } | { kind: 'drop'; at: number } | { kind: 'base'; rows: Row[] }
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: changes.map((made) => ({ kind: 'mutate' as const, changes: made })) },
    { weight: 3, arbitrary: fc.nat(20).map((position) => ({ kind: 'drop' as const, at: position })) },
    { weight: 1, arbitrary: base.map((rows) => ({ kind: 'base' as const, rows })) },
  ),
  { maxLength: 25 },
)

test('the view is the fold of base and pending changes, whatever came before', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(base, actions, (first, script) => {
      const queryClient = new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } })
      const net = scriptedNetwork()
      const sync = createSyncClient({
        queryClient,
        mutations: [change],
        platform: {
          clock: virtualClock(),
          random: seededRandom(1),
          network: net.network,
          fetch: net.fetch,
          development: false,
        },
        onReport: (report) => {
          throw report
        },
      })
      queryClient.setQueryDefaults(KEY, { rows: [row, (rows: Row[]) => rows] } as never)
      queryClient.setQueryData(KEY, first as never)
      let rows = first
      let pending: Array<{ changes: Change[]; id: string; cancel: () => boolean }> = []
      for (const action of script) {
        if (action.kind === 'mutate') {
          const { id, cancel } = sync.mutate(change, action.changes)
          pending.push({ changes: action.changes, id, cancel })
        } else if (action.kind === 'drop') {
          pending.splice(action.at % Math.max(1, pending.length), 1)[0]?.cancel()
          // What builds on a row that it would have created goes with it.
          const left = new Set(sync.outbox.getState().entries.map((entry) => entry.id))
          pending = pending.filter((each) => left.has(each.id))
        } else {
          rows = action.rows
          queryClient.setQueryData(KEY, rows as never)
        }
        const wanted = pending.flatMap((each) => each.changes).reduce(apply, rows)
        expect(sync.getView(KEY)).toEqual(wanted)
        expect(sync.getBase(KEY)).toEqual(rows)
      }
    }),
    { numRuns: Number(process.env['RUNS'] ?? 3000) / 2, seed: Number(process.env['SEED'] ?? 5) },
  )
})
