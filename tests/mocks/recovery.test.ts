// What happens to a stream happens to a whole client here, and every story ends the same: it knows what the server knows.
import type { MockFaults } from 'tidemark/mocks'
import { afterEach, describe, expect, test } from 'vitest'
import type { App, TestUser } from './app'
import { isSettled, startApp } from './app'
import { SERVERS } from './servers'
import { BREAD, MILK } from './support'

const apps: App[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
})

const streaming = SERVERS.filter(({ idempotent }) => idempotent)

/** One thing that happens to an open stream, at the next event. */
const FAULTS: Record<string, (faults: MockFaults) => void> = {
  'is cut in the middle of an event': (faults) => void faults.cut(),
  'is cut again and again': (faults) => void faults.cut({ times: 4 }),
  stalls: (faults) => void faults.stall({ for: 8_000 }),
  'falls silent': (faults) => void faults.halfOpen(),
  'brings an event that is too large': (faults) => void faults.oversize(),
  'brings it again at each connection': (faults) => void faults.oversize({ times: 4 }),
  'loses an event': (faults) => void faults.gap(),
  'breaks between events': (faults) => faults.disconnect(),
  'is refused for a while': (faults) => {
    faults.disconnect()
    faults.status(503, { on: 'stream', times: 5, retryAfter: 2 })
  },
  'cannot be reached for a while': (faults) => {
    faults.disconnect()
    faults.loseRequest({ on: 'stream', times: 5 })
  },
}

describe.each(streaming)('with $name, a client whose stream', (kind) => {
  async function start() {
    const app = await startApp(kind, [MILK, BREAD])
    apps.push(app)
    return { app, user: await app.user() }
  }
  const sees = async ({ until, server }: App, user: TestUser) => {
    const rows = JSON.stringify(await server.rows())
    await until(() => JSON.stringify(user.shown()) === rows, `the client shows ${rows}`)
    await until(() => isSettled(user) && user.sync.status.getState().stream === 'open')
    expect(user.shown()).toEqual(await server.rows())
  }

  test.each(Object.entries(FAULTS))('%s still gets what others write', async (_, strike) => {
    const { app, user } = await start()
    strike(app.server.faults)
    await app.server.put({ id: 'eggs', title: 'Eggs' })
    await app.server.put({ id: 'milk', title: 'Oat milk' })
    await sees(app, user)
    await app.server.put({ id: 'milk', title: 'Soy milk' })
    await sees(app, user)
  })

  test.each(Object.entries(FAULTS))('%s still gets its own writes through, once', async (_, strike) => {
    const { app, user } = await start()
    strike(app.server.faults)
    app.server.faults.loseAnswer({ on: 'write', skip: 1 })
    user.sync.mutate(app.change, { id: 'milk', title: 'Oat milk' })
    user.sync.mutate(app.note, { title: 'Call mum' })
    user.sync.mutate(app.remove, { id: 'bread' })
    await app.until(() => isSettled(user), 'everything is settled')
    await sees(app, user)
    expect((await app.server.rows()).map(({ title }) => title)).toEqual(['Oat milk', 'Call mum'])
  })
})

describe('on the mock, a client', () => {
  async function start() {
    const [kind] = streaming
    if (kind === undefined) throw new Error('there is no mock')
    const app = await startApp(kind, [MILK, BREAD])
    apps.push(app)
    return app
  }

  test('takes a new epoch for what it is: reads afresh and loses nothing of its own', async () => {
    const app = await start()
    const user = await app.user()
    const held = app.server.faults.hold({ on: 'write' })
    const handle = user.sync.mutate(app.change, { id: 'milk', title: 'Oat milk' })
    await app.until(() => held.waiting === 1)
    app.server.faults.changeEpoch()
    await app.server.put({ id: 'bread', title: 'Rye' })
    await app.until(() => user.shown()?.[1]?.title === 'Rye')
    expect(user.shown()?.[0]?.title).toBe('Oat milk')
    held.release()
    await handle.confirmed
    await app.until(() => isSettled(user))
    expect(user.shown()).toEqual(await app.server.rows())
  })

  test('gets new credentials once for all that were refused, and goes on', async () => {
    const app = await start()
    let token = 'old'
    let refreshes = 0
    const user = await app.user({
      headers: () => ({ authorization: token }),
      refreshAuth: () => {
        refreshes++
        token = 'new'
      },
    })
    app.server.faults.expireToken()
    user.sync.mutate(app.change, { id: 'milk', title: 'Oat milk' })
    void user.refetch()
    await app.until(() => isSettled(user) && user.sync.status.getState().stream === 'open')
    await app.server.put({ id: 'bread', title: 'Rye' })
    await app.until(() => user.shown()?.[1]?.title === 'Rye')
    expect(user.shown()).toEqual(await app.server.rows())
    expect(refreshes).toBe(1)
  })

  test('resolves a conflict on the row that the server has', async () => {
    const app = await start()
    const user = await app.user()
    app.server.faults.conflict({ on: 'write' })
    const handle = user.sync.mutate(app.change, { id: 'milk', title: 'Oat milk' })
    expect(user.shown()?.[0]?.title).toBe('Oat milk')
    expect(await handle.confirmed).toEqual({ id: 'milk', title: 'Oat milk' })
    await app.until(() => isSettled(user))
    expect(user.shown()).toEqual(await app.server.rows())
  })

  test('is told to read again, and does', async () => {
    const app = await start()
    const user = await app.user()
    const reads = () => app.server.log.filter(({ kind }) => kind === 'read').length
    const before = reads()
    app.server.faults.gap()
    await app.server.put({ id: 'milk', title: 'Oat milk' })
    await app.server.put({ id: 'milk', title: 'Soy milk' })
    await app.until(() => user.shown()?.[0]?.title === 'Soy milk')
    expect(reads()).toBeGreaterThan(before)
  })
})
