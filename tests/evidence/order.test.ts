// What comes before what. Of positions of two logs nothing is known, in every one of these rules.
import { describe, expect, test } from 'vitest'
import type { Base, Held, Incoming } from '../../src/evidence/evidence'
import {
  floorOf,
  isAt,
  isBelowFloor,
  isComputedOn,
  isFenced,
  isOlder,
  isOneLog,
  isOvertaken,
  mayFollow,
  newsOf,
  withFloor,
} from '../../src/evidence/order'

const data = (more: Partial<Incoming> = {}): Incoming => ({ kind: 'read', data: 0, start: 8, has: new Set(), ...more })
const base = (more: Partial<Base> = {}): Base => ({
  data: 0,
  at: undefined,
  floor: undefined,
  floorTick: 0,
  rowsAt: new Map(),
  start: 5,
  accepted: 6,
  has: new Set(),
  hasPart: new Set(),
  pagesAt: [],
  hasNews: true,
  from: undefined,
  ...more,
})

const OLDER: readonly (readonly [what: string, Partial<Incoming>, Base | undefined, missed: number, boolean])[] = [
  ['nothing to compare with', {}, undefined, 0, false],
  ["the application's own data", { kind: 'manual', start: 0 }, base({ at: 'e:9' }), 0, false],
  ['a lower position', { at: 'e:4', start: 99 }, base({ at: 'e:5' }), 0, true],
  ['the same position', { at: 'e:5', start: 0 }, base({ at: 'e:5' }), 0, false],
  ['a higher position', { at: 'e:10', start: 0 }, base({ at: 'e:9' }), 0, false],
  ['another log, asked for later', { at: 'f:1' }, base({ at: 'e:9' }), 0, false],
  ['another log, asked for before', { at: 'f:1', start: 4 }, base({ at: 'e:9' }), 0, true],
  ['neither has a position, asked for later', {}, base(), 0, false],
  ['neither has a position, asked for before', { start: 4 }, base(), 0, true],
  ['a read over data that nobody read', { start: 4 }, base({ hasNews: false }), 0, false],
  ['one read that lost its position', {}, base({ at: 'e:5' }), 0, true],
  ['the second read in a row that did', {}, base({ at: 'e:5' }), 1, false],
  ['the second, from before base came', { start: 6 }, base({ at: 'e:5' }), 1, true],
  ['an answer without a position never', { kind: 'answer' }, base({ at: 'e:5' }), 9, true],
  ['a position, where what base replaced had one', { at: 'e:1', start: 0 }, base({ floor: 'e:5' }), 0, false],
  [
    'of the log that base came from, base of another',
    { at: 'e:6', start: 4 },
    base({ at: 'f:1', floor: 'e:5' }),
    0,
    true,
  ],
]
test.each(OLDER)('older: %s', (_, incoming, of, missed, expected) => {
  expect(isOlder(data(incoming), of, missed)).toBe(expected)
})

const BELOW: readonly (readonly [what: string, Partial<Incoming>, Base | undefined, boolean])[] = [
  ['no floor', { at: 'e:1' }, base(), false],
  ['below it', { at: 'e:4' }, base({ floor: 'e:5' }), true],
  ['at it', { at: 'e:5' }, base({ floor: 'e:5' }), false],
  ['a whole value of an event below it', { kind: 'push', at: 'e:4' }, base({ floor: 'e:5' }), true],
  ['rows are put onto base', { kind: 'push', at: 'e:4', part: new Set() }, base({ floor: 'e:5' }), false],
  ['another log, asked for before the floor was known', { at: 'f:1' }, base({ floor: 'e:5', floorTick: 8 }), true],
  ['another log, asked for after it', { at: 'f:1' }, base({ floor: 'e:5', floorTick: 7 }), false],
  ['no position', {}, base({ floor: 'e:5' }), false],
]
test.each(BELOW)('below the floor: %s', (_, incoming, of, expected) => {
  expect(isBelowFloor(data(incoming), of)).toBe(expected)
})

const FENCED: readonly (readonly [what: string, Partial<Incoming>, tick: number, at: string | undefined, boolean])[] = [
  ['asked for before the confirmation', {}, 9, undefined, true],
  ['asked for after it', {}, 7, undefined, false],
  ['it says that it contains it', { has: new Set(['m']) }, 9, undefined, false],
  ['past its position, though it was asked for before', { at: 'e:6' }, 9, 'e:5', false],
  ['before its position', { at: 'e:4', start: 99 }, 9, 'e:5', true],
  ['of another log, asked for before', { at: 'f:9' }, 9, 'e:5', true],
  ['a position, the confirmation had none', { at: 'e:9' }, 9, undefined, true],
  ['an event is a step from base', { kind: 'push' }, 9, undefined, false],
]
test.each(FENCED)('fenced: %s', (_, incoming, tick, at, expected) => {
  expect(isFenced(data(incoming), new Map([['m', { tick, at }]]))).toBe(expected)
})

test('an answer without a position counts only if base was accepted before its first send', () => {
  const of = base({ accepted: 9 })
  expect(isOvertaken(data({ kind: 'answer', start: 8 }), of)).toBe(true)
  expect(isOvertaken(data({ kind: 'answer', start: 9 }), of)).toBe(false)
  expect(isOvertaken(data({ kind: 'answer', start: 8, at: 'e:1' }), base({ at: 'e:1', accepted: 9 }))).toBe(false)
  expect(isOvertaken(data({ kind: 'answer', start: 8, at: 'f:1' }), base({ at: 'e:1', accepted: 9 }))).toBe(true)
  expect(isOvertaken(data({ kind: 'read', start: 8 }), of)).toBe(false)
  expect(isOvertaken(data({ kind: 'answer', start: 8 }), undefined)).toBe(false)
})

describe('an event', () => {
  const FOLLOWS: readonly (readonly [on: Base, cursor: string | undefined, boolean])[] = [
    [base({ at: 'e:5' }), 'e:6', true],
    [base({ at: 'e:5' }), undefined, true],
    [base({ at: 'e:5' }), 'f:6', false],
    [base(), 'e:1', true],
    [base({ floor: 'e:5' }), 'e:6', true],
    [base({ floor: 'e:5' }), 'e:5', false],
    [base({ floor: 'e:5' }), 'f:9', false],
    [base({ at: 'e:5', floor: 'f:1' }), 'e:6', false],
    [base({ at: 'e:5', floor: 'e:9' }), 'e:6', true],
  ]
  test.each(FOLLOWS)('on %o at %s', (on, cursor, expected) => {
    expect(mayFollow(on, cursor)).toBe(expected)
  })
  test('is known where base is at it', () => {
    expect(isAt(base({ at: 'e:5' }), 'e:5')).toBe(true)
    expect(isAt(base({ at: 'e:5' }), 'e:6')).toBe(false)
    expect(isAt(base({ at: 'e:9' }), 'f:1')).toBe(false)
    expect(isAt(base({ at: 'e:9' }), undefined)).toBe(false)
    expect(isAt(undefined, 'e:1')).toBe(false)
  })
  test('is known of a row that an answer brought at it, and doubtful where it changed something in the row', () => {
    const on = base({
      rowsAt: new Map([
        ['whole', { at: 'e:5', isWhole: true }],
        ['part', { at: 'e:5', isWhole: false }],
      ]),
    })
    const of = (name: string) => ['e:4', 'e:5', 'e:6', 'f:1', undefined].map((cursor) => newsOf(on, name, cursor))
    expect(of('whole')).toEqual(['known', 'known', 'news', 'news', 'news'])
    expect(of('part')).toEqual(['doubtful', 'news', 'news', 'news', 'news'])
    expect(of('other')).toEqual(['news', 'news', 'news', 'news', 'news'])
  })
})

test('what was put onto a base fits that base, what it was published as, and no other', () => {
  const on = base({ data: {} })
  const held: Held = { ...data({ data: {} }), wait: new Set() }
  expect(isComputedOn(undefined, base())).toBe(true)
  expect(isComputedOn(on, on)).toBe(true)
  expect(isComputedOn(on, withFloor(on, 'e:9', 1))).toBe(true)
  expect(isComputedOn(held, base({ from: held.has }))).toBe(true)
  expect(isComputedOn(held, base({ data: {} }))).toBe(false)
  expect(isComputedOn(on, undefined)).toBe(false)
})

test('two positions are of one log unless both are there and their epochs differ', () => {
  expect(isOneLog(data({ at: 'e:1' }), base({ at: 'e:9' }))).toBe(true)
  expect(isOneLog(data({ at: 'f:1' }), base({ at: 'e:9' }))).toBe(false)
  expect(isOneLog(data(), base({ at: 'e:9' }))).toBe(true)
  expect(isOneLog(data({ at: 'f:1' }), base())).toBe(true)
})

test('a floor rises, is kept by what loses its position, and ends with its log', () => {
  expect(floorOf(data({ floor: 'e:3' }), undefined)).toBe('e:3')
  expect(floorOf(data({ at: 'e:9', floor: 'e:3' }), base({ at: 'e:2', floor: 'e:5' }))).toBe('e:5')
  expect(floorOf(data({ kind: 'manual' }), base({ at: 'e:7', floor: 'e:5' }))).toBe('e:7')
  expect(floorOf(data({ at: 'f:1' }), base({ at: 'e:7', floor: 'e:5' }))).toBe(undefined)
})
