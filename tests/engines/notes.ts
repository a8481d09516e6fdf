// What page and server of the scenarios share: one kind of row, one query, one mutation.

export interface Note {
  id: string
  text: string
  /** How often the server has applied its write: once, if all is well. */
  times: number
}

/** How a page makes its client. */
export interface Plan {
  /** `context`: the `fetch` that the mutation is handed. `own`: the browser's, with nothing of ours around it. */
  transport: 'context' | 'own'
  /** How many times faster its clock runs, so that nobody waits for a backoff. */
  speed: number
  /** Milliseconds of its clock until a write without an answer is sent again. */
  timeout?: number
  /** As in `defineMutation`. */
  retry?: number
  stream?: boolean
  /** Takes the device to be online, whatever it says. */
  ignoresHint?: boolean
  /** Where the writes go, attempt by attempt; the last one again and again. Default: the page's own server. */
  urls?: string[]
}

/** What a page knows of its client. */
export interface Seen {
  view: Note[]
  base: Note[]
  /** What the outbox said of the writes, step by step. */
  steps: string[]
  /** How often the optimistic row was gone, or there twice, in between. */
  flickers: number
  reports: string[]
  confirmed: 'pending' | 'confirmed' | 'confirmed without a result' | `rejected ${string}`
  isReading: boolean
  network: string
  stream: string
  states: string[]
  /** The errors that the browser's own `fetch` has rejected with. */
  words: string[]
  /** Whether the page came back out of the back/forward cache. */
  isRestored: boolean
}
