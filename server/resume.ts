/**
 * Where a stream goes on: in the ring, further back in the log itself, or anew. What it missed is given whole or not at all,
 * and not more than a stream may be given.
 */
import type { Cursor } from '../src/base/cursor'
import { epochOf } from '../src/base/cursor'
import type { HelloMessage } from '../src/base/messages'
import type { Frame } from './frames'
import { createFrame } from './frames'
import type { Principal } from './functions'
import type { LogReader } from './log-reader'
import type { Metrics } from './metrics'
import type { ResolvedOptions } from './options'
import type { Ring } from './ring'
import type { Position, StateStore } from './store'
import { comparePositions } from './store'

/** Entries of a page that one stream replays, and the characters that it is to have. */
const REPLAY_PAGE = { first: 4, most: 128, size: 65_536 }

/** What a stream missed and the ring has no more. */
export interface Replay {
  /** The next page; empty at the end, `undefined` if the log no longer has it. */
  read(): Promise<readonly Frame[] | undefined>
}

export interface Start {
  resume: HelloMessage['resume']
  /** Of the log that all of this is said of. */
  epoch: string
  /** Index in the ring from which this stream goes on. */
  next: number
  /** What the client is at before the first event. */
  cursor: Cursor
  /** What comes before `next` and is no longer in the ring. */
  replay: Replay | undefined
}

export interface ResumeDeps<P extends Principal> {
  options: ResolvedOptions<P>
  metrics: Metrics
  log: LogReader
  /** The log's: it has been looked at. */
  ring: Ring
}

/** `cursor`: where the client is; `undefined`: nowhere yet. */
export async function resume<P extends Principal>(deps: ResumeDeps<P>, cursor: Cursor | undefined): Promise<Start> {
  const { log, ring, metrics, options } = deps
  const { epoch } = log
  const here = startHere('fresh', deps)
  if (cursor === undefined) return here
  const position = cursor.slice(cursor.lastIndexOf(':') + 1)
  const isPast = epochOf(cursor) === epoch && comparePositions(position, ring.endPosition) <= 0
  if (!isPast) return { ...here, resume: 'reset' }
  const index = ring.indexAfter(position)
  if (index !== undefined) {
    if (ring.end - index > options.limits.replay) return { ...here, resume: 'reset' }
    metrics.count('replayed{ring}', ring.end - index)
    return { ...here, resume: 'continued', next: index, cursor }
  }
  const missed = { store: options.store, epoch, after: position, until: ring.endPosition }
  const isWhole = await mayReplay(deps, createReplay(missed))
  // Another log may have begun meanwhile: nothing of the old one leads there.
  if (!isWhole || log.epoch !== epoch) return startHere('reset', deps)
  return { ...here, resume: 'continued', cursor, replay: createReplay(missed) }
}

/** Registers at the tail and reads the head without a wait in between: nothing can come in twice or fall between. */
function startHere(
  resume: Start['resume'],
  { log: { epoch }, ring }: Pick<ResumeDeps<Principal>, 'log' | 'ring'>,
): Start {
  return { resume, epoch, next: ring.end, cursor: `${epoch}:${ring.endPosition}`, replay: undefined }
}

/** Whether what was missed is still in the log, and not more than a stream may be given. */
async function mayReplay<P extends Principal>({ options, metrics }: ResumeDeps<P>, replay: Replay): Promise<boolean> {
  const { limits } = options
  let [count, size] = [0, 0]
  for (;;) {
    const frames = await replay.read()
    if (frames === undefined) return false
    count += frames.length
    size += frames.reduce((sum, frame) => sum + frame.size, 0)
    if (count > limits.replay || size > limits.replaySize) return false
    if (frames.length > 0) continue
    metrics.count('replayed{log}', count)
    return true
  }
}

interface Missed {
  store: StateStore
  epoch: string
  after: Position
  until: Position
}

/** Reads the log for one stream, page by page, when its reader asks: nothing is kept for who does not read. */
function createReplay({ store, epoch, after, until }: Missed): Replay {
  let most = REPLAY_PAGE.first
  let at = after
  return {
    async read() {
      if (comparePositions(at, until) >= 0) return []
      const entries = await store.snapshot(async (view) => {
        const { floor, epoch: now } = await view.position()
        return now !== epoch || comparePositions(at, floor) < 0 ? undefined : view.readLog(at, most)
      })
      const frames = entries
        ?.filter((entry) => comparePositions(entry.position, until) <= 0)
        .map((entry) => createFrame(entry, epoch))
      at = frames?.at(-1)?.entry.position ?? until
      const size = frames?.reduce((sum, frame) => sum + frame.size, 0) ?? 0
      most = size < REPLAY_PAGE.size ? Math.min(most * 2, REPLAY_PAGE.most) : Math.max(1, most >> 1)
      return frames
    },
  }
}
