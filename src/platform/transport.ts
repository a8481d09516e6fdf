/** The network. One function with `fetch`'s signature, so that a server in the same process can stand behind it. */

export type FetchLike = (input: string, init?: RequestInit) => Promise<Response>

/** What headers may be given as: a record or a function that makes one, at once or later. */
export type HeadersSource = HeaderFields | (() => HeaderFields | Promise<HeaderFields>)
export type HeaderFields = Record<string, string | undefined>

/** The platform's own `fetch`, looked up at each call so that a mock installed later is seen. */
export function systemFetch(): FetchLike {
  return (input, init) => fetch(input, init)
}

/** Resolves a headers source; fields that are `undefined` are left out. */
export async function resolveHeaders(source: HeadersSource | undefined): Promise<Record<string, string>> {
  const fields = typeof source === 'function' ? await source() : source
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(fields ?? {})) if (value !== undefined) result[name] = value
  return result
}

/** Header fields in one, the later win. A plain record where the platform has no `Headers`. */
export function mergeHeaders(...sources: readonly (HeadersInit | undefined)[]): HeadersInit {
  const merged: Record<string, string> = {}
  for (const source of sources) for (const [name, value] of fieldsOf(source)) merged[name.toLowerCase()] = value
  return typeof Headers === 'undefined' ? merged : new Headers(merged)
}

function fieldsOf(source: HeadersInit | undefined): Iterable<readonly [string, string]> {
  if (source === undefined) return []
  if (typeof Headers !== 'undefined') return new Headers(source)
  return Symbol.iterator in source ? (source as Iterable<[string, string]>) : Object.entries(source)
}
