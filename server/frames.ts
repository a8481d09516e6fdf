/**
 * Log entries as event-stream text. An entry becomes one message or several parts of one transaction; the `id` stands on
 * the last part only, so that nobody resumes inside a transaction.
 */
import type { Cursor } from '../src/base/cursor'
import type { RowChange } from '../src/base/messages'
import type { Invalidation, LogEntry, LogPart } from './store'

/** Rows in one `patch` message. */
const CHANGES_PER_MESSAGE = 500

/** Who is listening. */
export interface Audience {
  topics: ReadonlySet<string>
  /** Id of the principal, for the outcomes of its own mutations. */
  principal: string
}

interface Piece {
  event: string
  /** The data without its opening brace, so that `prev` can be put before it. */
  rest: string
}

/** An entry that many read: encoded once for those who may see all of it. */
export interface Frame {
  readonly entry: LogEntry
  readonly cursor: Cursor
  /** Characters of the encoded entry, about. */
  readonly size: number
  /** Every topic of its parts. */
  readonly topics: ReadonlySet<string>
  /** What this audience gets, or `undefined` if nothing. `prev`: the cursor that it was sent last. */
  encode(audience: Audience, prev: Cursor): string | undefined
  /** Whether the answer of {@link encode} depends on more than the topics. */
  isPersonal(audience: Audience): boolean
}

/** What a stream asks for that names no topics: all that its principal may hear. */
export const EVERY_TOPIC = '*'

function hears({ topics }: Audience, topic: string): boolean {
  return topics.has(topic) || topics.has(EVERY_TOPIC)
}

export function createFrame(entry: LogEntry, epoch: string): Frame {
  const cursor = `${epoch}:${entry.position}`
  const topics = new Set(entry.parts.flatMap((part) => part.topics))
  const sees = (part: LogPart, audience: Audience) => part.topics.some((topic) => hears(audience, topic))
  const all = toPieces(entry, entry.parts, undefined)
  const named = entry.parts.flatMap((part) => ('invalidate' in part ? (part.invalidate.topics ?? []) : []))
  const mentioned = new Set([...topics, ...named])
  let last: { prev: Cursor; text: string } | undefined

  function whole(prev: Cursor): string {
    if (last?.prev !== prev) last = { prev, text: toText(all, cursor, prev) }
    return last.text
  }
  return {
    entry,
    cursor,
    topics,
    size: all.reduce((sum, piece) => sum + piece.rest.length, 0),
    isPersonal: (audience) => entry.mutations.length > 0 && !entry.parts.some((part) => sees(part, audience)),
    encode(audience, prev) {
      const visible = entry.parts.filter((part) => sees(part, audience))
      if (visible.length === 0) {
        const isOwn = entry.principal === audience.principal && entry.mutations.length > 0
        return isOwn ? toText([piece('ack', { mutations: entry.mutations })], cursor, prev) : undefined
      }
      const hearsAll = [...mentioned].every((topic) => hears(audience, topic))
      if (visible.length === entry.parts.length && hearsAll) return whole(prev)
      return toText(toPieces(entry, visible, audience), cursor, prev)
    },
  }
}

function toPieces(entry: LogEntry, parts: readonly LogPart[], audience: Audience | undefined): Piece[] {
  // The problem of a refused mutation is for whoever sent it.
  const mutations = entry.mutations.map(({ problem: _, ...outcome }) => outcome)
  const pieces: Piece[] = []
  for (const { topics, changes } of byTopics(parts, audience)) {
    for (let i = 0; i < changes.length; i += CHANGES_PER_MESSAGE)
      pieces.push(piece('patch', { changes: changes.slice(i, i + CHANGES_PER_MESSAGE), topics, mutations }))
  }
  for (const part of parts) {
    if ('invalidate' in part) pieces.push(piece('invalidate', { ...visibleTo(part.invalidate, audience), mutations }))
    if ('state' in part) pieces.push(piece('state', { ...part.state, mutations }))
  }
  return pieces
}

interface Told {
  readonly topics: readonly string[]
  readonly changes: RowChange[]
}

/** Changes of rows with the topics that they are of: a query hears of a topic's rows, and not of what else was written with them. */
function byTopics(parts: readonly LogPart[], audience: Audience | undefined): Iterable<Told> {
  const told = new Map<string, Told>()
  for (const part of parts) {
    if (!('change' in part)) continue
    const topics = part.topics.filter((topic) => audience === undefined || hears(audience, topic))
    const name = JSON.stringify(topics)
    const known = told.get(name)
    if (known === undefined) told.set(name, { topics, changes: [part.change] })
    else known.changes.push(part.change)
  }
  return told.values()
}

/** Names no topic that the audience did not ask for. */
function visibleTo(what: Invalidation, audience: Audience | undefined): Invalidation {
  if (audience === undefined || what.topics === undefined) return what
  const topics = what.topics.filter((topic) => hears(audience, topic))
  return topics.length > 0 || what.keys || what.entities ? { ...what, topics } : what
}

function piece(event: string, data: object): Piece {
  return { event, rest: JSON.stringify(data).slice(1) }
}

function toText(pieces: readonly Piece[], cursor: Cursor, prev: Cursor): string {
  const start = `{"prev":${JSON.stringify(prev)},`
  if (pieces.length === 1) return `event: ${pieces[0]?.event}\nid: ${cursor}\ndata: ${start}${pieces[0]?.rest}\n\n`
  return pieces
    .map(({ event, rest }, index) => {
      const isLast = index === pieces.length - 1
      const envelope = `${start}"txn":${JSON.stringify(cursor)},${isLast ? '' : '"more":true,'}`
      return `event: ${event}\n${isLast ? `id: ${cursor}\n` : ''}data: ${envelope}${rest}\n\n`
    })
    .join('')
}

/** A message that is not in the log: `hello`, `ping`, `resync`, `bye`. */
export function controlText(event: string, data: object, id?: Cursor): string {
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
}
