/** Reading what a client sent: bounded, UTF-8, JSON of a bounded depth. Everything else is refused with a 4xx. */

import { isCursor } from '../src/base/cursor'
import { isPlainObject } from '../src/base/key'
import { HEADERS, PENDING_MAX } from '../src/base/messages'
import type { ServerClock } from './clock'
import { withTimeLimit } from './clock'
import type { MutationCall } from './mutate'
import type { Limits } from './options'
import { isRefusal, refuse } from './problem'
import type { Expected } from './transaction'

const KEY = /^[A-Za-z0-9._~:-]{1,128}$/

interface BodyDeps {
  clock: ServerClock
  limits: Limits
}

/** The request's JSON. 415, 413, 408 or 400. */
export async function readJson(request: Request, { clock, limits }: BodyDeps): Promise<unknown> {
  const type = request.headers.get('Content-Type') ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type.trim())) {
    throw refuse('media-type', `send Content-Type: application/json, not "${type.slice(0, 100)}"`)
  }
  const text = await readText(request, limits, clock)
  if (depthOf(text) > limits.depth) throw refuse('malformed', `the JSON is nested deeper than ${limits.depth}`)
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw refuse('malformed', 'the body is not JSON')
  }
}

async function readText(request: Request, { body: limit, bodyTime }: Limits, clock: ServerClock): Promise<string> {
  const tooLarge = () => refuse('too-large', `the body is larger than ${limit} bytes`)
  const tooSlow = () => refuse('too-slow', `the body did not arrive within ${bodyTime} ms`)
  const deadline = clock.now() + bodyTime
  if (Number(request.headers.get('Content-Length') ?? 0) > limit) throw tooLarge()
  if (request.body === null) return ''
  const reader = request.body.getReader()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let size = 0
  try {
    for (;;) {
      const { done, value } = await withTimeLimit(clock, deadline - clock.now(), reader.read(), tooSlow)
      if (done) return text + decoder.decode()
      size += value.byteLength
      if (size > limit) throw tooLarge()
      text += decoder.decode(value, { stream: true })
    }
  } catch (error) {
    void reader.cancel().catch(() => {})
    // Whatever else breaks here broke on the way, and is no failure of the server.
    throw isRefusal(error) ? error : refuse('malformed', 'the body is not UTF-8, or was cut off')
  }
}

/** How deep brackets nest outside of strings. Counted first, because walking a deep value can exhaust the stack. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === 92) i++
      else if (code === 34) inString = false
    } else if (code === 34) inString = true
    else if (code === 91 || code === 123) deepest = Math.max(deepest, ++depth)
    else if (code === 93 || code === 125) depth--
  }
  return deepest
}

/** A single mutation: variables in the body, the rest in headers. */
export function readSingle(headers: Headers, name: string, variables: unknown): MutationCall {
  const id = headers.get(HEADERS.idempotencyKey)
  if (id === null) throw refuse('malformed', `send ${HEADERS.idempotencyKey}, a new UUID for each mutation`)
  const sequence = headers.get(HEADERS.sequence)
  return {
    id: keyOf(unquoted(id.trim()), HEADERS.idempotencyKey),
    name,
    variables,
    outbox: labelOf(headers.get(HEADERS.outbox) ?? undefined, HEADERS.outbox),
    scope: labelOf(headers.get(HEADERS.scope) ?? undefined, HEADERS.scope),
    sequence: sequence === null ? undefined : sequenceOf(/^\d{1,16}$/.test(sequence) ? Number(sequence) : sequence),
    expected: readIfMatch(headers.get('If-Match')),
  }
}

/** A batch or a transaction, in order. */
export function readBatch(body: unknown, limits: Limits): { atomic: boolean; calls: MutationCall[] } {
  if (!isPlainObject(body)) throw refuse('malformed', 'the body must be an object { outbox, mutations: […] }')
  const { outbox, atomic = false, mutations } = body
  if (typeof atomic !== 'boolean') throw refuse('malformed', '"atomic" must be true or false')
  if (!Array.isArray(mutations) || mutations.length === 0) {
    throw refuse('malformed', '"mutations" must be a list of at least one mutation')
  }
  if (mutations.length > limits.batch) throw refuse('too-large', `a batch has at most ${limits.batch} mutations`)
  const label = labelOf(outbox, '"outbox"')
  const calls = mutations.map((entry: unknown, index) => readEntry(entry, `mutations[${index}]`, label))
  if (new Set(calls.map((call) => call.id)).size < calls.length)
    throw refuse('malformed', 'an id stands twice in the batch')
  return { atomic, calls }
}

function readEntry(entry: unknown, where: string, outbox: string | undefined): MutationCall {
  if (!isPlainObject(entry)) throw refuse('malformed', `${where} must be an object`)
  const { id, scope, sequence, mutationKey, variables, baseVersion } = entry
  const version = typeof baseVersion === 'string' || Number.isSafeInteger(baseVersion)
  if (baseVersion !== undefined && !version)
    throw refuse('malformed', `${where}.baseVersion must be a text or an integer`)
  return {
    id: keyOf(id, `${where}.id`),
    name: nameOf(mutationKey, `${where}.mutationKey`),
    variables,
    outbox,
    scope: labelOf(scope, `${where}.scope`),
    sequence: sequence === undefined ? undefined : sequenceOf(sequence),
    expected: baseVersion === undefined ? undefined : [baseVersion as string | number],
  }
}

/** A mutation key's parts, or its wire name. */
function nameOf(key: unknown, where: string): string {
  const parts = typeof key === 'string' ? [key] : Array.isArray(key) ? (key as unknown[]) : []
  const name = parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join('/')
  if (name === '' || name.length > 256) throw refuse('malformed', `${where} must name a mutation`)
  return name
}

function keyOf(value: unknown, where: string): string {
  if (typeof value === 'string' && KEY.test(value)) return value
  throw refuse('malformed', `${where} must be 1 to 128 of A-Z a-z 0-9 . _ ~ : -`)
}

function labelOf(value: unknown, where: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value.length <= 1_024) return value
  throw refuse('malformed', `${where} must be a text of at most 1024 characters`)
}

function sequenceOf(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw refuse('malformed', 'a sequence must be an integer from 0')
}

function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

/** `"v7"` is version 7; other tags are versions as text (RFC 9110 section 13.1.1). */
function readIfMatch(field: string | null): Expected | undefined {
  if (field === null) return undefined
  if (field.trim() === '*') return '*'
  return field.split(',').map((entry) => {
    const tag = /^\s*"([\x21\x23-\x7e]{0,128})"\s*$/.exec(entry)?.[1]
    if (tag === undefined) throw refuse('malformed', 'If-Match must be a list of quoted tags ("v7") or *')
    return /^v\d{1,15}$/.test(tag) ? Number(tag.slice(1)) : tag
  })
}

/** Ids in `Sync-Pending`, separated by commas. */
export function readPending(headers: Headers): string[] {
  const ids = (headers.get(HEADERS.pending) ?? '')
    .split(',')
    .map((id) => unquoted(id.trim()))
    .filter((id) => id !== '')
  if (ids.length > PENDING_MAX) throw refuse('malformed', `${HEADERS.pending} names at most ${PENDING_MAX} mutations`)
  return ids.map((id) => keyOf(id, HEADERS.pending))
}

/** A cursor in a header or a parameter; `undefined` if absent. */
export function readCursor(value: string | null, where: string): string | undefined {
  if (value === null || value === '') return undefined
  if (isCursor(value)) return value
  throw refuse('malformed', `${where} is not a cursor (<epoch>:<position>)`)
}
