import { forbid, reject } from 'tidemark/server'
import { describe, expect, test } from 'vitest'
import { authenticate, manualClock, problemOf, STORES, startServer } from './harness'

describe.each(STORES)('queries on %s', (_name, makeStore) => {
  let inQuery: () => Promise<unknown> = async () => {}
  function start(limits = {}) {
    inQuery = async () => {}
    const clock = manualClock()
    const server = startServer(makeStore(clock), {
      authenticate,
      clock,
      limits,
      mutations: { put: (tx, row: { id: string }) => tx.put('row', row.id, row) },
      queries: {
        rows: async (tx) => {
          const before = await tx.rows('row')
          await inQuery()
          return [...before, ...(await tx.rows('row'))]
        },
        'rows/one': {
          params: (input) => {
            if (typeof (input as { id?: unknown }).id !== 'string') throw reject('an id is missing')
            return input
          },
          run: (tx, { id }: { id: string }) => tx.get('row', id),
        },
        echo: (_tx, params) => params,
        forbidden: () => {
          throw forbid()
        },
        mine: { authorize: (_tx, _params, { principal }) => principal.id === 'me', run: () => 'mine' },
        broken: () => {
          throw new Error('a bug')
        },
        slow: () => new Promise(() => {}),
      },
    })
    return { ...server, clock }
  }

  test('answers data with the position of its snapshot', async () => {
    const { query, post } = start()
    expect((await query('rows')).headers.get('Sync-Cursor')).toMatch(/:0$/)
    const written = await post('put', { id: 'a' })
    const answer = await query('rows')
    expect(answer.headers.get('Sync-Cursor')).toBe(written.headers.get('Sync-Cursor'))
    expect(await answer.json()).toEqual([{ id: 'a' }, { id: 'a' }])
  })

  test('takes data, cursor and reflected ids from one snapshot under a concurrent write', async () => {
    const { query, post } = start()
    await post('put', { id: 'a' }, { id: 'one' })
    inQuery = () => post('put', { id: 'b' }, { id: 'two' })
    const during = await query('rows', { 'Sync-Pending': 'one, two' })
    expect(await during.json()).toEqual([{ id: 'a' }, { id: 'a' }])
    expect(during.headers.get('Sync-Cursor')).toMatch(/:1$/)
    expect(during.headers.get('Sync-Reflects')).toBe('one')
    inQuery = async () => {}
    const after = await query('rows', { 'Sync-Pending': 'one, two' })
    expect(after.headers.get('Sync-Cursor')).toMatch(/:2$/)
    expect(after.headers.get('Sync-Reflects')).toBe('one, two')
  })

  test('reflects only what was applied, for whoever applied it', async () => {
    const { query, post } = start()
    await post('put', { id: 'a' }, { id: 'one' })
    await post('nothing', {}, { id: 'two' })
    const reflects = async (as: string) =>
      (await query('rows', { 'Sync-Pending': 'one, two' }, as)).headers.get('Sync-Reflects')
    expect([await reflects('me'), await reflects('you')]).toEqual(['one', ''])
    expect((await query('rows')).headers.get('Sync-Reflects')).toBe('')
  })

  test('answers 304 with the new cursor while the body is the same', async () => {
    const { query, post } = start()
    await post('put', { id: 'a' })
    const first = await query('rows/one?id=b')
    const tag = first.headers.get('ETag') ?? ''
    expect(tag).toMatch(/^"[0-9a-f]{32}"$/)
    await post('put', { id: 'c' }, { id: 'one' })
    const second = await query('rows/one?id=b', { 'If-None-Match': `"x", W/${tag}`, 'Sync-Pending': 'one' })
    expect([second.status, await second.text()]).toEqual([304, ''])
    expect(second.headers.get('Sync-Cursor')).toMatch(/:2$/)
    expect(second.headers.get('Sync-Reflects')).toBe('one')
    await post('put', { id: 'b' })
    expect((await query('rows/one?id=b', { 'If-None-Match': tag })).status).toBe(200)
  })

  test('refuses to answer from before Sync-Min-Cursor', async () => {
    const { query, post } = start()
    const cursor = (await post('put', { id: 'a' })).headers.get('Sync-Cursor') ?? ''
    expect((await query('rows', { 'Sync-Min-Cursor': cursor })).status).toBe(200)
    const behind = await query('rows', { 'Sync-Min-Cursor': cursor.replace(/1$/, '2') })
    expect(behind.headers.get('Retry-After')).toBe('1')
    expect(await problemOf(behind)).toMatchObject({ status: 503, name: 'behind', cursor })
    expect((await query('rows', { 'Sync-Min-Cursor': 'other:99' })).status).toBe(200)
    expect(await problemOf(await query('rows', { 'Sync-Min-Cursor': 'soon' }))).toMatchObject({ status: 400 })
  })

  test('takes parameters as JSON or as plain search parameters', async () => {
    const { query } = start()
    const json = encodeURIComponent(JSON.stringify({ page: 2, tags: ['a'] }))
    expect(await (await query(`echo?params=${json}`)).json()).toEqual({ page: 2, tags: ['a'] })
    expect(await (await query('echo?page=2&tag=a&tag=b')).json()).toEqual({ page: '2', tag: ['a', 'b'] })
    expect((await query('echo?params=[1]')).status).toBe(400)
    expect((await query('echo?params={')).status).toBe(400)
    expect(await problemOf(await query('rows/one'))).toMatchObject({ status: 422, detail: 'an id is missing' })
  })

  test('says who may not, what is not there, and what failed without saying why', async () => {
    const { query, errors } = start()
    expect((await query('rows', {}, '')).status).toBe(401)
    expect((await query('forbidden')).status).toBe(403)
    expect((await query('mine', {}, 'you')).status).toBe(403)
    expect(await (await query('mine')).json()).toBe('mine')
    expect((await query('nothing')).status).toBe(404)
    const problem = await problemOf(await query('broken'))
    expect(problem).toMatchObject({ status: 500, name: 'application-error', title: 'The query failed' })
    expect(JSON.stringify(problem)).not.toContain('a bug')
    expect(errors).toMatchObject([{ message: 'a bug' }])
  })

  test('gives up on a query that takes too long, and does not keep others waiting', async () => {
    const { query, clock } = start({ time: 100 })
    const slow = Array.from({ length: 6 }, () => query('slow'))
    await new Promise((resolve) => setTimeout(resolve, 10))
    clock.advance(100)
    await new Promise((resolve) => setTimeout(resolve, 10))
    clock.advance(100)
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(slow.map(() => 503))
    expect((await query('rows')).status).toBe(200)
  })
})
