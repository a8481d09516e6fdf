/** The network. One function with `fetch`'s signature, so that a server in the same process can stand behind it. */
import { usageError } from '../base/errors'

/**
 * A function with the signature of `fetch`. It rejects where no answer came, and resolves with every answer,
 * whatever its status.
 */
export type FetchLike = (input: string, init?: RequestInit) => Promise<Response>

/** What headers may be given as: fields or a function that makes them, at once or later. */
export type HeadersSource = HeaderFields | (() => HeaderFields | Promise<HeaderFields>)
/** A record, a `Headers` object, or pairs of a name and a value. Fields that are `undefined` are left out. */
export type HeaderFields = Record<string, string | undefined> | Headers | ReadonlyArray<readonly [string, string]>

/** The platform's own `fetch`, looked up at each call so that a mock installed later is seen. */
export function systemFetch(): FetchLike {
  return (input, init) => fetch(input, init)
}

/** Resolves a headers source; fields that are `undefined` are left out. */
export async function resolveHeaders(source: HeadersSource | undefined): Promise<Record<string, string>> {
  const fields = typeof source === 'function' ? await source() : source
  const result: Record<string, string> = {}
  for (const [name, value] of fieldsOf(fields)) if (value !== undefined) result[name] = value
  return result
}

/** Header fields in one, the later win. A plain record where the platform has no `Headers`. */
export function mergeHeaders(...sources: readonly (HeadersInit | undefined)[]): HeadersInit {
  const merged: Record<string, string> = {}
  for (const source of sources)
    for (const [name, value] of fieldsOf(source as HeaderFields | undefined))
      if (value !== undefined) merged[name.toLowerCase()] = value
  return typeof Headers === 'undefined' ? merged : new Headers(merged)
}

/** The value of one field; its name in lower case. */
export function fieldOf(source: HeadersInit | undefined, name: string): string | undefined {
  for (const [field, value] of fieldsOf(source as HeaderFields | undefined))
    if (field.toLowerCase() === name) return value
  return undefined
}

/** By its shape: a `Headers` may come from another realm, or from a library of its own. */
function fieldsOf(source: HeaderFields | undefined): Iterable<readonly [string, string | undefined]> {
  if (source === undefined || source === null) return []
  if (typeof source !== 'object')
    throw usageError('"headers" must be a record, a Headers object or pairs of a name and a value.')
  return Symbol.iterator in source ? source : Object.entries(source)
}
