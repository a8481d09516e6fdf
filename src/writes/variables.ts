/** Variables are copied at the door: nothing the caller does later changes an entry, and what is kept can be kept. */
import { usageError } from '../base/errors'
import { canonical, isPlainObject } from '../base/key'
import type { Serializer } from '../platform/storage'
import { jsonSerializer } from '../platform/storage'

/** Levels of objects in objects that variables may have. What is deeper is most likely no data, and JSON would give up. */
const DEEPEST = 500

/** A plain copy. Throws a `usage` error that names the place which the serializer cannot take. */
export function copyVariables(value: unknown, serializer: Serializer, mutationKey: readonly unknown[]): unknown {
  if (serializer === jsonSerializer) return copyPlain(value, 'variables', mutationKey, new Set())
  try {
    return value === undefined ? undefined : serializer.deserialize(serializer.serialize(value))
  } catch (cause) {
    throw usageError(
      `The variables of mutation ${canonical(mutationKey)} cannot be stored: the serializer does not take them.`,
      { mutationKey, cause },
    )
  }
}

function copyPlain(value: unknown, path: string, mutationKey: readonly unknown[], above: Set<object>): unknown {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : refuse(`is ${value}`, path, mutationKey)
  if (typeof value !== 'object') return refuse(`is a ${typeof value}`, path, mutationKey)
  if (above.has(value)) return refuse('refers to itself', path, mutationKey)
  if (above.size === DEEPEST) return refuse(`is more than ${DEEPEST} levels deep`, shorten(path), mutationKey)
  above.add(value)
  const copy = Array.isArray(value)
    ? Array.from(value, (part, at) => copyPlain(part, `${path}[${at}]`, mutationKey, above))
    : isPlainObject(value)
      ? copyFields(value, path, mutationKey, above)
      : refuse(`is a ${value.constructor?.name ?? 'class instance'}`, path, mutationKey)
  above.delete(value)
  return copy
}

function copyFields(
  value: Record<string, unknown>,
  path: string,
  mutationKey: readonly unknown[],
  above: Set<object>,
): unknown {
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    const field = copyPlain(value[name], `${path}.${name}`, mutationKey, above)
    if (field !== undefined && name !== '__proto__') copy[name] = field
  }
  return copy
}

function refuse(what: string, path: string, mutationKey: readonly unknown[]): never {
  const hint =
    what === 'is a Date'
      ? ' Pass its toISOString(), or set a "serializer" that keeps dates.'
      : ' Pass plain data, or set a "serializer" that takes it.'
  throw usageError(
    `Mutation ${canonical(mutationKey)} cannot be stored: ${path} ${what}, which JSON does not keep.${hint}`,
    { mutationKey },
  )
}

function shorten(path: string): string {
  return path.length <= 60 ? path : `${path.slice(0, 60)}…`
}
