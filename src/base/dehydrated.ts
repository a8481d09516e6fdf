/** State that another page or a server wrote down: what is malformed in it is left out, never thrown. */
import { isPlainObject } from './key'

/** The well-formed part of a dehydrated state. */
export interface SoundState {
  queries: Array<{ queryHash: string; queryKey: readonly unknown[]; state: Record<string, unknown> }>
  mutations: Array<{ state: Record<string, unknown> }>
}

/** Leaves out what is malformed, and tells of each kind once. `undefined` and `null` are an empty state. */
export function soundState(state: unknown, tell: (message: string) => void): SoundState {
  if (state === undefined || state === null) return { queries: [], mutations: [] }
  const { queries = [], mutations = [] } = isPlainObject(state) ? state : { queries: null }
  return {
    queries: soundList(queries, isQuery, 'queries', tell),
    mutations: soundList(mutations, isMutation, 'mutations', tell),
  }
}

function soundList<T>(
  list: unknown,
  isSound: (member: unknown) => member is T,
  name: string,
  tell: (message: string) => void,
): T[] {
  const sound = Array.isArray(list) ? list.filter(isSound) : []
  const lost = Array.isArray(list) ? list.length - sound.length : 1
  if (lost > 0) {
    tell(
      `The state to hydrate is malformed (${name}: ${lost}); that part is left out. Pass on what dehydrate() returned, as it was.`,
    )
  }
  return sound
}

function isQuery(query: unknown): query is SoundState['queries'][number] {
  return (
    isMutation(query) &&
    typeof (query as Record<string, unknown>)['queryHash'] === 'string' &&
    Array.isArray((query as Record<string, unknown>)['queryKey'])
  )
}

function isMutation(mutation: unknown): mutation is SoundState['mutations'][number] {
  return isPlainObject(mutation) && isPlainObject(mutation['state'])
}
