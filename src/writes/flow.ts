/**
 * Whether anything is sent now: started, the log read, not paused, not without credentials, not closed, and not offline as
 * far as the device can be believed.
 */
import type { Clock } from '../platform/clock'
import type { Network } from '../platform/network'

export interface FlowState {
  isStarted: boolean
  /** The log of an earlier page is read: it is known which places are taken. */
  isLoaded: boolean
  /** Takes nothing in any more. */
  isClosing: boolean
  isClosed: boolean
  /** By `pause()`. */
  isPaused: boolean
  /** A 401 without new credentials: nothing is sent until `resume()`. */
  needsAuth: boolean
  /** How often the circuit breaker has said that an origin may be asked again. */
  breakerTurns: number
}

export interface Flow {
  readonly state: Readonly<FlowState>
  /** Whether anything is sent at the moment. */
  isFlowing(): boolean
  /** Whether nothing is sent now, whatever waits, started or not: offline, `pause()`, or a 401 without new credentials. */
  isHeldBack(): boolean
  /** Turns some of it on or off. */
  set(change: Partial<FlowState>): void
  /** Something speaks against the device's word that it is offline; `false`: a request got no answer. */
  doubtOffline(isDoubtful: boolean): void
  /** Something waits and the device says that it is offline: after half a minute that is not believed any more. */
  doubtLater(): void
  /** Resolves when a request got no answer while the device says that it is offline. */
  hopeless(): Promise<void>
}

export interface FlowDeps {
  clock: Clock
  network: Network
  /** What people see has changed. */
  changed: () => void
  /** More may be sent now. */
  pump: () => void
}

/** How long the device's word that it is offline is taken, while something waits to be sent. */
const OFFLINE_BELIEVED = 30_000

export function createFlow({ clock, network, changed, pump }: FlowDeps): Flow {
  const state: FlowState = {
    isStarted: false,
    isLoaded: false,
    isClosing: false,
    isClosed: false,
    isPaused: false,
    needsAuth: false,
    breakerTurns: 0,
  }
  let isDoubtful = false
  let cancelDoubt: (() => void) | undefined
  const waiting: Array<() => void> = []
  const mayFlow = (): boolean => {
    const { isStarted, isLoaded, isClosed, isPaused, needsAuth } = state
    return isStarted && isLoaded && !isClosed && !isPaused && !needsAuth
  }
  const isReachable = (): boolean => isDoubtful || network.isOnline()

  function doubtOffline(doubtful: boolean): void {
    if (isDoubtful === doubtful) return
    isDoubtful = doubtful
    changed()
    if (doubtful) pump()
    else for (const resolve of waiting.splice(0)) resolve()
  }

  return {
    state,
    isFlowing: () => mayFlow() && isReachable(),
    isHeldBack: () => state.isPaused || state.needsAuth || !isReachable(),
    set(change) {
      Object.assign(state, change)
      if (change.isStarted !== false) return
      cancelDoubt?.()
      cancelDoubt = undefined
    },
    doubtOffline,
    // A device may be wrong about its network, and then says nothing when it is there: it is tried from time to time.
    doubtLater() {
      if (!mayFlow() || cancelDoubt !== undefined) return
      cancelDoubt = clock.after(OFFLINE_BELIEVED, () => {
        cancelDoubt = undefined
        if (!network.isOnline()) doubtOffline(true)
      })
    },
    hopeless: () => new Promise((resolve) => waiting.push(resolve)),
  }
}
