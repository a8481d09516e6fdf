/**
 * Answers that came whole. Engines differ in what they say of a body that was cut (Chromium and Firefox reject, WebKit may
 * end it as if it were complete), so the body is read here, held against its length, and handed on as a whole `Response`.
 */
import { SyncError, sentence } from '../base/errors'
import { messageOf } from '../base/kinds'

/** Longer bodies are handed on as they come. */
const LONGEST = 4 * 1024 * 1024

/**
 * The answer with its body read, if it is one to be read at once: JSON, or any text for a write. Rejects with a `SyncError`
 * that carries the status if the body was cut; its `json()` does so if the body is a page, or ends too early. A page that
 * answers a write rejects at once, unless `accept` asks for one.
 */
export async function readWhole(
  response: Response,
  isWrite: boolean,
  accept: string | undefined,
  signal: AbortSignal | null | undefined,
): Promise<Response> {
  const type = typeOf(response)
  if (isWrite && isPage(response) && !/html/.test(accept ?? '')) throw page(response, undefined)
  const length = lengthOf(response)
  const isText = JSON_TYPE.test(type) || (isWrite && /^$|^text\/(?!event-stream)|xml/.test(type))
  if (!isText || (length ?? 0) > LONGEST || !isReadable(response)) return response
  let bytes: ArrayBuffer
  try {
    bytes = await response.arrayBuffer()
  } catch (cause) {
    // Not by the error's name: Firefox says AbortError for a connection that was reset, too.
    if (signal?.aborted) throw cause
    throw cut(response, cause)
  }
  if (length !== undefined && bytes.byteLength < length) throw cut(response, undefined)
  const { status, statusText, headers, url, redirected } = response
  const copy = new Response(bytes, { status, statusText, headers })
  const json = (): Promise<unknown> =>
    copy.text().then((text) => {
      try {
        return JSON.parse(text) as unknown
      } catch (cause) {
        throw isPage(response) ? page(response, cause) : cut(response, cause)
      }
    })
  return Object.defineProperties(copy, {
    url: { value: url },
    redirected: { value: redirected },
    json: { value: json },
  })
}

const JSON_TYPE = /^application\/([^;]*\+)?json$/

/** Whether the answer is a page for people. */
export function isPage(response: Response): boolean {
  return /html/.test(typeOf(response))
}

function typeOf({ headers }: Response): string {
  return (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** The body's length in bytes, where it is certain: a compressed body has another, and another origin may hide that. */
function lengthOf({ headers, type }: Response): number | undefined {
  const length = headers.get('content-length')
  const isCertain = type !== 'cors' && /^(identity)?$/.test(headers.get('content-encoding') ?? '')
  return isCertain && length !== null && /^\d+$/.test(length) ? Number(length) : undefined
}

/** Platforms and mocks without all of the Fetch standard hand on what they have. */
function isReadable({ body, bodyUsed, status, arrayBuffer }: Response): boolean {
  const isWhole = typeof Response === 'function' && typeof arrayBuffer === 'function'
  return isWhole && body !== null && body !== undefined && !bodyUsed && status !== 204 && status !== 205
}

function cut({ status }: Response, cause: unknown): SyncError {
  const why = cause === undefined ? 'its end is missing' : messageOf(cause)
  return new SyncError(
    'network',
    sentence(`The server answered ${status}, but the answer did not come whole: ${why}`),
    {
      status,
      cause,
    },
  )
}

function page({ status }: Response, cause: unknown): SyncError {
  return new SyncError(
    'protocol',
    `The answer (status ${status}) is a page instead of data: something stands between (a captive portal, a login page), or the address is wrong. To ask for a page, send "Accept: text/html".`,
    { status, cause },
  )
}
