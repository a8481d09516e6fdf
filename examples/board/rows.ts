/** What a row says about its writes, in words. Shared by both panels, so that they cannot disagree. */
import type { OutboxEntry } from 'tidemark'
import type { Show } from './lists'
import { rankAt } from './rank'
import type { Task } from './task'

const MARKS: Record<OutboxEntry['status'], string> = {
  conflicted: 'needs you',
  failed: 'failed',
  quarantined: 'set aside',
  blocked: 'blocked',
  uncertain: 'trying again',
  sending: 'sending',
  paused: 'paused',
  queued: 'waiting',
  confirmed: 'confirmed',
}

/** The mark of a row with pending writes: the one that most needs to be known. */
export function markOf(pending: readonly OutboxEntry[]): string | undefined {
  const statuses = new Set(pending.map(({ status }) => status))
  const worst = (Object.keys(MARKS) as OutboxEntry['status'][]).find((status) => statuses.has(status))
  return worst === undefined ? undefined : MARKS[worst]
}

/** The entry that waits for a decision, with both titles. */
export function conflictOf(pending: readonly OutboxEntry[]) {
  const entry = pending.find(({ status }) => status === 'conflicted')
  if (entry === undefined) return undefined
  const { id, title: mine } = entry.variables as { id: string; title: string }
  const theirs = (entry.conflict?.theirs as Task | undefined)?.title ?? ''
  /** For `sync.resolve`: my title, on top of theirs. */
  return { entry, mine, theirs, keepMine: { id, from: theirs, title: mine } }
}

/** Refused writes of one task. */
export function failedOf(failed: readonly OutboxEntry[], id: string): readonly OutboxEntry[] {
  return failed.filter((entry) => taskIdOf(entry) === id)
}

/** Refused writes of tasks that are not in the list: of those that never came to be, and of those that it leaves out. */
export function orphansOf(failed: readonly OutboxEntry[], tasks: readonly Task[]): readonly OutboxEntry[] {
  return failed.filter((entry) => !tasks.some(({ id }) => id === taskIdOf(entry)))
}

/** `Renaming to “Milk”`. */
export function describe(entry: OutboxEntry): string {
  const { title = '', done } = entry.variables as { title?: string; done?: boolean }
  switch (entry.mutationKey[1]) {
    case 'add':
      return `Adding “${shortened(title)}”`
    case 'rename':
      return `Renaming to “${shortened(title)}”`
    case 'toggle':
      return done ? 'Ticking' : 'Unticking'
    case 'move':
      return 'Moving'
    default:
      return 'Deleting'
  }
}

/**
 * The rank that puts a task at another place among those that are shown, or `undefined` beyond their ends. It goes right
 * before or behind the one that stands there: tasks that are not shown stay where they are.
 */
export function rankAfterMove(
  { all, shown }: { all: readonly Task[]; shown: readonly Task[] },
  id: string,
  to: number,
): string | undefined {
  const from = shown.findIndex((task) => task.id === id)
  const there = shown[to]
  if (from === -1 || there === undefined || to === from) return undefined
  const neighbour = all.filter((task) => task.id !== id).findIndex((task) => task.id === there.id)
  return neighbour === -1 ? undefined : rankAt(all, id, to > from ? neighbour + 1 : neighbour)
}

/** The rank of a new task: at the end. */
export function rankAtEnd(tasks: readonly Task[]): string {
  return rankAt(tasks, '', tasks.length)
}

/** What a list without tasks says. */
export const EMPTY: Readonly<Record<Show, readonly [title: string, text: string]>> = {
  all: ['Nothing to do', 'Add a task, and every open window has it.'],
  open: ['All is done', 'What you add or untick comes here.'],
  done: ['Nothing is done yet', 'What you tick comes here.'],
}

/** Stroked paths in a square of 16. */
export const ICONS = {
  grip: 'M6 4v.01M10 4v.01M6 8v.01M10 8v.01M6 12v.01M10 12v.01',
  up: 'M8 12.5v-9M4 7.5l4-4 4 4',
  down: 'M8 3.5v9M4 8.5l4 4 4-4',
  remove: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M6.8 7.2v3.8M9.2 7.2v3.8',
} as const

/** The task that an entry is about; every mutation of the board names it. */
export function taskIdOf({ variables }: OutboxEntry): string {
  return (variables as { id: string }).id
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 38)}…` : text
}
