/** Whether values are equal, for all who ask: sharing, patches, variables. */
import { isPlainObject } from './key'
import { isDate } from './kinds'

/** Levels that are compared, as many as TanStack's: what is deeper, or refers to itself, counts as new. */
const DEEPEST = 500

/** Levels below which circles are looked for: data has few, and looking costs. */
const SHALLOW = 4

/** Where a comparison stands: its level, and below the first ones what it has come through. */
export interface Way {
  readonly depth: number
  readonly value: unknown
  readonly up: Way | undefined
}

export const START: Way = { depth: 0, value: undefined, up: undefined }
const STEPS = Array.from(
  { length: SHALLOW },
  (_, depth): Way => ({ depth: depth + 1, value: undefined, up: undefined }),
)

/** One level further. */
export function into(value: unknown, way: Way): Way {
  return STEPS[way.depth] ?? { depth: way.depth + 1, value, up: way }
}

/** Whether the comparison is in a circle, or deeper than anything is compared. */
export function isEndless(value: unknown, { depth, up, value: last }: Way): boolean {
  if (depth <= SHALLOW) return false
  if (depth > DEEPEST || last === value) return true
  return up !== undefined && isEndless(value, up)
}

/** Numbers by value (RFC 6902 section 4.6), lists by order, objects by members, dates by time; `NaN` equals itself. */
export function isEqual(a: unknown, b: unknown, way: Way = START): boolean {
  if (a === b || Object.is(a, b)) return true
  if (isEndless(a, way)) return false
  const inner = into(a, way)
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((part, i) => isEqual(part, b[i], inner))
  if (isDate(a) && isDate(b)) return a.getTime() === b.getTime()
  if (!isPlainObject(a) || !isPlainObject(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isEqual(a[name], b[name], inner))
  )
}
