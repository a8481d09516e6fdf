/**
 * The port between nodes: a doorbell ('the log has grown') and control messages. It carries no data, so a lost message
 * costs time and never an event; the truth stays in the store's log.
 */

/** What a node tells the others, and itself. */
export type BusMessage =
  | { kind: 'log' }
  | {
      kind: 'control'
      /** `reauthorize`: ask for topics again. `logout`: end these streams. */
      action: 'reauthorize' | 'logout'
      /** Whose streams; everybody's if absent. */
      principal?: string | undefined
      session?: string | undefined
    }

/**
 * How the nodes of one server tell each other that something has happened. What is lost on it costs time, never
 * events: each node reads the log.
 */
export interface SyncBus {
  /** Tells every listener, those of this node included. */
  publish(message: BusMessage): void
  /** Returns a function that ends the subscription. */
  subscribe(listener: (message: BusMessage) => void): () => void
  close?(): Promise<void>
}

/** A bus for one process. */
export function processBus(): SyncBus {
  const listeners = new Set<(message: BusMessage) => void>()
  return {
    publish(message) {
      for (const listener of [...listeners]) listener(message)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
