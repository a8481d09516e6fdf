/** What happened to one task between two looks at it, as sentences for somebody who has never heard of base and layers. */
import type { OutboxEntry } from 'tidemark'
import { describe } from './rows'
import type { Task } from './task'
import type { Depths } from './tasks'
import { ofTask } from './tasks'

export interface StoryLine {
  readonly kind: 'you' | 'server' | 'good' | 'wait' | 'bad'
  readonly text: string
}

/** Oldest first; empty if nothing happened to this task. */
export function storyOf(id: string, before: Depths, now: Depths): StoryLine[] {
  const old = ofTask(before.layers, id)
  const layers = ofTask(now.layers, id)
  const failed = ofTask(now.failed, id)
  const lines: StoryLine[] = []
  for (const entry of old) {
    const after = layers.find((layer) => layer.id === entry.id)
    if (after !== undefined) lines.push(...progress(entry, after))
    else if (!layers.some(({ replaces }) => replaces === entry.id)) {
      lines.push(ending(entry, failed, layers.length > 0))
    }
  }
  for (const entry of layers)
    if (!old.some(({ id }) => id === entry.id)) lines.push(begun(entry), ...progress(undefined, entry))
  // One that is confirmed waits for another list to be read.
  const stayed = layers.some(({ id, status }) => status !== 'confirmed' && old.some((layer) => layer.id === id))
  const line = before.base && news(taskOf(before, id), taskOf(now, id), stayed)
  // Base that brings an own write is told by that write's end.
  if (line !== undefined && (stayed || lines.length === 0)) lines.push(line)
  return lines
}

const taskOf = ({ base }: Depths, id: string): Task | undefined => base?.find((task) => task.id === id)

function begun(entry: OutboxEntry): StoryLine {
  const again = entry.replaces === undefined ? '' : ', once more'
  return { kind: 'you', text: `${describe(entry)}${again}: a new layer, shown at once.` }
}

function progress(before: OutboxEntry | undefined, { status, attempt, isPaused }: OutboxEntry): StoryLine[] {
  const isSame = before?.status === status && before.attempt === attempt && before.isPaused === isPaused
  if (isSame) return []
  switch (status) {
    case 'sending':
      return before?.status === 'sending' && before.attempt === attempt
        ? []
        : [{ kind: 'wait', text: attempt > 1 ? `Sent again, under the same key (attempt ${attempt}).` : 'Sent.' }]
    case 'uncertain':
      if (before?.status === 'uncertain') return []
      return [{ kind: 'wait', text: 'No answer came. It is sent again until one does.' }]
    case 'conflicted':
      return [{ kind: 'bad', text: 'Somebody else renamed it meanwhile: you decide.' }]
    case 'confirmed':
      return [{ kind: 'good', text: 'Confirmed. The layer stays until base contains it.' }]
    default:
      return isPaused && before?.isPaused !== true
        ? [{ kind: 'wait', text: 'It waits: nothing is sent while offline.' }]
        : []
  }
}

function ending(entry: OutboxEntry, failed: readonly OutboxEntry[], isCovered: boolean): StoryLine {
  const refused = failed.find(({ id }) => id === entry.id)
  if (refused !== undefined) {
    const end = isCovered ? 'Its layer is gone.' : 'The layer is gone, and the view is base again.'
    return { kind: 'bad', text: `Refused: ${refused.failure?.message ?? ''} ${end}` }
  }
  if (entry.status === 'conflicted') return { kind: 'server', text: 'You took theirs: the layer is gone.' }
  return { kind: 'good', text: `${describe(entry)}: saved. Base contains it, so the layer is gone.` }
}

function news(before: Task | undefined, now: Task | undefined, stayed: boolean): StoryLine | undefined {
  if (before === now || (before?.version === now?.version && before?.title === now?.title)) return undefined
  if (now === undefined) return { kind: 'server', text: 'The server has removed it.' }
  if (before === undefined) return { kind: 'server', text: 'The server has it now.' }
  const end = stayed ? ' Your layer was laid on top again.' : ''
  return { kind: 'server', text: `The server said something newer: base has changed.${end}` }
}
