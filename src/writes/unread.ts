/**
 * The body of an answer that another transport put into its error without reading it, as ky does: it says what a 409 means,
 * and why the server refused.
 */
import { isPlainObject } from '../base/key'
import { messageOf } from '../base/kinds'
import { linksOf, problemOf, statusOf } from '../base/meaning'
import { wordsOf } from '../base/words'

const READ: unique symbol = Symbol('tidemark.read')

/** The error, with what its answer's body says; as it is where there is nothing to read, or `signal` ends the wait. */
export async function readUnread(error: unknown, signal: AbortSignal): Promise<unknown> {
  const status = statusOf(error)
  const response = status === undefined || problemOf(error) !== undefined ? undefined : unreadOf(error)
  if (response === undefined || signal.aborted) return error
  const ended = new Promise<undefined>((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  )
  // A copy is read: the application may read the answer itself, in `onError`.
  const text = await Promise.race([response.clone().text(), ended]).catch(() => undefined)
  const body = text === undefined ? undefined : jsonOf(text)
  const detail = wordsOf(body)
  const problem = isPlainObject(body) ? body : detail === undefined ? undefined : { detail }
  if (problem === undefined) return error
  return { [READ]: true, status, problem, message: messageOf(error), cause: error }
}

/** What was thrown, without what was read of it. */
export function thrownOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && READ in error ? (error as { cause?: unknown }).cause : error
}

function unreadOf(error: unknown): Response | undefined {
  for (const link of linksOf(error)) {
    for (const each of [link, (link as { response?: unknown }).response]) {
      const { bodyUsed, clone, text } = (each ?? {}) as Partial<Response>
      if (bodyUsed === false && typeof clone === 'function' && typeof text === 'function') return each as Response
    }
  }
  return undefined
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
