// Two users, another writer, and a network where anything goes wrong, from a seed. At the end, when nothing goes wrong
// any more, everybody sees what the server knows, and what cannot be repeated was done once.
import { afterEach, describe, expect, test } from 'vitest'
import { seeded } from '../../mocks/random'
import type { App, TestUser } from './app'
import { isSettled, quietly, startApp } from './app'
import type { ServerKind } from './servers'
import { SERVERS } from './servers'
import type { Todo } from './support'
import { BREAD, MILK } from './support'

const apps: App[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
})

const SEEDS = Number(process.env['SOUP_SEEDS'] ?? 4)
const FIRST = Number(process.env['SOUP_FIRST'] ?? 1)

/** For a while nothing gets through. */
function offline({ offline }: App['server']['faults'], { clock }: App): void {
  const fault = offline()
  clock.after(5_000, fault.stop)
}

/** What was never sent is shown, whatever the server has told meanwhile. */
function showsWhatWaits({ sync, shown }: TestUser): void {
  const rows = new Map((shown() ?? []).map((row) => [row.id, row]))
  const last = new Map<string, { verb: unknown; fields: Partial<Todo> }>()
  for (const { status, mutationKey, variables } of sync.outbox.getState().entries) {
    const fields = variables as Partial<Todo>
    if (fields.id === undefined) continue
    if (status === 'queued') last.set(fields.id, { verb: mutationKey[1], fields })
    else last.delete(fields.id)
  }
  for (const [id, { verb, fields }] of last) {
    if (verb === 'add') expect(rows.get(id)).toEqual(fields)
    if (verb === 'remove') expect(rows.get(id)).toBeUndefined()
    if (verb === 'change' && rows.has(id)) expect(rows.get(id)).toMatchObject(fields)
  }
}

async function simulate(kind: ServerKind, seed: number) {
  const app = await startApp(kind, [MILK, BREAD])
  apps.push(app)
  const random = seeded(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const users = [await app.user(), await app.user()]
  const ids = ['milk', 'bread']
  const notes: string[] = []
  let serial = 0
  const way = () => ({ on: pick(['read', 'write', 'stream'] as const), at: pick(['request', 'answer'] as const) })

  const acts: ((user: TestUser) => void)[] = [
    ({ sync }) => {
      ids.push(`t${++serial}`)
      quietly(sync.mutate(app.add, { id: `t${serial}`, title: `new ${serial}` }))
    },
    ({ sync }) => void quietly(sync.mutate(app.change, { id: pick(ids), title: `title ${++serial}` })),
    ({ sync }) => void quietly(sync.mutate(app.change, { id: pick(ids), done: random() < 0.5 })),
    ({ sync }) => void quietly(sync.mutate(app.remove, { id: pick(ids) })),
    ({ sync }) => {
      notes.push(`note ${++serial}`)
      quietly(sync.mutate(app.note, { title: `note ${serial}` }))
    },
    (user) => void user.refetch(),
  ]
  const { faults } = app.server
  const strikes: (() => unknown)[] = [
    () => faults.loseAnswer({ ...way(), failAfter: pick([0, 0, 3_000]) }),
    () => faults.loseRequest(way()),
    () => faults.duplicate({ ...way(), after: pick([0, 0, 5_000]) }),
    () => faults.reorder(way()),
    () => faults.latency([0, 3_000], { ...way(), times: 3 }),
    () => faults.status(pick([500, 502, 503, 429]), { ...way(), retryAfter: pick([1, 5]) }),
    () => faults.cut(),
    () => faults.stall({ for: pick([500, 40_000]) }),
    () => faults.halfOpen(),
    () => faults.oversize(),
    () => faults.gap(),
    () => faults.disconnect(),
    () => faults.changeEpoch(),
    () => faults.conflict({ on: 'write' }),
    () => offline(faults, app),
  ]
  for (let step = 0; step < 40; step++) {
    pick(acts)(pick(users))
    if (random() < 0.4) pick(strikes)()
    if (random() < 0.2) await app.server.put({ id: pick(['milk', 'bread']), title: `other ${++serial}` })
    if (random() < 0.6) await app.clock.advance(pick([0, 10, 300, 2_000]))
    for (const user of users) showsWhatWaits(user)
  }
  faults.reset()
  await app.until(() => users.every(isSettled), 'everything is settled')
  return { app, users, notes }
}

describe.each(SERVERS)('on $name', (kind) => {
  test.each(Array.from({ length: SEEDS }, (_, n) => FIRST + n))(
    'everybody agrees in the end: seed %i',
    async (seed) => {
      const { app, users, notes } = await simulate(kind, seed)
      const isTold = app.server.stream !== false
      if (!isTold) for (const user of users) await user.refetch()
      for (const user of users) {
        const agrees = async () => JSON.stringify(user.shown()) === JSON.stringify(await app.server.rows())
        await app.until(agrees, 'the client shows what the server knows')
        expect(user.sync.getBase(['todos'])).toEqual(user.shown())
      }
      if (!kind.idempotent) return
      const made = (await app.server.rows()).map(({ title }) => title).filter((title) => title.startsWith('note'))
      expect(new Set(made)).toEqual(new Set(notes))
      expect(made).toHaveLength(notes.length)
    },
  )
})
