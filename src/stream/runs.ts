/**
 * Runs of invalidations that name no writes. Those that wait one behind the other are handed on together, and a long run is folded, so that
 * ten thousand events a second cost one look per key and turn, not ten thousand.
 */
import type { Cursor } from '../base/cursor'
import { canonical } from '../base/key'
import type { EntityRef, InvalidateMessage } from '../base/messages'

export interface Run {
  add(message: InvalidateMessage, cursor: Cursor | undefined): void
  /** Whether it should be handed on before more is added. */
  isFull(): boolean
  /** What was added, and the position of its last; `undefined` when nothing was. */
  take(): { messages: InvalidateMessage[]; cursor: Cursor | undefined } | undefined
}

/** So many stay as they came; the others of a run are folded. */
const PLAIN = 64
/** Limits of one folded message, those of the wire. */
const MAX_NAMES = 1_000

interface Fold {
  keys: Map<string, unknown[]>
  topics: Set<string>
  entities: Map<string, EntityRef>
  spread: number
}

export function createRun(): Run {
  let plain: InvalidateMessage[] = []
  let folds = new Map<boolean, Fold>()
  let cursor: Cursor | undefined
  let isFull = false
  return {
    add(message, at) {
      cursor = at ?? cursor
      if (plain.length < PLAIN) {
        plain.push(message)
        return
      }
      const isExact = message.exact === true
      const fold = folds.get(isExact) ?? createFold()
      folds.set(isExact, fold)
      isFull = foldIn(fold, message) || isFull
    },
    isFull: () => isFull,
    take() {
      if (plain.length === 0) return undefined
      const messages = [...plain, ...[...folds].map(([isExact, fold]) => unfold(isExact, fold))]
      const taken = { messages, cursor }
      plain = []
      folds = new Map()
      cursor = undefined
      isFull = false
      return taken
    },
  }
}

function createFold(): Fold {
  return { keys: new Map(), topics: new Set(), entities: new Map(), spread: 0 }
}

/** Adds a message; `true`: it is large enough. */
function foldIn(fold: Fold, message: InvalidateMessage): boolean {
  for (const key of message.keys ?? []) fold.keys.set(canonical(key), key)
  for (const topic of message.topics ?? []) fold.topics.add(topic)
  for (const entity of message.entities ?? []) {
    const name = canonical([entity.type, entity.id])
    fold.entities.set(name, newer(fold.entities.get(name), entity))
  }
  fold.spread = Math.max(fold.spread, message.spread ?? 0)
  return Math.max(fold.keys.size, fold.topics.size, fold.entities.size) >= MAX_NAMES
}

function unfold(isExact: boolean, fold: Fold): InvalidateMessage {
  return {
    event: 'invalidate',
    ...(fold.keys.size > 0 ? { keys: [...fold.keys.values()] } : undefined),
    ...(fold.topics.size > 0 ? { topics: [...fold.topics] } : undefined),
    ...(fold.entities.size > 0 ? { entities: [...fold.entities.values()] } : undefined),
    ...(isExact ? { exact: true } : undefined),
    ...(fold.spread > 0 ? { spread: fold.spread } : undefined),
  }
}

/** Of two references to one entity the one that asks for more: no version asks for whatever is newest. */
function newer(a: EntityRef | undefined, b: EntityRef): EntityRef {
  if (a === undefined) return b
  if (a.version === undefined || b.version === undefined) return a.version === undefined ? a : b
  return typeof a.version === 'number' && typeof b.version === 'number' && a.version > b.version ? a : b
}
