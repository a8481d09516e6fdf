// What the outbox shows of a write: chosen fields, one object for as long as nothing of it has changed.
import { expect, test } from 'vitest'
import { adding, editing, loadTodos, take, todo } from '../kit/todos'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

const FIELDS =
  `attempt conflict createdAt deps failure id isPaused isReflected isSending mutationKey pos replaces rounds rows
  scope sent status variables version`.split(/\s+/)

async function started(): Promise<World> {
  const world = createWorld({
    mutations: [adding(), editing(), editing({ mutationKey: ['wait'], onDependencyRejected: 'keep' })],
  })
  world.sync.start()
  await world.settle()
  await loadTodos(world, [])
  return world
}

test('an entry has the documented fields and nothing that only the storage keeps', async () => {
  const { sync, settle, ...world } = await started()
  sync.mutate(adding(), todo('n', 'new'))
  await settle()
  const [entry] = sync.outbox.getState().entries
  expect(Object.keys(entry ?? {}).sort()).toEqual(FIELDS)
  expect(entry).toMatchObject({ status: 'sending', sent: true, attempt: 1, rows: [{ type: 'todo', id: 'n' }] })
  await take({ sync, settle, ...world } as World, '/add').answer({ title: 'No.' }, { status: 422 })
  const [failed] = sync.outbox.getState().failed
  expect(Object.keys(failed ?? {}).sort()).toEqual(FIELDS)
  expect(failed).toMatchObject({ status: 'failed', rows: [{ type: 'todo', id: 'n' }], failure: { status: 422 } })
})

test('an entry of which nothing has changed is the same object', async () => {
  const { sync, settle } = await started()
  sync.mutate(adding(), todo('n', 'new'))
  await settle()
  const [before] = sync.outbox.getState().entries
  sync.mutate(adding(), todo('m', 'other'))
  await settle()
  const { entries } = sync.outbox.getState()
  expect(entries).toHaveLength(2)
  expect(entries[0]).toBe(before)
})

test('what builds on a change that was taken back is refused, or waits if it says so', async () => {
  const { sync, settle } = await started()
  sync.pause()
  const created = sync.mutate(adding(), todo('n', 'new'))
  const refused = sync.mutate(editing(), { id: 'n', title: 'newer' })
  const waiting = sync.mutate(editing({ mutationKey: ['wait'] }), { id: 'n', title: 'newest' })
  expect(created.cancel()).toBe(true)
  await expect(refused.confirmed).rejects.toThrow('Not sent: the change it builds on was given up.')
  await settle()
  expect(sync.outbox.getState().entries).toMatchObject([{ id: waiting.id, status: 'blocked' }])
  expect(sync.outbox.getState().failed).toMatchObject([{ id: refused.id, status: 'failed' }])
})
