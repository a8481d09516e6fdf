/** One read of a query: the evidence of the answers it was made of, and what that makes of its data. */
import type { Cursor } from '../base/cursor'
import { compareCursors } from '../base/cursor'
import type { Base, Incoming, Layer } from './evidence'

/** What one answer said. */
export interface AnswerEvidence {
  cursor: Cursor | undefined
  /** The ids that its request named; `undefined` when the server said nothing of names. */
  asked: ReadonlySet<string> | undefined
  reflects: ReadonlySet<string>
}

export interface ReadEvidence {
  /** The fetch of query-core that it is of: what a fetch that was cancelled has read is not the next one's. */
  readonly of: unknown
  /** Tick of its first request. */
  readonly start: number
  readonly answers: AnswerEvidence[]
  /** Requests that have no answer yet: without them nothing is known exactly. */
  unanswered: number
  /** The server has said no to one of them, whatever error is made of it. */
  saidNo?: boolean | undefined
}

/** Of pages that base has: an answer that was asked for these mutations, and contains some of them. */
export function evidenceOfPages(base: Base, asked: readonly Layer[], covered: readonly Layer[]): AnswerEvidence {
  return {
    cursor: base.at,
    asked: new Set(asked.map(({ id }) => id)),
    reflects: new Set([...covered.map(({ id }) => id), ...base.has]),
  }
}

/** What is known of data that was made of these answers: only what all of them agree on. */
export function incomingRead(read: ReadEvidence, data: unknown): Incoming {
  const { answers, start } = read
  const [first] = answers
  if (first === undefined || read.unanswered > 0) return { kind: 'read', data, start, has: new Set() }
  const cursors = answers.map((answer) => answer.cursor)
  const range = cursorRange(cursors)
  const has = new Set([...first.reflects].filter((id) => answers.every((answer) => answer.reflects.has(id))))
  // An answer that says nothing of names disputes none: positions and ticks decide then.
  const isDenied = (id: string): boolean =>
    answers.some(({ asked, reflects }) => asked !== undefined && !reflects.has(id))
  const disputed = new Set(answers.flatMap((answer) => [...answer.reflects]).filter(isDenied))
  const named = answers.every((answer) => answer.asked !== undefined)
  const asked = named
    ? new Set([...(first.asked ?? [])].filter((id) => answers.every((answer) => answer.asked?.has(id))))
    : undefined
  return {
    kind: 'read',
    data,
    start,
    has,
    asked,
    at: range?.oldest,
    ...(range !== undefined && range.oldest !== range.newest ? { newest: range.newest } : undefined),
    ...(disputed.size > 0 ? { disputed } : undefined),
  }
}

function cursorRange(cursors: ReadonlyArray<Cursor | undefined>): { oldest: Cursor; newest: Cursor } | undefined {
  let oldest: Cursor | undefined
  let newest: Cursor | undefined
  for (const cursor of cursors) {
    if (cursor === undefined) return undefined
    if (oldest === undefined || newest === undefined) oldest = newest = cursor
    const below = compareCursors(cursor, oldest)
    if (below === undefined) return undefined // two logs: nothing can be said
    if (below < 0) oldest = cursor
    if ((compareCursors(cursor, newest) ?? 0) > 0) newest = cursor
  }
  return oldest === undefined || newest === undefined ? undefined : { oldest, newest }
}
