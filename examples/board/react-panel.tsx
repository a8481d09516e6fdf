/** The board in React: TanStack's `useQuery` over the view, Tidemark's `useMutation`, `usePending` and `useOutbox`. */
import type { FormEvent, KeyboardEvent, ReactNode } from 'react'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { OutboxEntry } from 'tidemark'
import { useMutation, useOutbox, usePending, useQuery, useSyncClient } from 'tidemark/react'
import { addTask, allTasks, moveTask, newId, removeTask, renameTask, taskRow, tasksQuery, toggleTask } from './board'
import { choice, showNew } from './choice'
import type { Choice, Show, Sort } from './lists'
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

export function ReactPanel(): ReactNode {
  const chosen = useSyncExternalStore(choice.subscribe, choice.getState)
  const { data: all, isError, refetch } = useQuery(allTasks)
  const { data: tasks } = useQuery(tasksQuery(chosen))
  // Until a list was read for the first time it is made here, of what is known.
  if (all !== undefined) return <Board all={all} tasks={tasks ?? listOf(all, chosen)} chosen={chosen} />
  if (isError) return <Unreachable retry={() => void refetch()} />
  return <Skeleton />
}

function Board({ all, tasks, chosen }: { all: Task[]; tasks: Task[]; chosen: Choice }): ReactNode {
  const failed = useOutbox(({ failed }) => failed)
  const move = useMutation(moveTask)
  const list = useRef<HTMLOListElement>(null)
  const moveTo = (id: string, index: number) => {
    const rank = rankAfterMove({ all, shown: tasks }, id, index)
    if (rank !== undefined) move.mutate({ id, rank })
  }
  const latest = useRef(moveTo)
  useEffect(() => {
    latest.current = moveTo
  })
  const isEmpty = tasks.length === 0
  useEffect(() => {
    if (isEmpty || list.current === null) return undefined
    return makeSortable(list.current, (id, index) => latest.current(id, index))
  }, [isEmpty])
  const done = all.filter((task) => task.done).length
  const [title, text] = EMPTY[chosen.show]
  return (
    <>
      <AddForm tasks={all} />
      <div className="choose">
        <Segments<Show> name="show" legend="Show" values={SHOWS} value={chosen.show} />
        <Segments<Sort> name="sort" legend="Sort" values={SORTS} value={chosen.sort} />
      </div>
      {all.length === 0 ? null : (
        <div className="progress">
          <span>
            {done} of {all.length} done
          </span>
          <span className="bar">
            <i style={{ width: `${(done / all.length) * 100}%` }} />
          </span>
        </div>
      )}
      {orphansOf(failed, tasks).map((entry) => (
        <div className="row lost" data-id={taskIdOf(entry)} data-mark="bad" key={entry.id}>
          <FailedNotice entry={entry} />
        </div>
      ))}
      {isEmpty ? (
        <div className="message">
          <b>{title}</b>
          {text}
        </div>
      ) : (
        <ol className="rows" ref={list} aria-label="Tasks">
          {tasks.map((task, index) => (
            <Row
              key={task.id}
              task={task}
              failed={failedOf(failed, task.id)}
              isByHand={chosen.sort === 'hand'}
              up={index > 0 ? () => moveTo(task.id, index - 1) : undefined}
              down={index < tasks.length - 1 ? () => moveTo(task.id, index + 1) : undefined}
            />
          ))}
        </ol>
      )}
    </>
  )
}

function AddForm({ tasks }: { tasks: Task[] }): ReactNode {
  const add = useMutation(addTask)
  const [title, setTitle] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (title.trim() === '') return
    add.mutate({ id: newId(), title: title.trim(), rank: rankAtEnd(tasks) })
    setTitle('')
    showNew()
  }
  return (
    <form className="add" onSubmit={submit}>
      <input
        className="field"
        placeholder="Add a task"
        aria-label="New task"
        autoComplete="off"
        value={title}
        onChange={(event) => setTitle(event.target.value)}
      />
      <button className="button primary" type="submit">
        Add
      </button>
    </form>
  )
}

interface SegmentsProps<T extends string> {
  name: 'show' | 'sort'
  legend: string
  values: Readonly<Record<T, string>>
  value: T
}

function Segments<T extends string>({ name, legend, values, value }: SegmentsProps<T>): ReactNode {
  return (
    <fieldset className="segments">
      <legend className="unseen">{legend}</legend>
      {(Object.keys(values) as T[]).map((each) => (
        <label key={each}>
          <input
            type="radio"
            name={`react-${name}`}
            checked={each === value}
            onChange={() => choice.setState({ [name]: each })}
          />
          <span>{values[each]}</span>
        </label>
      ))}
    </fieldset>
  )
}

interface RowProps {
  task: Task
  failed: readonly OutboxEntry[]
  isByHand: boolean
  up: (() => void) | undefined
  down: (() => void) | undefined
}

function Row({ task, failed, isByHand, up, down }: RowProps): ReactNode {
  const { id, title, done } = task
  const pending = usePending({ entity: taskRow, id })
  const toggle = useMutation(toggleTask)
  const remove = useMutation(removeTask)
  const mark = markOf(pending)
  const conflict = conflictOf(pending)
  const isBad = failed.length > 0 || conflict !== undefined
  return (
    <li className="row" data-id={id} data-done={done} data-mark={isBad ? 'bad' : mark && 'wait'}>
      <div className="line">
        <input
          className="check"
          type="checkbox"
          aria-label={`Done: ${title}`}
          checked={done}
          onChange={() => toggle.mutate({ id, done: !done })}
        />
        <Title task={task} />
        {mark === undefined ? null : <span className={conflict ? 'mark bad' : 'mark'}>{mark}</span>}
        {mark === undefined && failed.length > 0 ? <span className="mark bad">failed</span> : null}
        <span className="tools">
          <IconButton icon="up" className="step up" label={`Move up: ${title}`} onClick={isByHand ? up : undefined} />
          <IconButton
            icon="down"
            className="step down"
            label={`Move down: ${title}`}
            onClick={isByHand ? down : undefined}
          />
          <IconButton
            icon="grip"
            className="grip"
            label={`Drag, or press the arrow keys: ${title}`}
            onClick={isByHand ? () => {} : undefined}
          />
          <IconButton
            icon="remove"
            className="danger"
            label={`Delete: ${title}`}
            onClick={() => remove.mutate({ id })}
          />
        </span>
      </div>
      {conflict === undefined ? null : <ConflictNotice conflict={conflict} />}
      {failed.map((entry) => (
        <FailedNotice entry={entry} key={entry.id} />
      ))}
    </li>
  )
}

function Title({ task: { id, title } }: { task: Task }): ReactNode {
  const rename = useMutation(renameTask)
  // The title that was on the screen when the edit began; `undefined` while there is no edit.
  const [from, setFrom] = useState<string>()
  const save = (text: string) => {
    if (from === undefined) return
    setFrom(undefined)
    if (text.trim() !== '' && text.trim() !== from) rename.mutate({ id, from, title: text.trim() })
  }
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key !== 'Enter' && event.key !== 'Escape') return
    event.preventDefault() // or it would press the title's button, which has the focus next
    if (event.key === 'Enter') save(event.currentTarget.value)
    setFrom(undefined)
  }
  if (from === undefined) {
    return (
      <button className="title" type="button" title="Rename" onClick={() => setFrom(title)}>
        {title}
      </button>
    )
  }
  return (
    <input
      className="field edit"
      aria-label={`Title of: ${from}`}
      defaultValue={from}
      ref={focusAll}
      onKeyDown={onKeyDown}
      onBlur={(event) => save(event.currentTarget.value)}
    />
  )
}

function ConflictNotice({ conflict }: { conflict: NonNullable<ReturnType<typeof conflictOf>> }): ReactNode {
  const sync = useSyncClient()
  const { entry, mine, theirs, keepMine } = conflict
  return (
    <section className="notice" aria-label="Conflict">
      <p>
        <b>Somebody renamed it meanwhile</b>Theirs: “{theirs}”. Yours: “{mine}”.
      </p>
      <span className="choices">
        <button className="button small" type="button" onClick={() => sync.resolve(entry.id, { variables: keepMine })}>
          Keep mine
        </button>
        <button className="button small" type="button" onClick={() => sync.discard(entry.id)}>
          Take theirs
        </button>
      </span>
    </section>
  )
}

function FailedNotice({ entry }: { entry: OutboxEntry }): ReactNode {
  const sync = useSyncClient()
  return (
    <section className="notice" aria-label="Refused">
      <p>
        <b>{describe(entry)} failed</b>
        {entry.failure?.message}
      </p>
      <span className="choices">
        <button className="button small" type="button" onClick={() => sync.retry(entry.id)}>
          Try again
        </button>
        <button className="button small" type="button" onClick={() => sync.discard(entry.id)}>
          Dismiss
        </button>
      </span>
    </section>
  )
}

interface IconButtonProps {
  icon: keyof typeof ICONS
  label: string
  className: string
  onClick: (() => void) | undefined
}

function IconButton({ icon, label, className, onClick }: IconButtonProps): ReactNode {
  return (
    <button
      className={`icon ${className}`}
      type="button"
      aria-label={label}
      disabled={onClick === undefined}
      onClick={onClick}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={ICONS[icon]} />
      </svg>
    </button>
  )
}

function Unreachable({ retry }: { retry: () => void }): ReactNode {
  return (
    <div className="message">
      <b>The server does not answer</b>
      The tasks come as soon as it does.
      <br />
      <button className="button" type="button" onClick={retry}>
        Try now
      </button>
    </div>
  )
}

function Skeleton(): ReactNode {
  return (
    <div className="skeleton" aria-busy="true">
      {['62%', '48%', '70%', '40%'].map((width) => (
        <i className="bone" key={width} style={{ width }} />
      ))}
    </div>
  )
}

function focusAll(input: HTMLInputElement | null): void {
  input?.focus()
  input?.select()
}
