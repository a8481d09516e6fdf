/** Makes what the parts of this room share. */
import type { Cursor } from '../base/cursor'
import { laterCursor } from '../base/cursor'
import { rowName } from '../base/rows'
import { createDrafts } from '../data/drafts'
import { isAtLeast } from '../data/versions'
import type { Core, CoreDeps, CoreParts, Layers, Tombstone } from './core'
import { createLayers } from './layers'
import type { Transitions } from './transition'
import { createTransitions } from './transition'

/** A minute in which reads from before a deletion do not bring the row back. */
const TOMBSTONE = 60_000

export function createCore(deps: CoreDeps, { evict, ...parts }: CoreParts): Core {
  const tombstones = new Map<string, Tombstone>()
  let ownAt: Cursor | undefined
  let streamAt: Cursor | undefined
  let tickNow = 0
  const core: Omit<Core, keyof Layers | keyof Transitions> = {
    ...deps,
    ...parts,
    drafts: createDrafts(deps.aids?.impure),
    cells: new Map(),
    versions: new WeakMap(),
    holders: parts.lookup.forRow,
    moved: parts.lookup.moved,
    tombstones,
    bury(change, cursor) {
      const name = rowName(change.type, change.id)
      const grave = tombstones.get(name)
      if (grave !== undefined && change.op !== 'del' && !isAtLeast(grave.version, change.version)) {
        grave.cancel()
        tombstones.delete(name)
      }
      if (change.op !== 'del') return
      grave?.cancel()
      const cancel = deps.clock.after(TOMBSTONE, () => tombstones.delete(name))
      const { type, id, version } = change
      tombstones.set(name, { type, id, version, at: cursor, tick: tickNow, cancel })
    },
    listener: undefined,
    get ownAt() {
      return ownAt
    },
    sawOwn(cursor) {
      ownAt = laterCursor(ownAt, cursor)
    },
    get streamAt() {
      return streamAt
    },
    sawStream(cursor) {
      streamAt = cursor
    },
    told: () => {},
    get tickNow() {
      return tickNow
    },
    tick: () => ++tickNow,
    stop() {
      for (const { cancel } of tombstones.values()) cancel()
      tombstones.clear()
    },
  }
  // Each asks for the others when something happens, and not before.
  const layers = createLayers(core as Core, evict)
  const transitions = createTransitions({
    report: deps.report,
    fold: layers.settle,
    viewOf: layers.viewOf,
    folded: layers.checkLayers,
  })
  return Object.assign(core, layers, transitions)
}
