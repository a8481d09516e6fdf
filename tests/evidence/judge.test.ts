// Does data contain a mutation? Each row is one piece of evidence, in the order in which they apply.
import { describe, expect, test } from 'vitest'
import type { Base, Incoming, Layer, Share, Verdict } from '../../src/evidence/evidence'
import { isCovered, judge } from '../../src/evidence/evidence'

const layer = (more: Partial<Layer> = {}): Layer => ({
  id: 'm',
  pos: 1,
  scope: 's',
  mutationKey: ['m'],
  ops: [],
  sent: true,
  outcome: undefined,
  confirmedAt: undefined,
  confirmedTick: 0,
  firstSendTick: 5,
  resent: false,
  live: true,
  copies: new Map(),
  namesReads: false,
  ...more,
})
const confirmed = (at?: string): Layer => layer({ outcome: 'confirmed', confirmedAt: at, confirmedTick: 10 })
const data = (more: Partial<Incoming> = {}): Incoming => ({ kind: 'read', data: 0, start: 8, has: new Set(), ...more })
const ids = (...all: string[]): Set<string> => new Set(all)

const VERDICTS: readonly (readonly [what: string, Partial<Incoming>, Layer, Verdict])[] = [
  ['it names the mutation', { reflects: ids('m') }, layer(), 'contains'],
  ['it is known to contain it', { has: ids('m') }, layer(), 'contains'],
  ['its answers disagree', { disputed: ids('m'), at: 'e:9' }, confirmed('e:5'), 'unknowable'],
  ['it is at the position of the confirmation', { at: 'e:5' }, confirmed('e:5'), 'contains'],
  ['it is past it', { at: 'e:10' }, confirmed('e:9'), 'contains'],
  ['it is before it', { at: 'e:4' }, confirmed('e:5'), 'lacks'],
  ['it is an answer past it', { answeredAt: 'e:6' }, confirmed('e:5'), 'contains'],
  ['its oldest part is before it and its newest past it', { at: 'e:4', newest: 'e:6' }, confirmed('e:5'), 'unknowable'],
  ['the same, and all parts were asked', { at: 'e:4', newest: 'e:6', asked: ids('m') }, confirmed('e:5'), 'lacks'],
  ['another log, asked for after the confirmation', { at: 'f:1', start: 11 }, confirmed('e:5'), 'contains'],
  ['another log, asked for before it', { at: 'f:9', start: 9 }, confirmed('e:5'), 'unknowable'],
  ['another log, and the request named it in vain', { at: 'f:9', asked: ids('m') }, confirmed('e:5'), 'lacks'],
  ['no position, asked for after the confirmation', { start: 11 }, confirmed(), 'contains'],
  ['no position, asked for in the moment of it', { start: 10 }, confirmed(), 'unknowable'],
  ['a position, and a confirmation without one', { at: 'e:9', start: 9 }, confirmed(), 'unknowable'],
  ['the request named it in vain', { asked: ids('m') }, layer(), 'lacks'],
  ['the event says whose writes it contains, and not its', { kind: 'push', asked: 'all' }, layer(), 'lacks'],
  ['it was never sent', { at: 'e:9' }, layer({ sent: false }), 'lacks'],
  ['it was refused', { at: 'e:9' }, layer({ outcome: 'rejected' }), 'lacks'],
  ['it met a conflict', {}, layer({ outcome: 'conflict' }), 'lacks'],
  ['it is open, and data has a position', { at: 'e:9' }, layer(), 'open'],
  ['it is open, and data has none', {}, layer(), 'unknowable'],
]

test.each(VERDICTS)('%s', (_, incoming, of, verdict) => {
  expect(judge(data(incoming), of, 'all')).toBe(verdict)
})

describe('a part of the data', () => {
  const SHARES: readonly (readonly [Incoming['kind'], Share, Verdict])[] = [
    ['answer', 'none', 'lacks'],
    ['answer', 'some', 'unknowable'],
    ['answer', 'all', 'contains'],
    ['push', 'none', 'lacks'],
    ['push', 'some', 'contains'],
    ['push', 'all', 'contains'],
  ]
  test.each(SHARES)('of kind %s with %s of the effect: %s', (kind, share, verdict) => {
    expect(judge(data({ kind, reflects: ids('m') }), layer(), share)).toBe(verdict)
  })
  test('that lacks it lacks it, whatever the part', () => {
    for (const share of ['some', 'all'] as const)
      expect(judge(data({ kind: 'answer', asked: ids('m') }), layer(), share)).toBe('lacks')
  })
})

test('what contains a later mutation of the scope contains those that were confirmed before it', () => {
  expect(judge(data({ at: 'f:9' }), confirmed('e:5'), 'all', true)).toBe('contains')
  expect(judge(data({ at: 'f:9' }), layer(), 'all', true)).toBe('open')
  expect(judge(data({ kind: 'answer' }), confirmed('e:5'), 'some', true)).toBe('unknowable')
})

const base = (more: Partial<Base>): Base => ({
  data: 0,
  at: undefined,
  floor: undefined,
  floorTick: 0,
  rowsAt: new Map(),
  start: 0,
  accepted: 0,
  has: new Set(),
  hasPart: new Set(),
  pagesAt: [],
  hasNews: true,
  from: undefined,
  ...more,
})

const COVERS: readonly (readonly [what: string, Base | undefined, Layer, boolean])[] = [
  ['no base', undefined, confirmed('e:5'), false],
  ['it is known to contain it, though it is open', base({ has: ids('m') }), layer(), true],
  ['an open one is covered by no position', base({ at: 'e:9', start: 99 }), layer(), false],
  ['at its position', base({ at: 'e:5' }), confirmed('e:5'), true],
  ['before its position, however late it was asked for', base({ at: 'e:4', start: 99 }), confirmed('e:5'), false],
  ['another log, asked for later', base({ at: 'f:1', start: 11 }), confirmed('e:5'), true],
  ['another log, asked for before', base({ at: 'f:9', start: 10 }), confirmed('e:5'), false],
  ['no position, asked for later', base({ start: 11 }), confirmed(), true],
  ['no position, asked for before', base({ start: 9 }), confirmed(), false],
]

test.each(COVERS)('covered: %s', (_, of, by, expected) => {
  expect(isCovered(by, of)).toBe(expected)
})
