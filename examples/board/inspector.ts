/**
 * One task in depth: base, layers and view of the task that was touched last, in either panel. It reads what any
 * application can read (`getBase`, `getView`, `outbox`), and writes nothing.
 */
import type { OutboxEntry, SyncClient } from 'tidemark'
import { element, make } from './dom'
import { describe, markOf, taskIdOf } from './rows'
import type { StoryLine } from './story'
import { storyOf } from './story'
import type { Task } from './task'
import type { Depths } from './tasks'
import { depthsOf, ofTask, placeOf, watchTasks } from './tasks'

const STORY_MAX = 30

export function showInspector(sync: SyncClient): void {
  const stories = new Map<string, (StoryLine & { at: Date })[]>()
  const selection = createSelection(render)
  function render(): void {
    const id = selection.id()
    if (id !== undefined) renderDepths(id, depthsOf(sync), stories.get(id) ?? [])
  }

  watchTasks(sync, (now, before) => {
    for (const id of idsIn(now, before)) {
      const lines = storyOf(id, before, now).map((line) => ({ ...line, at: new Date() }))
      if (lines.length > 0) stories.set(id, [...lines.reverse(), ...(stories.get(id) ?? [])].slice(0, STORY_MAX))
      // The layers have grown, or the row has: it may have a notice that asks for an answer.
      if (id === selection.id() && lines.length > 0) selection.reveal()
    }
    const newest = now.layers.at(-1)
    const isNew = newest !== undefined && !before.layers.some(({ id }) => id === newest.id)
    if (isNew) selection.select(taskIdOf(newest)) // a new task has no row that could have been touched
    render()
  })
}

/** The task that was touched last: pressed, reached with the keyboard, or written to. */
function createSelection(changed: () => void) {
  const mark = new CSSStyleSheet()
  document.adoptedStyleSheets.push(mark)
  let id: string | undefined
  let panel: Element | null = null

  const select = (next: string) => {
    if (next === id) return
    id = next
    // The panels' elements belong to their frameworks: the mark is a rule, not an attribute.
    mark.replaceSync(`.rows > .row[data-id="${CSS.escape(id)}"] > .line { background: var(--tide-wash) }`)
    changed()
    reveal()
  }
  /** What has grown is measured before the next frame is drawn; then the row comes out from under it. */
  const reveal = () =>
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const row = panel?.querySelector(`[data-id="${CSS.escape(id ?? '')}"]`)
        const { top = 0, bottom = 0 } = row?.getBoundingClientRect() ?? {}
        const isLookedAt = bottom > 0 && top < innerHeight
        if (isLookedAt) row?.scrollIntoView({ block: 'nearest' })
      }),
    )
  watchTouches((row, taskId) => {
    panel = row.closest('.panel')
    select(taskId)
  })
  return { id: () => id, select, reveal }
}

function watchTouches(listener: (row: HTMLElement, id: string) => void): void {
  const rowOf = ({ target }: Event) =>
    target instanceof Element ? target.closest<HTMLElement>('.panel [data-id]') : null
  const touch = (row: HTMLElement | null) => {
    if (row?.dataset['id'] !== undefined) listener(row, row.dataset['id'])
  }
  // When the pointer goes up: going down, the layers would grow between it and what it presses. The grip captures
  // pointers, so that its click has the list as its target.
  let pressed: HTMLElement | null = null
  document.addEventListener('pointerdown', (event) => {
    pressed = rowOf(event)
  })
  document.addEventListener('click', (event) => touch(rowOf(event) ?? pressed))
  // Not whenever the focus comes: it comes by itself, too, where a row has gone.
  document.addEventListener('keyup', (event) => {
    if (event.key === 'Tab') touch(rowOf(event))
  })
}

function idsIn(now: Depths, before: Depths): ReadonlySet<string> {
  const ids = [...now.layers, ...before.layers].map(taskIdOf)
  return new Set([...ids, ...(now.base ?? []).map(({ id }) => id), ...(before.base ?? []).map(({ id }) => id)])
}

function renderDepths(id: string, depths: Depths, story: readonly (StoryLine & { at: Date })[]): void {
  const [base, view] = [depths.base, depths.view].map((tasks) => tasks?.find((task) => task.id === id))
  const layers = ofTask(depths.layers, id)
  const refused = ofTask(depths.failed, id).map(({ variables }) => (variables as { title?: string }).title)
  const title = view?.title ?? base?.title ?? refused[0]
  element('inside-hint').textContent = title === undefined ? 'A task that is no more.' : `of “${title}”`
  element('depths').hidden = false
  fill('depth-base', snapshot(base, placeOf(depths.base, id), 'Nothing: the server does not have it.'))
  fill(
    'depth-layers',
    layers.length === 0 ? [none(layersText(depths, id))] : [make('ol', '', ...layers.map(layerLine))],
  )
  fill('depth-view', snapshot(view, placeOf(depths.view, id), 'Nothing: it is not in the list.', base))
  element('depth-view').dataset['differs'] = String(layers.length > 0)
  element('story')
    .querySelector('ol')
    ?.replaceChildren(...story.map(storyLine))
}

function layersText(depths: Depths, id: string): string {
  return ofTask(depths.failed, id).length > 0
    ? 'None: what the server refused is not shown.'
    : 'None: the server has all that you did.'
}

/** A task as a row has it; what is not as in `base` is marked. */
function snapshot(task: Task | undefined, place: string, otherwise: string, base: Task | undefined = task): Node[] {
  if (task === undefined) return [none(otherwise)]
  const mark = (differs: boolean) => (differs ? 'differs' : '')
  const state = make(
    'span',
    `box ${mark(task.done !== base?.done)}`,
    make('span', 'unseen', task.done ? 'Done: ' : 'Open: '),
  )
  state.dataset['done'] = String(task.done)
  return [
    make('p', 'snap', state, make('span', mark(task.title !== base?.title), task.title)),
    make(
      'p',
      'facts',
      make('span', mark(task.rank !== base?.rank), `place ${place}`),
      make('span', '', task.version === 0 ? 'no version yet' : `version ${task.version}`),
    ),
  ]
}

function layerLine(entry: OutboxEntry): HTMLElement {
  const mark = markOf([entry]) ?? ''
  return make('li', '', make('span', '', describe(entry)), make('span', entry.conflict ? 'mark bad' : 'mark', mark))
}

function storyLine({ at, kind, text }: StoryLine & { at: Date }): HTMLElement {
  return make('li', kind, make('time', '', at.toLocaleTimeString([], { hour12: false })), make('span', '', text))
}

const none = (text: string): HTMLElement => make('p', 'none', text)

function fill(id: string, children: Node[]): void {
  element(id)
    .querySelector('.depth')
    ?.replaceChildren(...children)
}
