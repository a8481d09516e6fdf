/**
 * Says what happens to people who do not see it, through one polite live region: once, in whichever panel it happened.
 * The notices in the panels are no alerts of their own, or each would be said twice.
 */
import type { OutboxEntry, SyncClient, SyncStatus } from 'tidemark'
import { element, make } from './dom'
import { conflictOf, describe, taskIdOf } from './rows'
import type { Task } from './task'
import type { Depths } from './tasks'
import { ofTask, placeOf, watchTasks } from './tasks'

const KEPT = 5
/** More news than this in one turn is counted, not read out. */
const NEWS_MAX = 3

export function announce(sync: SyncClient): void {
  const region = element('said')
  const say = (text: string) => {
    region.append(make('p', '', text))
    while (region.childElementCount > KEPT) region.firstElementChild?.remove()
  }
  let isTroubled = false
  watchTasks(sync, (now, before) => {
    for (const text of [...doneHere(now, before), ...trouble(now, before), ...doneElsewhere(now, before)]) say(text)
    const { pending, counts } = sync.status.getState()
    isTroubled ||= counts.uncertain + counts.failed + counts.conflicted + counts.paused > 0
    if (!isTroubled || pending + counts.failed > 0) return
    isTroubled = false
    say('All saved.')
  })
  sync.status.subscribe(({ network }, before: SyncStatus) => {
    if (network === before.network) return
    if (network === 'offline') isTroubled = true
    say(network === 'offline' ? 'Offline. What you do now waits.' : 'Online again.')
  })
}

function doneHere(now: Depths, before: Depths): string[] {
  const isNew = ({ id }: OutboxEntry) => !before.layers.some((layer) => layer.id === id)
  return now.layers.filter(isNew).map((entry) => {
    const id = taskIdOf(entry)
    const title = titleOf(now.view, id) ?? titleOf(before.view, id) ?? ''
    switch (entry.mutationKey[1]) {
      case 'add':
        return `Added “${title}”.`
      case 'rename':
        return `Renamed to “${title}”.`
      case 'toggle':
        return `${(entry.variables as { done: boolean }).done ? 'Ticked' : 'Unticked'} “${title}”.`
      case 'move':
        return `Moved “${title}” to place ${placeOf(now.view, id)}.`
      default:
        return `Deleted “${title}”.`
    }
  })
}

function trouble(now: Depths, before: Depths): string[] {
  const refused = now.failed
    .filter(({ id }) => !before.failed.some((entry) => entry.id === id))
    .map((entry) => `${describe(entry)} failed: ${entry.failure?.message ?? ''}`)
  const waiting = now.layers.flatMap((entry) => {
    const last = before.layers.find(({ id }) => id === entry.id)
    if (last?.status === entry.status) return []
    const conflict = conflictOf([entry])
    if (conflict !== undefined)
      return [`Somebody renamed “${conflict.mine}” to “${conflict.theirs}”: choose which stays.`]
    return entry.status === 'uncertain' && entry.attempt === 1 ? [`${describe(entry)}: no answer, trying again.`] : []
  })
  return [...refused, ...waiting]
}

/** What changed in the view of tasks that nothing is done to here. */
function doneElsewhere(now: Depths, before: Depths): string[] {
  if (before.view === undefined || now.view === undefined || before.view === now.view) return []
  const isOurs = (id: string) =>
    [now.layers, before.layers, now.failed, before.failed].some((entries) => ofTask(entries, id).length > 0)
  const old = new Map(before.view.map((task) => [task.id, task]))
  const left = new Set(now.view.map(({ id }) => id))
  const news = [
    ...now.view.filter(({ id }) => !isOurs(id)).flatMap((task) => change(old.get(task.id), task)),
    ...before.view
      .filter(({ id }) => !left.has(id) && !isOurs(id))
      .map(({ title }) => `“${title}” was deleted elsewhere.`),
  ]
  return news.length > NEWS_MAX ? [`${news.length} tasks were changed elsewhere.`] : news
}

function change(before: Task | undefined, now: Task): string[] {
  if (before === undefined) return [`“${now.title}” was added elsewhere.`]
  if (before.title !== now.title) return [`“${before.title}” was renamed to “${now.title}” elsewhere.`]
  if (before.done !== now.done) return [`“${now.title}” was ${now.done ? 'ticked' : 'unticked'} elsewhere.`]
  return before.rank === now.rank ? [] : [`“${now.title}” was moved elsewhere.`]
}

function titleOf(tasks: readonly Task[] | undefined, id: string): string | undefined {
  return tasks?.find((task) => task.id === id)?.title
}
