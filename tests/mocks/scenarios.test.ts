// The same stories on three servers. Where a server cannot promise what another does, the story says what it promises.
import { isSyncError } from 'tidemark'
import { afterEach, describe, expect, test } from 'vitest'
import type { App, TestUser } from './app'
import { isSettled, quietly, startApp } from './app'
import { SERVERS } from './servers'
import { BREAD, MILK } from './support'

const apps: App[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
})

const EGGS = { id: 'eggs', title: 'Eggs' }
const titles = (user: TestUser) => user.shown()?.map(({ title }) => title)

describe.each(SERVERS)('on $name', (kind) => {
  async function start() {
    const app = await startApp(kind, [MILK, BREAD])
    apps.push(app)
    return app
  }

  /** What is shown, what the server knows and what the client took from it are the same. */
  async function agrees({ server, until }: App, user: TestUser) {
    await until(() => isSettled(user), 'everything is settled')
    expect(user.shown()).toEqual(await server.rows())
    expect(user.sync.getBase(['todos'])).toEqual(await server.rows())
  }

  test('a todo that is added is shown at once and stays', async () => {
    const app = await start()
    const user = await app.user()
    const before = user.frames.length
    const handle = user.sync.mutate(app.add, EGGS)
    expect(user.shown()).toEqual([MILK, BREAD, EGGS])
    expect(user.sync.getBase(['todos'])).toEqual([MILK, BREAD])
    expect(await handle.confirmed).toEqual(EGGS)
    await app.until(() => isSettled(user))
    await handle.reflected
    await agrees(app, user)
    expect(user.frames.slice(before).every((frame) => String(frame) === 'Milk,Bread,Eggs')).toBe(true)
    expect(user.reports).toEqual([])
  })

  test('rename, toggle and remove are shown at once and stay', async () => {
    const app = await start()
    const user = await app.user()
    const first = user.sync.mutate(app.change, { id: 'milk', title: 'Oat milk' })
    user.sync.mutate(app.change, { id: 'milk', done: true })
    user.sync.mutate(app.remove, { id: 'bread' })
    const shown = [{ id: 'milk', title: 'Oat milk', done: true }]
    expect(user.shown()).toEqual(shown)
    const after = user.frames.length
    expect(await first.confirmed).toEqual({ id: 'milk', title: 'Oat milk' })
    await agrees(app, user)
    expect(await app.server.rows()).toEqual(shown)
    expect(user.frames.slice(after).every((frame) => String(frame) === 'Oat milk')).toBe(true)
    expect(user.reports).toEqual([])
  })

  test('what the server refuses is taken back, and what stands behind it is not', async () => {
    const app = await start()
    const user = await app.user()
    const refused = quietly(user.sync.mutate(app.change, { id: 'milk', title: '' }))
    const later = user.sync.mutate(app.add, EGGS)
    expect(titles(user)).toEqual(['', 'Bread', 'Eggs'])
    const error: unknown = await refused.confirmed.catch((reason: unknown) => reason)
    expect(isSyncError(error, 'rejected') && [error.status, error.message]).toEqual([422, expect.any(String)])
    await later.confirmed
    await agrees(app, user)
    expect(titles(user)).toEqual(['Milk', 'Bread', 'Eggs'])
    expect(user.sync.outbox.getState().failed).toMatchObject([{ id: refused.id }])
  })

  test('a change whose answer is lost is sent again, and never shown as undone', async () => {
    const app = await start()
    const user = await app.user()
    app.server.faults.loseAnswer({ on: 'write' })
    const before = user.frames.length
    const handle = user.sync.mutate(app.change, { id: 'milk', title: 'Oat milk' })
    await app.until(() => isSettled(user))
    // An echo on the stream confirms it as well as a second answer does, but has no data for who waits.
    const echoed = app.server.stream !== false
    expect(await handle.confirmed).toEqual(echoed ? undefined : { id: 'milk', title: 'Oat milk' })
    await agrees(app, user)
    expect(user.frames.slice(before).every(([first]) => first === 'Oat milk')).toBe(true)
    const sent = app.server.log.filter(({ kind }) => kind === 'write')
    expect(sent).toHaveLength(echoed ? 1 : 2)
    expect(new Set(sent.map(({ headers }) => headers.get('Idempotency-Key')))).toEqual(new Set([`"${handle.id}"`]))
  })

  test('a request that is lost is sent again', async () => {
    const app = await start()
    const user = await app.user()
    app.server.faults.loseRequest({ on: 'write', times: 2 })
    const handle = user.sync.mutate(app.add, EGGS)
    await app.until(() => isSettled(user))
    expect(await handle.confirmed).toEqual(EGGS)
    await agrees(app, user)
  })

  test('two users converge', async () => {
    const app = await start()
    const [one, two] = [await app.user(), await app.user()]
    one.sync.mutate(app.add, EGGS)
    two.sync.mutate(app.change, { id: 'milk', title: 'Oat milk' })
    one.sync.mutate(app.remove, { id: 'bread' })
    await app.until(() => isSettled(one) && isSettled(two))
    // A server without a stream tells nobody: there it takes a refetch.
    if (app.server.stream === false) await Promise.all([one.refetch(), two.refetch()])
    const both = JSON.stringify([{ id: 'milk', title: 'Oat milk' }, EGGS])
    await app.until(() => JSON.stringify(one.shown()) === both && JSON.stringify(two.shown()) === both)
    await agrees(app, one)
    await agrees(app, two)
  })

  test('what somebody else writes is shown below what is pending', async () => {
    const app = await start()
    const user = await app.user()
    const held = app.server.faults.hold({ on: 'write', at: 'request' })
    user.sync.mutate(app.change, { id: 'milk', done: true })
    await app.server.put({ id: 'milk', title: 'Oat milk' })
    if (app.server.stream === false) void user.refetch()
    await app.until(() => titles(user)?.[0] === 'Oat milk')
    expect(user.shown()?.[0]).toEqual({ id: 'milk', title: 'Oat milk', done: true })
    held.release()
    await agrees(app, user)
    expect(user.shown()?.[0]).toEqual({ id: 'milk', title: 'Oat milk', done: true })
  })

  test('what is done offline goes out in order', async () => {
    const app = await start()
    const user = await app.user()
    const offline = app.server.faults.offline()
    user.network.emit('offline')
    user.sync.mutate(app.add, EGGS)
    user.sync.mutate(app.change, { id: 'eggs', title: 'Six eggs' })
    user.sync.mutate(app.change, { id: 'eggs', done: true })
    user.sync.mutate(app.remove, { id: 'milk' })
    const shown = [BREAD, { id: 'eggs', title: 'Six eggs', done: true }]
    expect(user.shown()).toEqual(shown)
    await app.clock.advance(300_000)
    expect(user.shown()).toEqual(shown)
    expect(await app.server.rows()).toEqual([MILK, BREAD])
    offline.stop()
    user.network.emit('online')
    await agrees(app, user)
    expect(user.shown()).toEqual(shown)
    const done = app.server.log.filter(({ kind, outcome }) => kind === 'write' && outcome === 'answered')
    expect(done.map(({ method, body }) => [method, (body as { title?: string })?.title])).toHaveLength(4)
    expect(done.map(({ headers }) => headers.get('Sync-Sequence'))).toEqual(['1', '2', '3', '4'])
  })

  test('a read that is older than a write does not undo it on the screen', async () => {
    const app = await start()
    const user = await app.user()
    const held = app.server.faults.hold({ on: 'read' })
    void user.refetch()
    await app.until(() => held.waiting === 1)
    const before = user.frames.length
    const handle = user.sync.mutate(app.change, { id: 'milk', title: 'Oat milk' })
    await handle.confirmed
    held.release()
    await agrees(app, user)
    expect(user.frames.slice(before).every(([first]) => first === 'Oat milk')).toBe(true)
  })

  test('a read that comes while a write is open does not show it twice or lose it', async () => {
    const app = await start()
    const user = await app.user()
    const held = app.server.faults.hold({ on: 'write' })
    const before = user.frames.length
    const handle = user.sync.mutate(app.add, EGGS)
    await app.until(() => held.waiting === 1)
    await user.refetch()
    expect(titles(user)).toEqual(['Milk', 'Bread', 'Eggs'])
    held.release()
    await handle.confirmed
    await agrees(app, user)
    expect(user.frames.slice(before).every((frame) => String(frame) === 'Milk,Bread,Eggs')).toBe(true)
  })

  test('a server that is busy is left alone for as long as it says', async () => {
    const app = await start()
    const user = await app.user()
    app.server.faults.status(503, { on: 'write', retryAfter: 30 })
    user.sync.mutate(app.add, EGGS)
    await app.until(() => app.server.log.at(-1)?.status === 503)
    const refusedAt = app.server.log.at(-1)?.at ?? 0
    await agrees(app, user)
    const again = app.server.log.filter(({ kind, status }) => kind === 'write' && status !== 503)
    expect(again).toHaveLength(1)
    expect((again[0]?.at ?? 0) - refusedAt).toBeGreaterThanOrEqual(30_000)
  })
})

describe.each(SERVERS.filter(({ idempotent }) => idempotent))('exactly once on $name', (kind) => {
  test.each(['loseAnswer', 'duplicate'] as const)('holds for what cannot be repeated: %s', async (fault) => {
    const app = await startApp(kind, [MILK])
    apps.push(app)
    const user = await app.user()
    app.server.faults[fault]({ on: 'write' })
    user.sync.mutate(app.note, { title: 'Call mum' })
    await app.until(() => isSettled(user))
    const made = (await app.server.rows()).filter(({ title }) => title === 'Call mum')
    expect(made).toHaveLength(1)
    await app.until(() => user.shown()?.length === 2)
  })
})

describe('a plain server', () => {
  const kind = SERVERS[2]
  async function start() {
    if (kind === undefined) throw new Error('there is no plain server')
    const app = await startApp(kind, [MILK])
    apps.push(app)
    return app
  }
  const count = async (app: App) => (await app.server.rows()).filter(({ title }) => title === 'Call mum').length

  test('does again what was done if the answer was lost: an honest duplicate', async () => {
    const app = await start()
    const user = await app.user()
    app.server.faults.loseAnswer({ on: 'write' })
    user.sync.mutate(app.note, { title: 'Call mum' })
    await app.until(() => isSettled(user))
    expect(await count(app)).toBe(2)
  })

  test('is not asked again for what says that it cannot be repeated: the application decides', async () => {
    const app = await start()
    const user = await app.user()
    app.server.faults.loseAnswer({ on: 'write' })
    const handle = quietly(user.sync.mutate(app.noteOnce, { title: 'Call mum' }))
    await app.until(() => user.sync.status.getState().counts.blocked === 1)
    await app.clock.advance(600_000)
    expect(await count(app)).toBe(1)
    expect(user.sync.discard(handle.id)).toBe(true)
    expect(isSettled(user)).toBe(true)
  })

  test('reads as fence, the others exactly', async () => {
    const modes = await Promise.all(
      SERVERS.map(async (each) => {
        const app = await startApp(each, [MILK])
        apps.push(app)
        const user = await app.user()
        return user.sync.getMode(['todos'])
      }),
    )
    expect(modes).toEqual(['exact', 'exact', 'fence'])
  })
})
