/**
 * A circuit breaker per origin: after some transient failures in a row nobody asks it; then one probe goes out, and only
 * its success lets the rest through. Source: M. Nygard, "Release It!", 2007.
 */
import type { Backoff } from '../base/backoff'
import { createBackoff } from '../base/backoff'
import type { Clock } from './clock'
import type { Random } from './ids'

export interface Breaker {
  /** Whether a request may leave now. In the half-open state the first to ask is the probe, the rest wait. */
  enter(origin: string): boolean
  /** Whether requests to the origin are held back at the moment. */
  isOpen(origin: string): boolean
  succeeded(origin: string): void
  /** A transient failure: no answer, or an answer that speaks for nobody. */
  failed(origin: string): void
  /** The request ended without saying anything of the origin (it was aborted): a probe gives its place back. */
  left(origin: string): void
  /** The network may be back: origins that are left alone may be asked by a probe now. */
  wake(): void
  /** Calls `listener` when an origin may be asked again. */
  subscribe(listener: () => void): () => void
  stop(): void
}

interface Circuit {
  failures: number
  state: 'closed' | 'open' | 'half-open' | 'probing'
  backoff: Backoff
  cancel: (() => void) | undefined
}

export interface BreakerOptions {
  /** Transient failures in a row that open the circuit. */
  threshold: number
  /** First wait in milliseconds; grows with jitter. */
  base: number
  /** Longest wait in milliseconds. */
  cap: number
}

export function createBreaker(deps: { clock: Clock; random: Random }, options: BreakerOptions): Breaker {
  const circuits = new Map<string, Circuit>()
  const listeners = new Set<() => void>()
  const notify = () => {
    for (const listener of [...listeners]) listener()
  }
  const circuitOf = (origin: string): Circuit => {
    let circuit = circuits.get(origin)
    if (circuit === undefined) {
      circuit = { failures: 0, state: 'closed', backoff: createBackoff(options, deps.random.next), cancel: undefined }
      circuits.set(origin, circuit)
    }
    return circuit
  }
  const open = (circuit: Circuit) => {
    circuit.state = 'open'
    circuit.cancel?.()
    circuit.cancel = deps.clock.after(circuit.backoff.next(), () => {
      circuit.cancel = undefined
      circuit.state = 'half-open'
      notify()
    })
  }
  return {
    enter(origin) {
      const circuit = circuitOf(origin)
      if (circuit.state === 'half-open') circuit.state = 'probing'
      else if (circuit.state !== 'closed') return false
      return true
    },
    isOpen(origin) {
      const state = circuits.get(origin)?.state
      return state === 'open' || state === 'probing'
    },
    succeeded(origin) {
      const circuit = circuitOf(origin)
      circuit.failures = 0
      circuit.backoff.reset()
      if (circuit.state === 'closed') return
      circuit.state = 'closed'
      circuit.cancel?.()
      circuit.cancel = undefined
      notify()
    },
    failed(origin) {
      const circuit = circuitOf(origin)
      circuit.failures++
      if (circuit.state === 'probing' || (circuit.state === 'closed' && circuit.failures >= options.threshold))
        open(circuit)
    },
    left(origin) {
      const circuit = circuitOf(origin)
      if (circuit.state !== 'probing') return
      circuit.state = 'half-open'
      notify()
    },
    wake() {
      const waiting = [...circuits.values()].filter(({ state }) => state === 'open')
      for (const circuit of waiting) {
        circuit.cancel?.()
        circuit.cancel = undefined
        circuit.state = 'half-open'
      }
      if (waiting.length > 0) notify()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    stop() {
      for (const circuit of circuits.values()) circuit.cancel?.()
      circuits.clear()
    },
  }
}
