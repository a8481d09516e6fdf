/**
 * The board in Vue: TanStack's `useQuery` over the view, Tidemark's `useMutation`, `usePending` and `useOutbox`. Render
 * functions instead of templates, so that the compiler checks every line of it.
 */
import type { OutboxEntry } from 'tidemark'
import { useMutation, useOutbox, usePending, useQuery, useSyncClient } from 'tidemark/vue'
import type { FunctionalComponent, ShallowRef, VNode } from 'vue'
import { defineComponent, h, nextTick, onUnmounted, ref, shallowRef, watch } from 'vue'
import { addTask, allTasks, moveTask, newId, removeTask, renameTask, taskRow, tasksQuery, toggleTask } from './board'
import { choice, showNew } from './choice'
import type { Choice } from './lists'
import { listOf, SHOWS, SORTS } from './lists'
import {
  conflictOf,
  describe,
  EMPTY,
  failedOf,
  ICONS,
  markOf,
  orphansOf,
  rankAfterMove,
  rankAtEnd,
  taskIdOf,
} from './rows'
import { makeSortable } from './sorting'
import type { Task } from './task'

export const VuePanel = defineComponent(() => {
  const chosen = useChoice()
  const { data: all, isError, refetch } = useQuery(allTasks)
  const { data: tasks } = useQuery(() => tasksQuery(chosen.value))
  return () => {
    // Until a list was read for the first time it is made here, of what is known.
    if (all.value !== undefined) {
      const shown = tasks.value ?? listOf(all.value, chosen.value)
      return h(Board, { all: all.value, tasks: shown, chosen: chosen.value })
    }
    return isError.value ? unreachable(() => void refetch()) : skeleton()
  }
})

function useChoice(): ShallowRef<Choice> {
  const chosen = shallowRef(choice.getState())
  onUnmounted(
    choice.subscribe((now) => {
      chosen.value = now
    }),
  )
  return chosen
}

const Board = defineComponent(
  (props: { all: Task[]; tasks: Task[]; chosen: Choice }) => {
    const failed = useOutbox(({ failed }) => failed)
    const move = useMutation(moveTask)
    const list = ref<HTMLElement>()
    const moveTo = (id: string, index: number) => {
      const rank = rankAfterMove({ all: props.all, shown: props.tasks }, id, index)
      if (rank !== undefined) move.mutate({ id, rank })
    }
    let stopSorting: (() => void) | undefined
    watch(list, (element) => {
      stopSorting?.()
      stopSorting = element && makeSortable(element, moveTo)
    })
    onUnmounted(() => stopSorting?.())

    const row = (task: Task, index: number): VNode =>
      h(Row, {
        key: task.id,
        task,
        failed: failedOf(failed.value, task.id),
        isByHand: props.chosen.sort === 'hand',
        up: index > 0 ? () => moveTo(task.id, index - 1) : undefined,
        down: index < props.tasks.length - 1 ? () => moveTo(task.id, index + 1) : undefined,
      })
    return () => {
      const { all, tasks, chosen } = props
      const done = all.filter((task) => task.done).length
      const [title, text] = EMPTY[chosen.show]
      return [
        h(AddForm, { tasks: all }),
        h('div', { class: 'choose' }, [
          segments('show', 'Show', SHOWS, chosen.show),
          segments('sort', 'Sort', SORTS, chosen.sort),
        ]),
        all.length === 0
          ? undefined
          : h('div', { class: 'progress' }, [
              h('span', `${done} of ${all.length} done`),
              h('span', { class: 'bar' }, h('i', { style: { width: `${(done / all.length) * 100}%` } })),
            ]),
        orphansOf(failed.value, tasks).map((entry) =>
          h(
            'div',
            { class: 'row lost', 'data-id': taskIdOf(entry), 'data-mark': 'bad', key: entry.id },
            h(FailedNotice, { entry }),
          ),
        ),
        tasks.length === 0
          ? h('div', { class: 'message' }, [h('b', title), text])
          : h('ol', { class: 'rows', ref: list, 'aria-label': 'Tasks' }, tasks.map(row)),
      ]
    }
  },
  { props: ['all', 'tasks', 'chosen'] },
)

function segments<T extends string>(
  name: 'show' | 'sort',
  legend: string,
  values: Readonly<Record<T, string>>,
  value: T,
): VNode {
  return h('fieldset', { class: 'segments' }, [
    h('legend', { class: 'unseen' }, legend),
    (Object.keys(values) as T[]).map((each) =>
      h('label', { key: each }, [
        h('input', {
          type: 'radio',
          name: `vue-${name}`,
          checked: each === value,
          onChange: () => choice.setState({ [name]: each }),
        }),
        h('span', values[each]),
      ]),
    ),
  ])
}

const AddForm = defineComponent(
  (props: { tasks: Task[] }) => {
    const add = useMutation(addTask)
    const title = ref('')
    const submit = (event: Event) => {
      event.preventDefault()
      const text = title.value.trim()
      if (text === '') return
      add.mutate({ id: newId(), title: text, rank: rankAtEnd(props.tasks) })
      title.value = ''
      showNew()
    }
    return () =>
      h('form', { class: 'add', onSubmit: submit }, [
        h('input', {
          class: 'field',
          placeholder: 'Add a task',
          'aria-label': 'New task',
          autocomplete: 'off',
          value: title.value,
          onInput: (event: Event) => {
            title.value = (event.target as HTMLInputElement).value
          },
        }),
        h('button', { class: 'button primary', type: 'submit' }, 'Add'),
      ])
  },
  { props: ['tasks'] },
)

interface RowProps {
  task: Task
  failed: readonly OutboxEntry[]
  isByHand: boolean
  up: (() => void) | undefined
  down: (() => void) | undefined
}

const Row = defineComponent(
  (props: RowProps) => {
    const pending = usePending(() => ({ entity: taskRow, id: props.task.id }))
    const toggle = useMutation(toggleTask)
    const remove = useMutation(removeTask)
    return () => {
      const { task, failed, isByHand, up, down } = props
      const { id, title, done } = task
      const mark = markOf(pending.value)
      const conflict = conflictOf(pending.value)
      const isBad = failed.length > 0 || conflict !== undefined
      return h('li', { class: 'row', 'data-id': id, 'data-done': done, 'data-mark': isBad ? 'bad' : mark && 'wait' }, [
        h('div', { class: 'line' }, [
          h('input', {
            class: 'check',
            type: 'checkbox',
            'aria-label': `Done: ${title}`,
            checked: done,
            onChange: () => toggle.mutate({ id, done: !done }),
          }),
          h(Title, { task }),
          mark === undefined ? undefined : h('span', { class: conflict ? 'mark bad' : 'mark' }, mark),
          mark === undefined && failed.length > 0 ? h('span', { class: 'mark bad' }, 'failed') : undefined,
          h('span', { class: 'tools' }, [
            iconButton('up', 'step up', `Move up: ${title}`, isByHand ? up : undefined),
            iconButton('down', 'step down', `Move down: ${title}`, isByHand ? down : undefined),
            iconButton('grip', 'grip', `Drag, or press the arrow keys: ${title}`, isByHand ? () => {} : undefined),
            iconButton('remove', 'danger', `Delete: ${title}`, () => remove.mutate({ id })),
          ]),
        ]),
        conflict === undefined ? undefined : h(ConflictNotice, { conflict }),
        failed.map((entry) => h(FailedNotice, { entry, key: entry.id })),
      ])
    }
  },
  { props: ['task', 'failed', 'isByHand', 'up', 'down'] },
)

const Title = defineComponent(
  (props: { task: Task }) => {
    const rename = useMutation(renameTask)
    // The title that was on the screen when the edit began; `undefined` while there is no edit.
    const from = ref<string>()
    const input = ref<HTMLInputElement>()
    const edit = async () => {
      from.value = props.task.title
      await nextTick()
      input.value?.focus()
      input.value?.select()
    }
    const save = () => {
      const text = input.value?.value.trim() ?? ''
      const before = from.value
      from.value = undefined
      if (before === undefined || text === '' || text === before) return
      rename.mutate({ id: props.task.id, from: before, title: text })
    }
    const onKeydown = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' && event.key !== 'Escape') return
      event.preventDefault() // or it would press the title's button, which has the focus next
      if (event.key === 'Enter') save()
      from.value = undefined
    }
    return () =>
      from.value === undefined
        ? h('button', { class: 'title', type: 'button', title: 'Rename', onClick: edit }, props.task.title)
        : h('input', {
            class: 'field edit',
            'aria-label': `Title of: ${from.value}`,
            value: from.value,
            ref: input,
            onKeydown,
            onBlur: save,
          })
  },
  { props: ['task'] },
)

const ConflictNotice: FunctionalComponent<{ conflict: NonNullable<ReturnType<typeof conflictOf>> }> = ({
  conflict,
}) => {
  const sync = useSyncClient()
  const { entry, mine, theirs, keepMine } = conflict
  return notice('Conflict', 'Somebody renamed it meanwhile', `Theirs: “${theirs}”. Yours: “${mine}”.`, [
    ['Keep mine', () => sync.resolve(entry.id, { variables: keepMine })],
    ['Take theirs', () => sync.discard(entry.id)],
  ])
}
ConflictNotice.props = ['conflict']

const FailedNotice: FunctionalComponent<{ entry: OutboxEntry }> = ({ entry }) => {
  const sync = useSyncClient()
  return notice('Refused', `${describe(entry)} failed`, entry.failure?.message ?? '', [
    ['Try again', () => sync.retry(entry.id)],
    ['Dismiss', () => sync.discard(entry.id)],
  ])
}
FailedNotice.props = ['entry']

type Button = [label: string, choose: () => unknown]

function notice(kind: string, title: string, text: string, choices: Button[]): VNode {
  return h('section', { class: 'notice', 'aria-label': kind }, [
    h('p', [h('b', title), text]),
    h(
      'span',
      { class: 'choices' },
      choices.map(([label, choose]) => h('button', { class: 'button small', type: 'button', onClick: choose }, label)),
    ),
  ])
}

function iconButton(icon: keyof typeof ICONS, kind: string, label: string, onClick: (() => void) | undefined): VNode {
  return h(
    'button',
    { class: `icon ${kind}`, type: 'button', 'aria-label': label, disabled: onClick === undefined, onClick },
    h('svg', { viewBox: '0 0 16 16', 'aria-hidden': true }, h('path', { d: ICONS[icon] })),
  )
}

function unreachable(retry: () => void): VNode {
  return h('div', { class: 'message' }, [
    h('b', 'The server does not answer'),
    'The tasks come as soon as it does.',
    h('br'),
    h('button', { class: 'button', type: 'button', onClick: retry }, 'Try now'),
  ])
}

function skeleton(): VNode {
  return h(
    'div',
    { class: 'skeleton', 'aria-busy': true },
    ['62%', '48%', '70%', '40%'].map((width) => h('i', { class: 'bone', style: { width } })),
  )
}
