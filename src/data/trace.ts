/** Where in some data the lists are that a function finds: it is run on a proxy that records the way. */
import { kindOf } from '../base/kinds'

export type Path = readonly (string | number)[]

/** A list of rows is at this path, or, without rows, one row. */
export type Found = (path: Path, rows: readonly unknown[] | undefined) => void

// `locate` is run on a recording proxy, so that the path to each list is known and a list can be replaced without
// drafting the whole of the data. It stands over an empty shadow and not over the data, which may be frozen: a proxy must
// hand out a frozen object's own values. What `locate` writes goes into the shadow, too.
/** Calls `found` for what `find` finds in the data. */
export function collect(found: Found, find: (data: never) => unknown, data: unknown, prefix: Path): void {
  if (!isTraceable(data)) return
  const traces = new WeakMap<object, { path: Path; value: object }>()
  const trace = (value: object, path: Path): object => {
    const part = (target: object, name: string | symbol): unknown => {
      const child: unknown = Reflect.get(Object.hasOwn(target, name) && name !== 'length' ? target : value, name)
      if (!isTraceable(child) || typeof name === 'symbol' || traces.has(child)) return child
      return trace(child, [...path, Array.isArray(value) ? Number(name) : name])
    }
    const proxy = new Proxy<object>(Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value)), {
      get: part,
      has: (target, name) => name in target || name in value,
      ownKeys: (target) => [...new Set([...Reflect.ownKeys(value), ...Reflect.ownKeys(target)])],
      getOwnPropertyDescriptor(target, name) {
        const own = Reflect.getOwnPropertyDescriptor(target, name)
        const field = own ?? Reflect.getOwnPropertyDescriptor(value, name)
        if (own !== undefined || field === undefined) return field
        return { value: part(target, name), enumerable: field.enumerable === true, writable: true, configurable: true }
      },
    })
    traces.set(proxy, { path, value })
    return proxy
  }
  const add = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const traced = traces.get(value)
    if (traced !== undefined) addTraced(found, traced.path, traced.value)
    else if (Array.isArray(value)) value.forEach(add)
  }
  try {
    add(find(trace(data, prefix) as never))
  } catch {
    // Data of another form than it was written for has no such rows; in development that is said.
  }
}

/** Lists and objects with fields; what has its own way inside (a Map, a date) is handed out as it is. */
function isTraceable(value: unknown): value is object {
  if (Array.isArray(value)) return true
  return typeof value === 'object' && value !== null && kindOf(value) === 'Object'
}

function addTraced(found: Found, path: Path, value: object): void {
  if (!Array.isArray(value)) found(path, undefined)
  else if (value.length > 0 && value.every(Array.isArray))
    for (const [at, rows] of value.entries()) found([...path, at], rows)
  else found(path, value)
}
