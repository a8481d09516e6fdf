/** A plain REST server in front of the same tables: nothing of Tidemark goes in or comes out. */
import { HEADERS } from '../src/base/messages'

const UNKNOWN = [...Object.values(HEADERS), 'If-Match', 'If-None-Match']

/** The headers without those that a plain server does not know. */
export function plainHeaders(given: Headers): Headers {
  const headers = new Headers(given)
  for (const name of UNKNOWN) headers.delete(name)
  return headers
}

/** The answer as a plain server gives it: a body, a status, and `{ message }` for what went wrong. */
export async function plainAnswer(response: Response): Promise<Response> {
  const body: unknown = await response.json()
  if (response.ok) return Response.json(body, { status: response.status })
  const { detail, title } = body as { detail?: string; title?: string }
  return Response.json({ message: detail ?? title ?? '' }, { status: response.status })
}
