// Any data, any recipe, in development and in production: what the server said is as it was, whatever a recipe does to what
// it is handed, and what it is refused leaves nothing behind.
import { inspect } from 'node:util'
import fc from 'fast-check'
import { createSyncClient, defineMutation } from 'tidemark'
import { test } from 'vitest'
import { deepFreeze } from '../kit/freeze'

class Page {
  items: unknown
  constructor(items: unknown) {
    this.items = items
  }
}

const leaf = fc.oneof(
  fc.constantFrom(null, true, 'text', 1, 10n ** 20n, undefined),
  fc.integer(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 4 }),
)
const { data } = fc.letrec((tie) => ({
  data: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('data'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'items', 'constructor'), tie('data'), { maxKeys: 3 }),
    fc.array(fc.tuple(fc.constantFrom('x', 'y'), tie('data')), { maxLength: 2 }).map((pairs) => new Map(pairs)),
    fc.array(tie('data'), { maxLength: 2 }).map((values) => new Set(values)),
    tie('data').map((items) => new Page(items)),
    tie('data').map(deepFreeze),
    fc.array(tie('data'), { maxLength: 3 }).map((list) => {
      list.push(list) // a circle
      return list
    }),
  ),
}))

const show = (value: unknown): string => inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: false })

/** Changes in place whatever it comes by, as the choices say. */
function damage(value: unknown, choices: number[], seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  const choice = choices.pop() ?? 0
  if (value instanceof Date) value.setTime(choice)
  else if (value instanceof Uint8Array) value.fill(choice)
  else if (value instanceof Map) {
    for (const part of value.values()) damage(part, choices, seen)
    value.set('x', choice)
  } else if (value instanceof Set) {
    for (const part of value) damage(part, choices, seen)
    value.add(choice)
  } else {
    for (const part of Object.values(value)) damage(part, choices, seen)
    if (Array.isArray(value) && choice % 2 === 0) value.push(choice)
    else (value as Record<string, unknown>)['a'] = choice
  }
}

test('no recipe changes base', async () => {
  const runs = Number(process.env['RUNS'] ?? 300)
  await fc.assert(
    fc.asyncProperty(
      data,
      fc.array(fc.nat(9), { maxLength: 8 }),
      fc.boolean(),
      fc.boolean(),
      async (value, choices, development, throws) => {
        if (value === undefined) return
        const before = show(value)
        const change = defineMutation({
          mutationKey: ['change'],
          mutationFn: () => Promise.reject(Object.assign(new Error('no'), { status: 422 })),
          optimistic: (view) =>
            view.update<unknown>({ queryKey: ['q'] }, (draft) => {
              damage(draft, [...choices])
              if (throws) throw new Error('half-way')
            }),
        })
        const sync = createSyncClient({
          mutations: [change],
          onReport() {},
          platform: { development, console: { warn() {} } },
        })
        sync.queryClient.setQueryData(['q'], value)
        sync.start()
        const handle = sync.mutate(change)
        const during = [show(value), show(sync.getBase(['q']))]
        await handle.confirmed.catch(() => {})
        const after = show(sync.getView(['q']))
        await sync.close({ outbox: 'discard' })
        for (const found of [...during, after]) if (found !== before) throw new Error(`${before} became ${found}`)
      },
    ),
    { numRuns: Math.min(runs, 1000) },
  )
})
