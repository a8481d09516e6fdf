// A read of several answers is known as far as all of them are.
import { expect, test } from 'vitest'
import type { AnswerEvidence } from '../../src/evidence/answers'
import { incomingRead } from '../../src/evidence/answers'

const ids = (...all: string[]): Set<string> => new Set(all)
const said = (cursor: string | undefined, asked?: string[], reflects: string[] = []): AnswerEvidence => ({
  cursor,
  asked: asked && ids(...asked),
  reflects: ids(...reflects),
})
const read = (answers: AnswerEvidence[], unanswered = 0) =>
  incomingRead({ of: undefined, start: 3, answers, unanswered }, 'data')

test.each([
  ['none', [], { at: undefined, has: ids(), asked: undefined, disputed: undefined }],
  ['one', [said('e:4', ['m', 'n'], ['m'])], { at: 'e:4', newest: undefined, has: ids('m'), asked: ids('m', 'n') }],
  [
    'two of one position',
    [said('e:4', ['m'], ['m']), said('e:4', ['m'], ['m'])],
    { at: 'e:4', newest: undefined, has: ids('m') },
  ],
  ['two positions', [said('e:4'), said('e:9')], { at: 'e:4', newest: 'e:9', has: ids(), asked: undefined }],
  ['one without a position', [said('e:4'), said(undefined)], { at: undefined }],
  ['two logs', [said('e:4'), said('f:4')], { at: undefined }],
  [
    'one that denies what another says',
    [said('e:4', ['m'], ['m']), said('e:4', ['m'])],
    { has: ids(), disputed: ids('m') },
  ],
  [
    'one that was not asked, and says names',
    [said('e:4', ['m'], ['m']), said('e:4', [])],
    { has: ids(), disputed: ids('m') },
  ],
  [
    'one that says nothing of names',
    [said('e:4', ['m'], ['m']), said('e:4')],
    { has: ids(), asked: undefined, disputed: undefined },
  ],
])('%s', (_, answers, expected) => {
  const { at, newest, has, asked, disputed } = read(answers)
  const known = { at, newest, has, asked, disputed }
  expect({ ...known, ...expected }).toEqual(known)
})

test('while one of its requests has no answer nothing is known', () => {
  expect(read([said('e:4', ['m'], ['m'])], 1)).toEqual({ kind: 'read', data: 'data', start: 3, has: ids() })
})
