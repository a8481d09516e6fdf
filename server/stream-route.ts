/** GET `<base>/stream?topics=a,b`: Server-Sent Events from where the client was. */
import { readCursor } from './body'
import { EVERY_TOPIC } from './frames'
import type { Principal } from './functions'
import type { Hub } from './hub'
import type { OpenStream } from './open-stream'
import type { ResolvedOptions } from './options'
import { refuse } from './problem'

export interface StreamRouteDeps<P extends Principal> {
  options: ResolvedOptions<P>
  hub: Hub<P>
}

/** Opens one stream. */
export type StreamRoute<P extends Principal> = (request: Request, principal: P) => Promise<Response>

export function createStreamRoute<P extends Principal>({ options, hub }: StreamRouteDeps<P>): StreamRoute<P> {
  const { limits } = options
  // Opening takes a while, and those who are at it need room too.
  const opening = new Set<{ principal: P }>()

  function assertRoom({ id, session }: P): void {
    const count = (matches: (principal: P) => boolean) =>
      hub.count(matches) + [...opening].filter(({ principal }) => matches(principal)).length
    if (count(() => true) >= limits.streams) {
      throw refuse('overload', 'this server has no room for another stream', {}, 5_000)
    }
    if (options.authenticate === undefined) return
    const ofPrincipal = count((other) => other.id === id)
    const ofSession = session === undefined ? 0 : count((other) => other.id === id && other.session === session)
    if (ofPrincipal < limits.principalStreams && ofSession < limits.sessionStreams) return
    throw refuse('too-many-streams', 'close another stream first', {}, 5_000)
  }

  async function open(request: Request, start: Omit<OpenStream<P>, 'signal'>): Promise<ReadableStream<Uint8Array>> {
    assertRoom(start.principal)
    const place = { principal: start.principal }
    opening.add(place)
    try {
      return await hub.open({ ...start, signal: request.signal })
    } finally {
      opening.delete(place)
    }
  }

  return async (request, principal) => {
    const search = new URL(request.url).searchParams
    const named = readTopics(search, limits.topics)
    const asked = named.length === 0 ? [EVERY_TOPIC] : named
    const given = request.headers.get('Last-Event-ID') ?? search.get('last_event_id')
    const cursor = readCursor(given, 'Last-Event-ID')
    const allowed = new Set(await options.authorize(principal, [...asked]))
    const topics = asked.filter((topic) => allowed.has(topic))
    if (topics.length === 0) {
      const why = named.length > 0 ? 'you may read none of these topics' : 'name topics: you may not read all ("*")'
      throw refuse('forbidden', why)
    }
    return new Response(await open(request, { principal, asked, topics, cursor }), {
      headers: {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store, no-transform',
        'X-Accel-Buffering': 'no',
      },
    })
  }
}

/** `topics` may be repeated, and each may be a list with commas. */
function readTopics(search: URLSearchParams, limit: number): string[] {
  const named = search.getAll('topics').flatMap((list) => list.split(','))
  const topics = [...new Set(named.map((topic) => topic.trim()).filter((topic) => topic !== ''))]
  if (topics.length > limit) throw refuse('too-large', `a stream has at most ${limit} topics`)
  if (topics.some((topic) => topic.length > 256)) throw refuse('malformed', 'a topic has at most 256 characters')
  return topics
}
