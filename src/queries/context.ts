/** The `fetch` of a query function's context: says what is pending, notes what the answer contains. */
import { isCursor, laterCursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import { meaningOfStatus } from '../base/meaning'
import { HEADERS, PENDING_MAX } from '../base/messages'
import type { AnswerEvidence } from '../evidence/answers'
import type { Layer } from '../evidence/evidence'
import { isCovered, isOpen } from '../evidence/evidence'
import type { Http } from '../platform/http'
import { withLimit } from '../platform/limit'
import type { AdoptDeps } from './adopt'
import type { Cell } from './cell'
import type { Core } from './core'

/**
 * The `fetch` of a context: common headers, credentials and signal are in it, and it rejects with a `SyncError`
 * unless the answer is 2xx.
 */
export type ContextFetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

/** Extends by prototype: spreading a query's context would read `signal`, and the query then cancels on unmount. */
export function createContexts(core: Core, http: Http): AdoptDeps['extendContext'] {
  return (context, cell, read) => {
    const fetch: ContextFetch = async (input, init) => {
      const names = pendingNames(cell)
      const fields: Record<string, string> = {}
      if (http.speaksSync(input)) {
        if (names.length > 0) fields[HEADERS.pending] = names.join(', ')
        const least = laterCursor(cell.staleness.at, core.ownAt)
        if (least !== undefined) fields[HEADERS.minCursor] = least
      }
      const { signal } = context as { signal?: AbortSignal }
      const { timeout = core.timeout } = cell.query.options as { timeout?: number }
      read.unanswered++
      const response = await withLimit(core.clock, timeout, init?.signal ?? signal, (limited) =>
        http.request(input, { ...init, signal: limited }, fields),
      )
      read.unanswered--
      if (isRefusal(response.status)) read.saidNo = true
      const found = evidenceOf(core, response, HEADERS.pending in fields ? names : [])
      read.answers.push(found)
      if (found.cursor !== undefined) core.told(found.cursor, false)
      return response
    }
    return Object.create(context, { fetch: { value: fetch, enumerable: true } }) as object
  }
}

function isRefusal(status: number): boolean {
  const meaning = status < 400 ? undefined : meaningOfStatus(status)
  return meaning === 'refused' || meaning === 'credentials'
}

/** The mutations that touch the query and that its base lacks, sent ones first, at most 64. */
function pendingNames(cell: Cell): string[] {
  const lacking = cell.placements.map(({ layer }) => layer).filter((layer) => !isCovered(layer, cell.base))
  const first = (layer: Layer) => (isOpen(layer) ? 0 : layer.sent ? 1 : 2)
  return lacking
    .sort((a, b) => first(a) - first(b) || a.pos - b.pos)
    .slice(0, PENDING_MAX)
    .map((layer) => layer.id)
}

/** What an answer's headers say. `named`: the ids that its request named. */
export function evidenceOf(core: Core, response: Response, named: readonly string[]): AnswerEvidence {
  const cursor = response.headers.get(HEADERS.cursor) ?? undefined
  const reflects = response.headers.get(HEADERS.reflects)
  const ids = (reflects ?? '').split(',').flatMap((id) => id.trim() || [])
  const valid = isCursor(cursor)
  if (cursor !== undefined && !valid) {
    const shown = JSON.stringify(String(cursor).slice(0, 64))
    core.report(
      new SyncError(
        'protocol',
        `The server sent a malformed ${HEADERS.cursor} header (${shown}); the answer counts as one without a cursor.`,
      ),
    )
  }
  return {
    cursor: valid ? cursor : undefined,
    asked: reflects === null ? undefined : new Set(named),
    reflects: new Set(reflects === null ? [] : ids),
  }
}
