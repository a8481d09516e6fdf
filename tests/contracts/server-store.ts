// What every state store of the server kit must do. Run it on a store with `describeServerStore`.

import type { LogBody, StateSerializer, StateStore, StoreTransaction } from 'tidemark/server'
import { afterEach, describe, expect, test } from 'vitest'

export interface StoreCase {
  store: StateStore
  /** Moves the store's time by some milliseconds. */
  advance(milliseconds: number): void
  close(): Promise<void>
}

export type MakeStore = (options?: { serializer?: StateSerializer | undefined }) => Promise<StoreCase> | StoreCase

const EMPTY: LogBody = { mutations: [], parts: [] }
const NEVER = { logBefore: 0, logEntries: 1_000_000, outcomesBefore: 0, sequencesBefore: 0 }

export function describeServerStore(name: string, make: MakeStore): void {
  const cases: StoreCase[] = []
  const open = async (options?: Parameters<MakeStore>[0]) => {
    const opened = await make(options)
    cases.push(opened)
    return opened
  }
  afterEach(async () => {
    for (const opened of cases.splice(0)) await opened.close()
  })
  const get = (store: StateStore, id: string) => store.snapshot((view) => view.get('row', id))

  describe(`${name}: records`, () => {
    test('returns what was set, with version, kind and times', async () => {
      const { store, advance } = await open()
      const first = await store.transaction((tx) => tx.set('row', 'a', { n: 1 }, { kind: 'cached' }))
      advance(10)
      const second = await store.transaction((tx) => tx.set('row', 'a', { n: 2 }))
      expect(first).toMatchObject({ type: 'row', id: 'a', value: { n: 1 }, version: 1, kind: 'cached' })
      expect(second).toMatchObject({ value: { n: 2 }, version: 2, kind: 'cached', createdAt: first.createdAt })
      expect(second.updatedAt).toBe(first.updatedAt + 10)
      expect(await get(store, 'a')).toEqual(second)
    })
    test('tells ids that are numbers from ids that are text', async () => {
      const { store } = await open()
      await store.transaction(async (tx) => {
        await tx.set('row', 1, 'number')
        await tx.set('row', '1', 'text')
      })
      const rows = await store.snapshot((view) => view.list('row'))
      expect(rows.map(({ id, value }) => [id, value])).toEqual([
        [1, 'number'],
        ['1', 'text'],
      ])
    })
    test('hands out copies: changing what was given or returned changes nothing', async () => {
      const { store } = await open()
      const value = { list: [1] }
      await store.transaction((tx) => tx.set('row', 'a', value))
      value.list.push(2)
      const read = await store.snapshot((view) => view.get<{ list: number[] }>('row', 'a'))
      read?.value.list.push(3)
      expect((await get(store, 'a'))?.value).toEqual({ list: [1] })
    })
    test('keeps raising the version of a row that is deleted and made again', async () => {
      const { store } = await open()
      await store.transaction((tx) => tx.set('row', 'a', 1))
      expect(await store.transaction((tx) => tx.delete('row', 'a'))).toMatchObject({ version: 2 })
      expect(await get(store, 'a')).toBeUndefined()
      expect(await store.snapshot((view) => view.exists('row', 'a'))).toBe(false)
      expect(await store.transaction((tx) => tx.delete('row', 'a'))).toBeUndefined()
      expect(await store.transaction((tx) => tx.set('row', 'a', 2))).toMatchObject({ version: 3 })
    })
    test('does not return a record whose time is over', async () => {
      const { store, advance } = await open()
      await store.transaction((tx) => tx.set('row', 'a', 1, { ttl: 100, kind: 'ephemeral' }))
      advance(99)
      expect(await get(store, 'a')).toMatchObject({ ttl: 100, kind: 'ephemeral' })
      advance(1)
      expect(await get(store, 'a')).toBeUndefined()
      expect(await store.snapshot((view) => view.list('row'))).toEqual([])
      const again = await store.transaction((tx) => tx.set('row', 'a', 2))
      expect(again).toMatchObject({ version: 2, kind: 'persistent' })
      expect(again).not.toHaveProperty('ttl')
    })
    test('lists in the order of making, with after, limit and reverse', async () => {
      const { store } = await open()
      await store.transaction(async (tx) => {
        for (const id of ['c', 'a', 'b', 'd']) await tx.set('row', id, id)
        await tx.set('other', 'x', 'x')
        await tx.set('row', 'c', 'again')
        await tx.delete('row', 'd')
      })
      const ids = (options?: object) =>
        store.snapshot(async (view) => (await view.list('row', options)).map((record) => record.id))
      expect(await ids()).toEqual(['c', 'a', 'b'])
      expect(await ids({ reverse: true })).toEqual(['b', 'a', 'c'])
      expect(await ids({ after: 'c', limit: 1 })).toEqual(['a'])
      expect(await ids({ after: 'b', reverse: true })).toEqual(['a', 'c'])
      expect(await ids({ limit: 0 })).toEqual([])
    })
    test('serializes values as it is told, bytes too', async () => {
      // One field, hand-encoded as Protobuf would: tag, length, UTF-8.
      const serializer: StateSerializer = {
        serialize(value) {
          const text = new TextEncoder().encode((value as { title: string }).title)
          return Uint8Array.of(0x0a, text.length, ...text)
        },
        deserialize: (stored) => ({ title: new TextDecoder().decode((stored as Uint8Array).subarray(2)) }),
      }
      const { store } = await open({ serializer })
      await store.transaction((tx) => tx.set('row', 'a', { title: 'Grüße' }))
      expect((await get(store, 'a'))?.value).toEqual({ title: 'Grüße' })
    })
  })

  describe(`${name}: transactions`, () => {
    test('commits all or nothing', async () => {
      const { store } = await open()
      const failed = store.transaction(async (tx) => {
        await tx.set('row', 'a', 1)
        await tx.append(EMPTY)
        throw new Error('no')
      })
      await expect(failed).rejects.toThrow('no')
      expect(await get(store, 'a')).toBeUndefined()
      expect(await store.snapshot((view) => view.position())).toMatchObject({ head: '0' })
    })
    test('undoes a savepoint that rejects, nested ones too, and goes on', async () => {
      const { store } = await open()
      await store.transaction(async (tx) => {
        await tx.set('row', 'a', 1)
        const undone = tx.savepoint(async () => {
          await tx.set('row', 'a', 2)
          await tx.savepoint(async () => tx.set('row', 'b', 1))
          await tx.append(EMPTY)
          throw new Error('undo')
        })
        await expect(undone).rejects.toThrow('undo')
        expect(await tx.get('row', 'b')).toBeUndefined()
        await tx.savepoint(async () => tx.set('row', 'c', 1))
      })
      expect((await get(store, 'a'))?.value).toBe(1)
      expect(await get(store, 'b')).toBeUndefined()
      expect((await get(store, 'c'))?.value).toBe(1)
      expect(await store.snapshot((view) => view.readLog('0', 10))).toEqual([])
    })
    test('keeps transactions that wait in the middle apart', async () => {
      const { store } = await open()
      const add = () =>
        store.transaction(async (tx) => {
          const count = (await tx.get<number>('row', 'count'))?.value ?? 0
          await new Promise((resolve) => setTimeout(resolve, count % 3))
          await tx.set('row', 'count', count + 1)
        })
      await Promise.all(Array.from({ length: 50 }, add))
      expect((await get(store, 'count'))?.value).toBe(50)
    })
    test('lets one of many that run together fail alone', async () => {
      const { store } = await open()
      const ends = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) =>
          store.transaction(async (tx) => {
            await tx.set('row', `${index}`, index)
            if (index % 2) throw new Error('odd')
          }),
        ),
      )
      expect(ends.map(({ status }) => status === 'fulfilled')).toEqual(ends.map((_, index) => index % 2 === 0))
      expect((await store.snapshot((view) => view.list('row'))).map(({ id }) => id)).toEqual(['0', '2', '4', '6', '8'])
    })
    test('gives a snapshot that does not see what commits meanwhile', async () => {
      const { store } = await open()
      await store.transaction((tx) => tx.set('row', 'a', 1))
      const seen = await store.snapshot(async (view) => {
        const before = await view.position()
        await store.transaction(async (tx) => {
          await tx.set('row', 'a', 2)
          await tx.append(EMPTY)
          await tx.saveOutcome({ ...OUTCOME, position: '1' })
        })
        return {
          isSame: (await view.position()).head === before.head,
          value: (await view.get('row', 'a'))?.value,
          applied: await view.applied('me', ['m1']),
        }
      })
      expect(seen).toEqual({ isSame: true, value: 1, applied: [] })
      expect((await get(store, 'a'))?.value).toBe(2)
    })
    test('begins a snapshot when it is opened, and not at its first read', async () => {
      const { store } = await open()
      await store.transaction((tx) => tx.set('row', 'a', 1))
      const seen = await store.snapshot(async (view) => {
        await store.transaction((tx) => tx.set('row', 'a', 2))
        return view.get('row', 'a')
      })
      expect(seen?.value).toBe(1)
    })
    test('keeps a snapshot as it began over many commits to other tables', async () => {
      const { store } = await open()
      const write = (type: string, value: number) => store.transaction((tx) => tx.set(type, 'a', value))
      await write('row', 1)
      await write('other', 1)
      const seen = await store.snapshot(async (view) => {
        await view.position()
        await write('other', 2)
        await store.snapshot((inner) => inner.get('other', 'a'))
        await write('row', 2)
        await write('row', 3)
        return [await view.get<number>('row', 'a'), await view.get<number>('other', 'a')].map((record) => record?.value)
      })
      expect(seen).toEqual([1, 1])
    })
    test('updates atomically, and leaves a record alone when told so', async () => {
      const { store } = await open()
      const count = (tx: StoreTransaction) =>
        tx.atomicUpdate<number>('row', 'n', (current) =>
          (current?.value ?? 0) < 3 ? (current?.value ?? 0) + 1 : undefined,
        )
      const results = await Promise.all(Array.from({ length: 5 }, () => store.transaction(count)))
      expect(results.map((record) => record?.value)).toEqual([1, 2, 3, undefined, undefined])
      expect(await get(store, 'n')).toMatchObject({ value: 3, version: 3 })
    })
    test('refuses everything once it is closed', async () => {
      const { store } = await open()
      await store.close()
      await expect(get(store, 'a')).rejects.toMatchObject({ name: 'StoreError' })
      await expect(store.transaction((tx) => tx.set('row', 'a', 1))).rejects.toMatchObject({ name: 'StoreError' })
    })
  })

  describe(`${name}: log`, () => {
    const append = (store: StateStore, count: number) =>
      store.transaction(async (tx) => {
        const positions: string[] = []
        for (let i = 0; i < count; i++) positions.push(await tx.append({ ...EMPTY, mutations: [{ id: `m${i}` }] }))
        return positions
      })
    test('gives rising positions and reads them back in order', async () => {
      const { store } = await open()
      const [first, second, third] = await append(store, 3)
      const read = (after: string, limit = 10) => store.snapshot((view) => view.readLog(after, limit))
      expect((await read('0')).map(({ position }) => position)).toEqual([first, second, third])
      expect(await read(first ?? '', 1)).toEqual([{ ...EMPTY, mutations: [{ id: 'm1' }], position: second }])
      expect(await store.snapshot((view) => view.position())).toMatchObject({ head: third, floor: '0' })
      const tail = (limit: number) =>
        store.snapshot(async (view) => (await view.tailLog(limit)).map(({ position }) => position))
      expect([await tail(2), await tail(9)]).toEqual([
        [second, third],
        [first, second, third],
      ])
    })
    test('trims by age and by number, keeps the floor, and never uses a position again', async () => {
      const { store, advance } = await open()
      await append(store, 5)
      await store.trim({ ...NEVER, logEntries: 3 })
      expect(await store.snapshot((view) => view.position())).toMatchObject({ head: '5', floor: '2' })
      advance(1_000)
      const { createdAt } = await store.transaction((tx) => tx.set('row', 'now', 1))
      await store.trim({ ...NEVER, logBefore: createdAt })
      expect(await store.snapshot((view) => view.position())).toMatchObject({ head: '5', floor: '5' })
      expect(await store.snapshot((view) => view.readLog('0', 10))).toEqual([])
      expect(await append(store, 1)).toEqual(['6'])
    })
    test('keeps the version of a gone row while the log remembers it, and forgets it after', async () => {
      const { store, advance } = await open()
      await store.transaction(async (tx) => {
        await tx.set('row', 'a', 1)
        await tx.set('row', 'b', 1, { ttl: 1 })
        await tx.delete('row', 'a')
      })
      advance(1_000)
      const set = (id: string) => store.transaction((tx) => tx.set('row', id, 1))
      await store.trim({ ...NEVER, logBefore: 1 })
      expect(await set('a')).toMatchObject({ version: 3 })
      const { updatedAt } = await set('c')
      await store.transaction((tx) => tx.delete('row', 'a'))
      await store.trim({ ...NEVER, logBefore: updatedAt + 1 })
      expect(await set('a')).toMatchObject({ version: 1 })
      expect(await set('b')).toMatchObject({ version: 1 })
      expect(await set('c')).toMatchObject({ version: 2 })
    })
  })

  describe(`${name}: outcomes and sequences`, () => {
    test('keeps an outcome under principal and id until it is trimmed', async () => {
      const { store } = await open()
      await store.transaction(async (tx) => {
        await tx.saveOutcome(OUTCOME)
        await tx.saveOutcome({ ...OUTCOME, id: 'm2', status: 'rejected' })
        await tx.saveOutcome({ ...OUTCOME, id: 'm3', status: 'noop', createdAt: 60 })
      })
      const outcome = (principal: string, id: string) => store.snapshot((view) => view.outcome(principal, id))
      expect(await outcome('me', 'm1')).toMatchObject(OUTCOME)
      expect(await outcome('you', 'm1')).toBeUndefined()
      const applied = (ids: string[]) => store.snapshot((view) => view.applied('me', ids))
      expect(await applied(['m3', 'm2', 'm9', 'm1'])).toEqual([
        { id: 'm3', position: '7' },
        { id: 'm1', position: '7' },
      ])
      await store.trim({ ...NEVER, outcomesBefore: 60 })
      expect(await outcome('me', 'm1')).toBeUndefined()
      expect(await outcome('me', 'm3')).toBeDefined()
    })
    test('keeps the last sequence of each outbox and scope', async () => {
      const { store } = await open()
      const key = { principal: 'me', outbox: 'o', scope: 's' }
      await store.transaction(async (tx) => {
        await tx.saveSequence(key, 4)
        await tx.saveSequence({ ...key, scope: 't' }, 1)
        await tx.saveSequence(key, 5)
      })
      const last = (scope: string) => store.transaction((tx) => tx.lastSequence({ ...key, scope }))
      expect(await Promise.all([last('s'), last('t'), last('u')])).toEqual([5, 1, undefined])
    })
  })
}

const OUTCOME = {
  principal: 'me',
  id: 'm1',
  fingerprint: 'f',
  status: 'applied' as const,
  position: '7',
  body: '{}',
  createdAt: 50,
}
