/**
 * Reads the log once for everybody on this node, into a ring. What is in the ring is what was in the log, in its order, with
 * nothing left out between.
 */
import { createFrame } from './frames'
import type { Principal } from './functions'
import type { Metrics } from './metrics'
import type { Limits, ResolvedOptions } from './options'
import type { Ring } from './ring'
import { createRing } from './ring'
import type { LogEntry, LogState, StoreSnapshot } from './store'
import { comparePositions } from './store'

/** Entries that are read from the log at a time: as many as make some 4 million characters, within bounds. */
const PAGE = { least: 8, first: 64, most: 500, size: 4_194_304 }

export interface LogReader {
  /** `undefined` before the first look; then always the same. */
  readonly ring: Ring | undefined
  /** Of the log that the ring is a part of. */
  readonly epoch: string
  /** The log has grown: look. Resolves when everything that was in it is in the ring. */
  look(): Promise<void>
}

export interface LogReaderDeps<P extends Principal> {
  options: ResolvedOptions<P>
  metrics: Metrics
  /** Whether anybody is there whom each entry is for. */
  hasReaders: () => boolean
  /** The ring is not what it was. */
  changed: () => void
}

interface Tail {
  entries: LogEntry[]
  /** They are all there are. */
  isWhole: boolean
}

export function createLogReader<P extends Principal>(deps: LogReaderDeps<P>): LogReader {
  const { limits, store } = deps.options
  const { metrics } = deps
  let ring: Ring | undefined
  let epoch = ''

  /** Reads what is new into the ring; `true` if there may be more. */
  async function readPage(): Promise<boolean> {
    const most = pageSize(ring)
    const page = await store.snapshot(async (view) => {
      const state = await view.position()
      const goesOn = ring !== undefined && state.epoch === epoch && comparePositions(state.floor, ring.endPosition) <= 0
      const entries = goesOn && ring ? await view.readLog(ring.endPosition, most) : undefined
      // Far behind with nobody there: begin at the end instead of reading all that was missed.
      if (entries !== undefined && (entries.length < most || deps.hasReaders())) return { state, entries }
      return { state, tail: await readTail(view, limits) }
    })
    if (page.entries !== undefined) for (const entry of page.entries) ring?.push(createFrame(entry, epoch))
    else restart(page.state, page.tail)
    if (ring) metrics.gauge('ring_events', ring.end - ring.start)
    if (ring) metrics.gauge('ring_size', ring.size)
    if (page.entries?.length !== 0) deps.changed()
    return page.entries?.length === most
  }

  /**
   * Begins with the newest part of the log: at the first look (after a restart everybody resumes at once, and that must
   * not be one reading of the log each), in a new epoch, or when the log was trimmed past us.
   */
  function restart(state: LogState, { entries: tail, isWhole }: Tail): void {
    const start = isWhole ? state.floor : (tail[0]?.position ?? state.head)
    epoch = state.epoch
    if (ring === undefined) ring = createRing(limits, start)
    else ring.reset(start)
    for (const entry of isWhole ? tail : tail.slice(1)) ring.push(createFrame(entry, epoch))
    // What is in it is history: for streams that are open it begins behind them.
    metrics.count('ring_restarts')
  }

  return {
    get ring() {
      return ring
    },
    get epoch() {
      return epoch
    },
    look: oneAtATime(async () => {
      while (await readPage()) metrics.count('log_pages')
    }),
  }
}

/** However often it is asked for: one run at a time, and one more if it was asked for meanwhile. */
function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let isDue = false
  const runWhileDue = async (): Promise<void> => {
    try {
      while (isDue) {
        isDue = false
        await run()
      }
    } finally {
      running = undefined
    }
  }
  return () => {
    isDue = true
    running ??= runWhileDue()
    return running
  }
}

function pageSize(ring: Ring | undefined): number {
  const held = ring === undefined ? 0 : ring.end - ring.start
  if (ring === undefined || held === 0) return PAGE.first
  return Math.min(PAGE.most, Math.max(PAGE.least, Math.floor((PAGE.size * held) / Math.max(1, ring.size))))
}

/** The newest entries: as many as a stream may replay, or as fit into a quarter of the ring. */
async function readTail(view: StoreSnapshot, limits: Limits): Promise<Tail> {
  for (let count = 32; ; count *= 4) {
    const most = Math.min(count, limits.replay + 1)
    const entries = await view.tailLog(most)
    const size = entries.reduce((sum, entry) => sum + sizeOf(entry), 0)
    if (entries.length < most) return { entries, isWhole: true }
    if (most > limits.replay || size * 4 > limits.ringSize) return { entries, isWhole: false }
  }
}

function sizeOf(entry: LogEntry): number {
  return JSON.stringify(entry).length
}
