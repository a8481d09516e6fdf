/** Whether the device believes it is online and the page visible. A hint: it wakes waits early, it never decides an outcome. */

/**
 * What the device believes of its network, for whoever drives it. It wakes waits early, and never decides an
 * outcome.
 */
export interface Network {
  /** `false`: certainly no network. `true` may be a lie. */
  isOnline(): boolean
  isVisible(): boolean
  /** Calls `listener` when either changes. Returns a function that stops. */
  subscribe(listener: (event: NetworkEvent) => void): () => void
  /**
   * Asks the user before the page is left while `isNeeded()`. Returns a function that stops.
   * @defaultValue the browser's own question, so that who replaces the rest cannot forget it
   */
  guardUnload?(isNeeded: () => boolean): () => void
}

/** `wake`: the page came back from the back/forward cache or was thawed. */
export type NetworkEvent = 'online' | 'offline' | 'visible' | 'hidden' | 'wake'

/** The browser's own events; outside a browser always online and visible. */
export function browserNetwork(): Network {
  return {
    isOnline: () => typeof navigator === 'undefined' || navigator.onLine !== false,
    isVisible: () => pageHere()?.visibilityState !== 'hidden',
    subscribe(listener) {
      const page = pageHere()
      const frame = frameHere()
      const online = () => listener('online')
      const offline = () => listener('offline')
      const visibility = () => listener(page?.visibilityState === 'hidden' ? 'hidden' : 'visible')
      const show = (event: Event) => {
        if ((event as PageTransitionEvent).persisted) listener('wake')
      }
      const resume = () => listener('wake')
      frame?.addEventListener('online', online)
      frame?.addEventListener('offline', offline)
      frame?.addEventListener('pageshow', show)
      page?.addEventListener('visibilitychange', visibility)
      page?.addEventListener('resume', resume)
      return () => {
        frame?.removeEventListener('online', online)
        frame?.removeEventListener('offline', offline)
        frame?.removeEventListener('pageshow', show)
        page?.removeEventListener('visibilitychange', visibility)
        page?.removeEventListener('resume', resume)
      }
    },
  }
}

/** Asks before the page is left while `isNeeded()`: as this network does, or else as browsers do. Returns a function that stops. */
export function guardUnload(network: Network, isNeeded: () => boolean): () => void {
  if (network.guardUnload !== undefined) return network.guardUnload(isNeeded)
  const frame = frameHere()
  const ask = (event: Event) => {
    if (isNeeded()) event.preventDefault()
  }
  frame?.addEventListener('beforeunload', ask)
  return () => frame?.removeEventListener('beforeunload', ask)
}

// Looked up when they are used: making a client asks for nothing.
function pageHere(): Document | undefined {
  return typeof document === 'undefined' ? undefined : document
}

function frameHere(): Window | undefined {
  return typeof window === 'undefined' || typeof window.addEventListener !== 'function' ? undefined : window
}
