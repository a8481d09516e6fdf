// Nothing that was not applied is forgotten until a read is known to be past it.
import { expect, test } from 'vitest'
import type { Base, Incoming } from '../../src/evidence/evidence'
import { afterRead, freshAt, heard, isFrozen, staled } from '../../src/evidence/staleness'

const read = (start: number, at?: string): Incoming => ({ kind: 'read', data: 0, start, at, has: new Set() })
const on = (start: number, at?: string): Base =>
  ({ data: 0, at, floor: undefined, start, accepted: start, has: new Set(), hasNews: true, from: undefined }) as never
const fresh = freshAt('e:3', 1)

test.each([
  ['past the news', staled(fresh, 5, 'e:4'), read(2, 'e:4'), false],
  ['before the news', staled(fresh, 5, 'e:4'), read(9, 'e:3'), true],
  ['without a position, asked for after the news was heard of', staled(fresh, 5, 'e:4'), read(6), false],
  ['without a position, asked for before', staled(fresh, 5, 'e:4'), read(5), true],
  ['of another log, asked for after', staled(fresh, 5, 'e:4'), read(6, 'f:1'), false],
  ['of another log, asked for before', staled(fresh, 5, 'e:4'), read(5, 'f:9'), true],
  ['news without a position, asked for after', staled(fresh, 5, undefined), read(6, 'e:3'), false],
  ['news without a position, asked for before, though far past', staled(fresh, 5, undefined), read(5, 'e:99'), true],
  ['the first, behind the stream', fresh, read(2, 'e:2'), true],
  ['while something was pushed onto base', heard(fresh, 5), read(4), true],
])('a read %s', (_, known, by, isStale) => {
  expect(afterRead(known, by).isStale).toBe(isStale)
})

test('of two logs the newer news has the position, and the older counts by when it was heard of', () => {
  const both = staled(staled(fresh, 5, 'f:1'), 7, 'e:9')
  expect(both).toMatchObject({ at: 'e:9', atTick: 7, tick: 5 })
  expect(afterRead(both, read(5, 'e:9')).isStale).toBe(true)
  expect(afterRead(both, read(6, 'e:9')).isStale).toBe(false)
})

test('a fresh read of another log is where news is counted from', () => {
  const after = afterRead(staled(fresh, 5, 'e:4'), read(6, 'f:1'))
  expect(after).toMatchObject({ isStale: false, at: 'f:1' })
  expect(isFrozen(on(6, 'f:1'), after)).toBe(false)
})

test.each([
  ['is behind news', on(9, 'e:3'), staled(fresh, 5, 'e:4'), true],
  ['is at the news', on(0, 'e:4'), staled(fresh, 5, 'e:4'), false],
  ['is of another log', on(9, 'f:9'), staled(fresh, 5, 'e:4'), true],
  ['has a position, and is stale for what none tells', on(0, 'e:3'), staled(fresh, 5, undefined), false],
  ['has none, and was asked for before the news', on(5), staled(fresh, 5, 'e:4'), true],
  ['has none, and was asked for after it', on(6), staled(fresh, 5, 'e:4'), false],
  ['has none, and is fresh', on(0), fresh, false],
  ['has none, and neither has the news', on(5), staled(freshAt(undefined, 0), 5, undefined), true],
])('a base that %s', (_, base, known, expected) => {
  expect(isFrozen(base, known)).toBe(expected)
})

test('a read without a position that began before base lost its own may be from before it', () => {
  const lost = { ...on(2), floor: 'e:3', floorTick: 5 } as Base
  expect(afterRead(freshAt(undefined, 0), read(5), lost).isStale).toBe(true)
  expect(afterRead(freshAt(undefined, 0), read(6), lost).isStale).toBe(false)
  expect(afterRead(freshAt(undefined, 0), read(5, 'e:3'), lost).isStale).toBe(false)
})
