/** Topics of client and server that never meet: one says `todo`, the other `todos`. */
import { canonical } from '../base/key'
import type { Cell } from '../queries/cell'
import type { ChangeMessage } from '../stream/target'
import { isAlike } from './alike'
import type { Remark } from './fields'
import { remarksOnKeys } from './keys'

export interface PushedTo {
  readonly cells: Iterable<Cell>
  /** The topics that the stream asks for, if it asks for some. */
  readonly asked: readonly string[]
  /** Kinds of rows that an own write changes, if it is in the outbox. */
  typesOf(id: string): readonly string[]
}

/** What a transaction of the stream shows of topics and keys that do not meet. */
export function remarksOnPush(messages: readonly ChangeMessage[], { cells, asked, typesOf }: PushedTo): Remark[] {
  const all = [...cells]
  const found: Remark[] = []
  for (const message of messages) {
    if (message.event === 'ack') {
      // It was applied, and is told to its sender only: nothing that the stream asks for covers it.
      for (const { id, status = 'applied' } of message.mutations) {
        if (status !== 'applied') continue
        for (const type of typesOf(id)) {
          const meant = asked.find((topic) => isAlike(topic, type))
          if (meant !== undefined && !asked.includes(type)) found.push(unheard(type, meant))
        }
      }
    }
    if (message.event !== 'invalidate' && message.event !== 'patch') continue
    if (message.event === 'invalidate' && (message.keys !== undefined || message.entities !== undefined)) {
      const keys = (message.keys ?? []).filter(Array.isArray)
      if (message.topics === undefined) found.push(...remarksOnKeys('The server invalidates', keys, all))
      continue
    }
    for (const topic of message.topics ?? []) {
      if (all.some(({ topics }) => topics.includes(topic))) continue
      const deaf = all.find((cell) => cell.topics.some((each) => isAlike(each, topic)) && !hasRows(cell, message))
      const meant = deaf?.topics.find((each) => isAlike(each, topic))
      if (deaf !== undefined && meant !== undefined) found.push(missed(topic, meant, deaf))
    }
  }
  return found
}

function hasRows({ shape }: Cell, message: ChangeMessage): boolean {
  const types = shape?.pairs.map(([kind]) => kind.type) ?? []
  return message.event === 'patch' && message.changes.every(({ type }) => types.includes(type))
}

function missed(topic: string, meant: string, { query }: Cell): Remark {
  const text = `The server tells of the topic "${topic}", and no query listens to it: query ${canonical(query.queryKey)} has the topic "${meant}"; did you mean "${topic}"?`
  return { topic: `topic ${topic}`, text }
}

function unheard(type: string, meant: string): Remark {
  const text = `The stream asks for the topic "${meant}" and hears nothing of a write that changed a row of "${type}"; did you mean "${type}"?`
  return { topic: `topic ${type}`, text }
}
