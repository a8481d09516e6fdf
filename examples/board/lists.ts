/** The lists that the board shows, and how each is made: the server makes them so, and the page declares it. */
import { compareRanks } from './rank'
import type { Task } from './task'

export type Show = 'all' | 'open' | 'done'
export type Sort = 'hand' | 'title'

export interface Choice {
  readonly show: Show
  readonly sort: Sort
}

export const SHOWS: Readonly<Record<Show, string>> = { all: 'All', open: 'Open', done: 'Done' }
export const SORTS: Readonly<Record<Sort, string>> = { hand: 'By hand', title: 'By title' }

export interface Rule {
  where(task: Task): boolean
  orderBy(a: Task, b: Task): number
}

export function ruleOf({ show, sort }: Choice): Rule {
  return {
    where: ({ done }) => show === 'all' || done === (show === 'done'),
    orderBy: sort === 'hand' ? compareRanks : compareTitles,
  }
}

/** A list of these tasks. */
export function listOf(tasks: readonly Task[], choice: Choice): Task[] {
  const { where, orderBy } = ruleOf(choice)
  return tasks.filter(where).sort(orderBy)
}

/** By code points, capitals alike: what a locale says differs between the server and the people. */
function compareTitles(a: Task, b: Task): number {
  return compare(a.title.toLowerCase(), b.title.toLowerCase()) || compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
