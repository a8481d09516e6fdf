/**
 * The wire: what stands in one `data:` line of the sync stream (protocol version 1), its guards, and the names of the
 * headers. Guards are hand-written because the stream is untrusted input; they check the envelope and leave values alone.
 */
import type { Cursor } from './cursor'
import { isCursor } from './cursor'

export const PROTOCOL = 1 as const

/** Header names of pull, mutation and stream. */
export const HEADERS = {
  cursor: 'Sync-Cursor',
  pending: 'Sync-Pending',
  reflects: 'Sync-Reflects',
  minCursor: 'Sync-Min-Cursor',
  idempotencyKey: 'Idempotency-Key',
  replayed: 'Idempotent-Replayed',
  outbox: 'Sync-Outbox',
  scope: 'Sync-Scope',
  sequence: 'Sync-Sequence',
} as const

/** Ids that one read or write names at most. */
export const PENDING_MAX = 64

/** Integer: ordered. String: equality only (an etag). */
export type Version = number | string
/** The id of a row. Numbers and their text are one id: `1` and `'1'` name the same row. */
export type RowId = string | number

export interface EntityRef {
  type: string
  id: RowId
  version?: Version | undefined
}

/** The outcome of one mutation, as an event tells it. `status` is `applied` when absent. */
export interface MutationOutcome {
  id: string
  client?: string | undefined
  status?: 'applied' | 'noop' | 'rejected' | undefined
  problem?: Record<string, unknown> | undefined
}

/** One operation of a JSON Patch (RFC 6902). */
export interface JsonPatchOperation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  path: string
  from?: string | undefined
  value?: unknown
}

/**
 * A change of one row. `merge` is RFC 7396, `patch` RFC 6902; both apply on version `base` only. `row` is the whole row
 * afterwards, for who does not know the version of what it has.
 */
export type RowChange =
  | { op: 'put'; type: string; id: RowId; version: Version; value: unknown }
  | { op: 'merge'; type: string; id: RowId; version: Version; base: Version; value: unknown; row?: unknown }
  | {
      op: 'patch'
      type: string
      id: RowId
      version: Version
      base: Version
      value: JsonPatchOperation[]
      row?: unknown
    }
  | { op: 'del'; type: string; id: RowId; version: Version }

interface Envelope {
  /** Cursor of the previous event with an id that was sent to this subscriber; `null`: the first ever. */
  prev?: Cursor | null | undefined
  /** Parts of one transaction carry the same `txn`, all but the last with `more: true`. */
  txn?: string | undefined
  more?: boolean | undefined
  /** Whose writes the event contains. Present, even empty: exactly these. Absent: not said. */
  mutations?: MutationOutcome[] | undefined
}

/** Bounds of a heartbeat, in milliseconds. */
export const HEARTBEAT_MIN = 1_000
export const HEARTBEAT_MAX = 120_000

export interface HelloMessage {
  event: 'hello'
  protocol: typeof PROTOCOL
  epoch: string
  resume: 'fresh' | 'continued' | 'reset'
  /** Position of the stream before the first event that follows. */
  cursor: Cursor
  /** Milliseconds between pings. */
  heartbeat?: number | undefined
  /** Milliseconds within which a position that has moved is told, whatever moved it. */
  progress?: number | undefined
  /** Milliseconds that the server keeps a connection. */
  maxAge?: number | undefined
  features?: string[] | undefined
}
export interface InvalidateMessage extends Envelope {
  event: 'invalidate'
  keys?: unknown[][] | undefined
  exact?: boolean | undefined
  topics?: string[] | undefined
  entities?: EntityRef[] | undefined
  /** Milliseconds over which to spread the refetches. */
  spread?: number | undefined
}
export interface PatchMessage extends Envelope {
  event: 'patch'
  changes: RowChange[]
  /** Whose readers it concerns: queries that listen to one of these and declare no such rows are stale. */
  topics?: string[] | undefined
}
export interface StateMessage extends Envelope {
  event: 'state'
  key: unknown[]
  base?: Version | undefined
  version?: Version | undefined
  value?: unknown
  patch?: JsonPatchOperation[] | undefined
}
export interface AckMessage extends Envelope {
  event: 'ack'
  mutations: MutationOutcome[]
}
export interface PingMessage {
  event: 'ping'
  prev?: Cursor | null | undefined
  cursor?: Cursor | undefined
}
export interface ResyncMessage extends Envelope {
  event: 'resync'
  reason: 'expired' | 'stream-changed' | 'overflow' | 'schema' | 'authorization' | 'operator'
  keys?: unknown[][] | undefined
  spread?: number | undefined
}
export interface ByeMessage {
  event: 'bye'
  reason: 'drain' | 'max-age' | 'auth-expired' | 'auth-revoked' | 'idle' | 'overload' | 'gone'
  reconnect?: boolean | undefined
  /** Milliseconds to wait before connecting again. */
  after?: number | undefined
  spread?: number | undefined
}

/** A decoded event of the sync stream. `cursor` is the event's `id`, where it had one. */
export type StreamMessage = (
  | HelloMessage
  | InvalidateMessage
  | PatchMessage
  | StateMessage
  | AckMessage
  | PingMessage
  | ResyncMessage
  | ByeMessage
) & { id?: Cursor | undefined }

export type StreamEventName = StreamMessage['event']

type Fields = Record<string, unknown>
type Check = (value: unknown) => boolean

const text =
  (max: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= max
const count =
  (min: number, max: number): Check =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
const oneOf =
  (...allowed: unknown[]): Check =>
  (value) =>
    allowed.includes(value)
const list =
  (check: Check, max: number, min = 0): Check =>
  (value) =>
    Array.isArray(value) && value.length >= min && value.length <= max && value.every(check)
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isBoolean: Check = (value) => typeof value === 'boolean'
const isVersion: Check = (value) =>
  typeof value === 'string' || count(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)(value)
const isRowId: Check = (value) => typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))
const isPrev: Check = (value) => value === null || isCursor(value)
const isKey: Check = (value) => Array.isArray(value) && value.length >= 1 && value.length <= 32
const isSpread: Check = count(0, 600_000)
const isDuration: Check = count(0, Number.MAX_SAFE_INTEGER)

const isEntity: Check = (value) =>
  isFields(value) && text(128)(value['type']) && isRowId(value['id']) && optional(isVersion)(value['version'])
const isOutcome: Check = (value) =>
  isFields(value) &&
  text(128)(value['id']) &&
  optional(text(128))(value['client']) &&
  optional(oneOf('applied', 'noop', 'rejected'))(value['status']) &&
  optional(isFields)(value['problem'])
const isOperation: Check = (value) =>
  isFields(value) &&
  oneOf('add', 'remove', 'replace', 'move', 'copy', 'test')(value['op']) &&
  isPointer(value['path']) &&
  optional(isPointer)(value['from'])
const isPatch: Check = list(isOperation, 10_000)
const isChange: Check = (value) =>
  isFields(value) &&
  text(128)(value['type']) &&
  isRowId(value['id']) &&
  isVersion(value['version']) &&
  (value['op'] === 'del' ||
    (value['op'] === 'put' && 'value' in value) ||
    (value['op'] === 'merge' && 'value' in value && isVersion(value['base'])) ||
    (value['op'] === 'patch' && isPatch(value['value']) && isVersion(value['base'])))

function isPointer(value: unknown): boolean {
  return typeof value === 'string' && (value === '' || value.startsWith('/'))
}

const ENVELOPE: Record<string, Check> = {
  prev: optional(isPrev),
  txn: optional(text(128)),
  more: optional(isBoolean),
  mutations: optional(list(isOutcome, 1000)),
}

const SHAPES: Record<StreamEventName, Record<string, Check>> = {
  hello: {
    protocol: oneOf(PROTOCOL),
    epoch: text(64),
    resume: oneOf('fresh', 'continued', 'reset'),
    cursor: isCursor,
    heartbeat: optional(count(HEARTBEAT_MIN, HEARTBEAT_MAX)),
    progress: optional(count(0, HEARTBEAT_MAX)),
    maxAge: optional(isDuration),
    features: optional(list(text(128), 1000)),
  },
  invalidate: {
    ...ENVELOPE,
    keys: optional(list(isKey, 1000)),
    exact: optional(isBoolean),
    topics: optional(list(text(1024), 10_000)),
    entities: optional(list(isEntity, 10_000)),
    spread: optional(isSpread),
  },
  patch: { ...ENVELOPE, changes: list(isChange, 10_000), topics: optional(list(text(1024), 10_000)) },
  state: {
    ...ENVELOPE,
    key: isKey,
    base: optional(isVersion),
    version: optional(isVersion),
    patch: optional(isPatch),
  },
  ack: { ...ENVELOPE, mutations: list(isOutcome, 1000) },
  ping: { prev: optional(isPrev), cursor: optional(isCursor) },
  resync: {
    ...ENVELOPE,
    reason: oneOf('expired', 'stream-changed', 'overflow', 'schema', 'authorization', 'operator'),
    keys: optional(list(isKey, 1000)),
    spread: optional(isSpread),
  },
  bye: {
    reason: oneOf('drain', 'max-age', 'auth-expired', 'auth-revoked', 'idle', 'overload', 'gone'),
    reconnect: optional(isBoolean),
    after: optional(isDuration),
    spread: optional(isDuration),
  },
}

/** A message, `unknown` (an event that this version does not know: ignored and counted), or what is wrong with it. */
export type Decoded =
  | { ok: true; message: StreamMessage }
  | { ok: false; unknown: true }
  | { ok: false; unknown: false; reason: string }

/** Decodes one event of the sync stream. `id` is the event's own `id` field, if it stood in this event. */
export function decodeMessage(event: string, data: string, id?: string): Decoded {
  if (!Object.hasOwn(SHAPES, event)) return { ok: false, unknown: true }
  const name = event as StreamEventName
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    return malformed(name, 'its data is not JSON')
  }
  if (!isFields(value)) return malformed(name, 'its data is not an object')
  for (const [field, check] of Object.entries(SHAPES[name])) {
    if (!check(Object.hasOwn(value, field) ? value[field] : undefined))
      return malformed(name, `field "${field}" is missing or of the wrong form`)
  }
  if (name === 'invalidate' && !value['keys'] && !value['topics'] && !value['entities']) {
    return malformed(name, 'it names neither keys nor topics nor entities')
  }
  if (id !== undefined && id !== '' && !isCursor(id)) return malformed(name, 'its id is not a cursor')
  const message = { ...value, event: name, ...(id ? { id } : undefined) } as unknown as StreamMessage
  return { ok: true, message }
}

function malformed(event: string, why: string): Decoded {
  return { ok: false, unknown: false, reason: `malformed "${event}" event: ${why}` }
}
