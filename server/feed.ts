/**
 * What one reader is to get, in this order: the greeting, what it missed, what is in the ring, and what is said beside the log.
 * It holds no queue but the page that is being sent.
 */
import type { Cursor } from '../src/base/cursor'
import type { ByeMessage, HelloMessage, ResyncMessage } from '../src/base/messages'
import type { ChunkCache } from './chunks'
import type { Frame } from './frames'
import { controlText } from './frames'
import type { Metrics } from './metrics'
import type { ResolvedOptions } from './options'
import type { Place } from './place'
import { bytesOf, CHUNK, createPlace, leap, takeControl, takeFrame, takeFrames, takeShared } from './place'
import type { Replay } from './resume'
import type { Ring } from './ring'

export interface Feed {
  readonly place: Place
  /** What is said first, until it is said. */
  opening: string | undefined
  /** What it missed and the ring has no more, until that is sent. */
  replay: Replay | undefined
  /** The page of it that is being sent, from its end. */
  page: Frame[]
  /** It is to read afresh. */
  resync: Omit<ResyncMessage, 'event'> | undefined
  isPingDue: boolean
  /** The last thing that is said. */
  bye: Omit<ByeMessage, 'event'> | undefined
}

/** Where it takes from. */
export interface FeedSource {
  ring: Ring
  chunks: ChunkCache
  metrics: Metrics
  options: Pick<ResolvedOptions, 'onError'>
  epoch: () => string
}

export interface FeedStart {
  principal: { id: string }
  topics: readonly string[]
  hello: Omit<HelloMessage, 'event'>
  epoch: string
  next: number
  cursor: Cursor
  replay: Replay | undefined
}

export function createFeed({ principal, topics, hello, ...start }: FeedStart): Feed {
  const { next, epoch, cursor, replay } = start
  return {
    place: createPlace({ principal: principal.id, topics: new Set(topics) }, { next, epoch, cursor }),
    opening: controlText('hello', hello),
    replay,
    page: [],
    resync: undefined,
    isPingDue: false,
    bye: undefined,
  }
}

/** Gets the next page of what was missed, if the one before has been sent. */
export async function refill(feed: Feed, source: FeedSource): Promise<void> {
  if (feed.replay === undefined || feed.page.length > 0 || feed.opening !== undefined) return
  try {
    const frames = await feed.replay.read()
    if (frames === undefined) return skip(feed, source)
    feed.page = [...frames].reverse()
    if (frames.length === 0) feed.replay = undefined
  } catch (error) {
    source.options.onError(error, 'what a stream missed could not be read; its reader begins afresh')
    skip(feed, source)
  }
}

/** What this reader gets now: whole messages, or nothing. */
export function take(feed: Feed, source: FeedSource): Uint8Array | undefined {
  const { place, bye } = feed
  const { ring, chunks, epoch } = source
  // Whose credentials have ended gets nothing more, not even what happened before.
  if (bye?.reason === 'auth-expired' || bye?.reason === 'auth-revoked') return bytesOf(controlText('bye', bye))
  if (place.next < ring.start || place.epoch !== epoch()) skip(feed, source)
  const hasMore = place.next < ring.end
  if (hasMore && isPlain(feed)) return takeShared(place, ring, chunks)
  return hasMore || !isPlain(feed) || feed.isPingDue ? bytesOf(takeText(feed, source)) : undefined
}

/** Whether it has nothing to say but what is in the ring. */
function isPlain({ opening, replay, resync, bye }: Feed): boolean {
  return opening === undefined && replay === undefined && resync === undefined && bye === undefined
}

function takeText(feed: Feed, { ring, metrics }: FeedSource): string {
  const { place, page } = feed
  let text = feed.opening ?? ''
  feed.opening = undefined
  for (let frame = page.pop(); frame !== undefined; frame = page.pop()) {
    text += takeFrame(place, frame)
    if (text.length > CHUNK) return text
  }
  if (feed.replay !== undefined && feed.bye === undefined) return text
  text = takeFrames(place, ring, text).text
  if (feed.resync !== undefined) text += takeControl(place, 'resync', { prev: place.sent, ...feed.resync })
  feed.resync = undefined
  if (feed.isPingDue && text === '') {
    text = takeControl(place, 'ping', { prev: place.sent, cursor: place.seen })
    metrics.count('pings')
  }
  feed.isPingDue = false
  if (feed.bye !== undefined) text += controlText('bye', feed.bye)
  return text
}

/** The ring went on without this reader: it reads afresh, and goes on from here. What it missed before is of no use then. */
function skip(feed: Feed, { ring, metrics, epoch }: FeedSource): void {
  const isNewLog = feed.place.epoch !== epoch()
  leap(feed.place, ring, epoch())
  feed.replay = undefined
  feed.page = []
  feed.resync = { reason: isNewLog ? 'stream-changed' : 'overflow' }
  metrics.count(`resyncs{${feed.resync.reason}}`)
}
