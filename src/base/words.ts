/**
 * What a server says to people in the body of a refusal, whichever framework made it: problem details (RFC 9457),
 * Express, Rails, Laravel, Django, Spring, FastAPI, JSON:API, GraphQL, OAuth, or plain text.
 */
import { isPlainObject } from './key'

/** More is a page or a dump, and nothing to read to anybody. */
const LONGEST = 300

/** The words, in one line; `undefined` where there are none for people. */
export function wordsOf(body: unknown): string | undefined {
  if (typeof body === 'string') return textOf(body)
  if (Array.isArray(body)) return wordsOfList(body)
  if (!isPlainObject(body)) return undefined
  for (const name of ['detail', 'message', 'error_description', 'errors', 'error', 'title', 'msg', 'defaultMessage']) {
    if (name === 'title' && Array.isArray(body[name])) continue // a field of the form
    const found = name === 'errors' ? wordsOfFields(body[name]) : wordsOf(body[name])
    if (found !== undefined) return found
  }
  return Object.values(body).every(Array.isArray) ? wordsOfFields(body) : undefined
}

/** Of a list of errors: the first ones that say something. */
function wordsOfList(list: readonly unknown[]): string | undefined {
  const said = list.map(wordsOf).filter((each) => each !== undefined)
  return said.length === 0 ? undefined : textOf(said.slice(0, 3).join(' '))
}

/** Of errors by field: each with its field's name where the words alone would not say it. */
function wordsOfFields(errors: unknown): string | undefined {
  if (!isPlainObject(errors)) return wordsOf(errors)
  const said = Object.entries(errors).flatMap(([field, found]) => {
    const words = wordsOf(found)
    if (words === undefined) return []
    return /^[a-z]/.test(words) || /^this /i.test(words) ? [`${field}: ${words}`] : [words]
  })
  return wordsOfList(said)
}

function textOf(text: string): string | undefined {
  const line = text.replace(/\s+/g, ' ').trim()
  return line === '' || line.length > LONGEST || /^[<{[]/.test(line) ? undefined : line
}
