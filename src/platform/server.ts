/**
 * A client that renders on a server belongs to one request. In development it says so, once, when it is shared.
 *
 * What can be known: a framework's adapter tells of each time that a server render begins to show the client. Renders in
 * one turn of the event loop are of one request (two providers of a page, two passes in a row). A second turn is taken for
 * a second request. A request that renders the same client again after an await looks the same from here: that is rare,
 * and costs one sentence in development. The other way round, a shared client that says nothing, shows one user's data
 * to another. A client that renders nothing on this server (a script, a test, a worker) is never spoken of.
 */

/** What a client does that belongs in the browser. */
export type ServerUse = 'start' | 'mutate'

export interface ServerWatch {
  /** A server render shows the client. `false`, and nothing is done, in a browser. */
  rendered(): boolean
  /** The client was told to do something. */
  used(how: ServerUse): void
}

const SHARED =
  "This sync client has rendered on the server before: requests that share it show the data of one user to another; make a client per request, in useState, in the request's handler or in the plugin that runs for it."

const USED: Record<ServerUse, string> = {
  start:
    'This sync client renders on the server and was started there, where nobody stops it; start it in the browser only, as the providers do.',
  mutate:
    'mutate() was called on a sync client that renders on the server, where nothing sends the change; call it in the browser, or ask your server directly.',
}

/** `tell` hears each sentence once. Made in development only. */
export function createServerWatch(tell: (message: string) => void): ServerWatch {
  const told = new Set<string>()
  const used = new Set<ServerUse>()
  let hasRendered = false
  let isSameTurn = false
  const say = (message: string): void => {
    if (told.has(message)) return
    told.add(message)
    tell(message)
  }
  return {
    rendered() {
      if (typeof window !== 'undefined') return false
      if (hasRendered && !isSameTurn) say(SHARED)
      hasRendered = true
      for (const how of used) say(USED[how])
      if (!isSameTurn) {
        isSameTurn = true
        void Promise.resolve().then(() => {
          isSameTurn = false
        })
      }
      return true
    },
    used(how) {
      used.add(how)
      if (hasRendered) say(USED[how])
    },
  }
}
