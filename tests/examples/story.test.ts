import type { OutboxEntry } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { storyOf } from '../../examples/board/story'
import type { Task } from '../../examples/board/task'
import type { Depths } from '../../examples/board/tasks'

const task: Task = { id: 'a', title: 'Milk', done: false, rank: 'i', version: 1 }
const newer: Task = { ...task, title: 'Oat milk', version: 2 }

/** A rename of the task, as far as a story reads it. */
function rename(fields: Partial<OutboxEntry> = {}): OutboxEntry {
  const entry = { id: 'w', mutationKey: ['tasks', 'rename'], variables: { id: 'a', from: 'Milk', title: 'Tea' } }
  return { ...entry, status: 'queued', attempt: 0, isPaused: false, ...fields } as OutboxEntry
}

function depths(base: Task | undefined, layers: OutboxEntry[] = [], failed: OutboxEntry[] = []): Depths {
  const tasks = base === undefined ? [] : [base]
  return { base: tasks, view: tasks, layers, failed }
}

const told = (before: Depths, now: Depths) => storyOf('a', before, now).map(({ text }) => text)

describe('the story of a task', () => {
  test('is silent while nothing happens to it, and of other tasks', () => {
    const other = rename({ id: 'x', variables: { id: 'b', from: '', title: 'B' } })
    expect(told(depths(task), depths(task))).toEqual([])
    expect(told(depths(task, [rename()]), depths(task, [rename()]))).toEqual([])
    expect(told(depths(task), depths(task, [other]))).toEqual([])
  })

  test('before base was read, what base says is no news', () => {
    expect(told({ ...depths(undefined), base: undefined }, depths(task))).toEqual([])
  })

  test.each<[what: string, before: OutboxEntry | undefined, now: OutboxEntry, text: string[]]>([
    ['recorded and sent at once', undefined, rename({ status: 'sending', attempt: 1 }), [': a new layer', 'Sent.']],
    ['recorded while offline', undefined, rename({ isPaused: true }), [': a new layer', 'It waits']],
    ['recorded again', undefined, rename({ replaces: 'v' }), [', once more: a new layer']],
    ['sent later', rename({ isPaused: true }), rename({ status: 'sending', attempt: 1 }), ['Sent.']],
    [
      'unanswered',
      rename({ status: 'sending', attempt: 1 }),
      rename({ status: 'uncertain', attempt: 1 }),
      ['No answer'],
    ],
    ['sent again', rename({ status: 'uncertain' }), rename({ status: 'sending', attempt: 2 }), ['(attempt 2)']],
    ['accepted', rename({ status: 'sending' }), rename({ status: 'confirmed' }), ['Confirmed.']],
    ['in conflict', rename({ status: 'sending' }), rename({ status: 'conflicted' }), ['you decide']],
  ])('a write that is %s', (_, before, now, texts) => {
    const lines = told(depths(task, before === undefined ? [] : [before]), depths(task, [now]))
    expect(lines).toEqual(texts.map((text) => expect.stringContaining(text)))
  })

  test('a write ends saved, refused, or given up', () => {
    const sending = rename({ status: 'sending', attempt: 1 })
    const failure = { code: 'rejected', message: 'No.' }
    expect(told(depths(task, [sending]), depths(newer))).toEqual([
      'Renaming to “Tea”: saved. Base contains it, so the layer is gone.',
    ])
    expect(told(depths(task, [sending]), depths(task, [], [rename({ failure })]))).toEqual([
      'Refused: No. The layer is gone, and the view is base again.',
    ])
    const later = rename({ id: 'later' })
    expect(told(depths(task, [sending, later]), depths(task, [later], [rename({ failure })]))).toEqual([
      'Refused: No. Its layer is gone.',
    ])
    expect(told(depths(task, [rename({ status: 'conflicted' })]), depths(task))).toEqual([
      'You took theirs: the layer is gone.',
    ])
    const again = rename({ id: 'again', replaces: 'w' })
    expect(told(depths(task, [rename({ status: 'conflicted' })]), depths(task, [again]))).toEqual([
      'Renaming to “Tea”, once more: a new layer, shown at once.',
    ])
  })

  test('base changes under a layer, alone, and for good', () => {
    expect(told(depths(task, [rename()]), depths(newer, [rename()]))).toEqual([
      'The server said something newer: base has changed. Your layer was laid on top again.',
    ])
    const confirmed = rename({ status: 'confirmed' }) // and waits for another list
    expect(told(depths(task, [rename({ status: 'sending' })]), depths(newer, [confirmed]))).toEqual([
      'Confirmed. The layer stays until base contains it.',
    ])
    expect(told(depths(task), depths(newer))).toEqual(['The server said something newer: base has changed.'])
    expect(told(depths(undefined), depths(task))).toEqual(['The server has it now.'])
    expect(told(depths(task), depths(undefined))).toEqual(['The server has removed it.'])
  })
})
