/**
 * A network that can be made to fail, between the client and the real one. Nothing is pretended: a lost request never
 * leaves the page, a lost answer has reached the server, a stream that is cut is a connection that is aborted.
 */
import type { PlatformSeams } from 'tidemark'
import type { StoreApi } from 'zustand/vanilla'
import { createStore } from 'zustand/vanilla'
import { FAULT_HEADER } from './task'

type Network = PlatformSeams['network']
type Fetch = PlatformSeams['fetch']

/** Switches of one next write; they go off when it has met them. */
export type OneShot = 'loseRequest' | 'loseAnswer' | 'reject' | 'conflict'

export type Faults = Record<OneShot, boolean> & {
  offline: boolean
  /** Milliseconds from one side to the other. */
  latency: number
}

/** Something that went over the wire, or did not. */
export interface WireLine {
  id: number
  at: number
  kind: 'sent' | 'answered' | 'refused' | 'lost' | 'pushed'
  text: string
}

export interface FaultyNetwork {
  readonly faults: StoreApi<Faults>
  /** What happened, newest first. */
  readonly wire: StoreApi<readonly WireLine[]>
  /** For `createSyncClient({ platform })`. */
  readonly seams: { fetch: Fetch; network: Network }
  cutStream(): void
}

const WIRE_MAX = 60

export function createFaultyNetwork(): FaultyNetwork {
  const faults = createStore<Faults>(() => ({
    offline: false,
    latency: 0,
    loseRequest: false,
    loseAnswer: false,
    reject: false,
    conflict: false,
  }))
  const wire = createStore<readonly WireLine[]>(() => [])
  const connections = new Set<{ isStream: boolean; cut(): void }>()
  let lines = 0
  const note = (kind: WireLine['kind'], text: string) =>
    wire.setState([{ id: ++lines, at: Date.now(), kind, text }, ...wire.getState()].slice(0, WIRE_MAX), true)

  faults.subscribe(({ offline }, before) => {
    if (offline && !before.offline) for (const { cut } of [...connections]) cut()
  })

  const take = (name: OneShot): boolean => {
    const isOn = faults.getState()[name]
    if (isOn) faults.setState({ [name]: false })
    return isOn
  }

  async function send(input: string, init: RequestInit = {}): Promise<Response> {
    const { latency, offline } = faults.getState()
    const path = input.replace(/^\/api\/(queries\/|mutations\/tasks\/)?/, '')
    const isWrite = init.method === 'POST'
    const isStream = new Headers(init.headers).get('accept') === 'text/event-stream'
    const name = isStream ? 'stream' : isWrite ? path : `read ${path}`
    const lost = (why: string) => {
      note('lost', `${name}: ${why}`)
      return new TypeError('Failed to fetch')
    }
    if (offline) throw lost('offline')
    const connection = openConnection(init.signal, isStream)
    connections.add(connection)
    try {
      note('sent', name)
      await connection.or(sleep(latency))
      if (isWrite && take('loseRequest')) throw lost('the request is lost')
      const loseAnswer = isWrite && take('loseAnswer')
      const headers = new Headers(init.headers)
      if (isWrite && take('reject')) headers.set(FAULT_HEADER, 'reject')
      else if (isWrite && take('conflict')) headers.set(FAULT_HEADER, 'conflict')
      const response = await connection.or(fetch(input, { ...init, headers, signal: connection.signal }))
      if (isStream) return watched(response)
      await connection.or(sleep(latency))
      if (loseAnswer) throw lost('the answer is lost')
      note(response.ok ? 'answered' : 'refused', `${name}: ${response.status}${detailOf(response)}`)
      return response
    } catch (error) {
      if (connection.isCut) throw lost('the connection broke')
      throw error
    } finally {
      if (!isStream || connection.isCut || !connection.isOpen) connections.delete(connection)
    }

    /** The stream's body, so that it ends when the connection is cut, and what comes through it is noted. */
    function watched(response: Response): Response {
      if (!response.ok || response.body === null) return response
      note('answered', 'stream: open')
      connection.isOpen = true
      const reader = response.body.getReader()
      const text = new TextDecoder()
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          try {
            const { done, value } = await connection.or(reader.read())
            if (done) {
              connections.delete(connection)
              note('lost', 'stream: the server closed it')
              return controller.close()
            }
            for (const [, event] of text.decode(value, { stream: true }).matchAll(/^event: (\w+)/gm)) {
              if (event !== 'ping') note('pushed', `stream: ${event}`)
            }
            controller.enqueue(value)
          } catch (error) {
            connections.delete(connection)
            if (!connection.isLeft) note('lost', `stream: ${connection.isCut ? 'cut' : 'the connection broke'}`)
            controller.error(error)
          }
        },
        cancel(reason) {
          connections.delete(connection)
          connection.leave()
          return reader.cancel(reason)
        },
      })
      return new Response(body, { status: response.status, headers: response.headers })
    }
  }

  return {
    faults,
    wire,
    seams: { fetch: send, network: createNetwork(faults) },
    cutStream() {
      for (const connection of [...connections]) if (connection.isStream) connection.cut()
    },
  }
}

/** One request from its start to the end of its body. `cut` breaks it as a network would. */
function openConnection(signal: AbortSignal | null | undefined, isStream: boolean) {
  const abort = new AbortController()
  let breakOff: (error: unknown) => void = () => {}
  const broken = new Promise<never>((_, reject) => {
    breakOff = reject
  })
  broken.catch(() => {})
  const connection = {
    isStream,
    /** Broken from outside. */
    isCut: false,
    /** The client itself has ended it. */
    isLeft: false,
    /** Its answer has begun. */
    isOpen: false,
    signal: abort.signal,
    or: <T>(work: Promise<T>): Promise<T> => Promise.race([work, broken]),
    leave() {
      connection.isLeft = true
      abort.abort(signal?.reason)
    },
    cut() {
      connection.isCut = true
      breakOff(new TypeError('network error'))
      abort.abort()
    },
  }
  const leave = () => {
    breakOff(signal?.reason ?? new DOMException('The request was aborted.', 'AbortError'))
    connection.leave()
  }
  if (signal?.aborted) leave()
  else signal?.addEventListener('abort', leave, { once: true })
  return connection
}

/** What the browser believes, and the switch. */
function createNetwork(faults: StoreApi<Faults>): Network {
  return {
    isOnline: () => navigator.onLine && !faults.getState().offline,
    isVisible: () => document.visibilityState !== 'hidden',
    subscribe(listener) {
      const stop = new AbortController()
      const { signal } = stop
      const unsubscribe = faults.subscribe(({ offline }, before) => {
        if (offline !== before.offline) listener(offline ? 'offline' : 'online')
      })
      window.addEventListener('online', () => listener('online'), { signal })
      window.addEventListener('offline', () => listener('offline'), { signal })
      document.addEventListener(
        'visibilitychange',
        () => listener(document.visibilityState === 'hidden' ? 'hidden' : 'visible'),
        { signal },
      )
      window.addEventListener('pageshow', ({ persisted }) => persisted && listener('wake'), { signal })
      return () => {
        unsubscribe()
        stop.abort()
      }
    },
  }
}

function detailOf(response: Response): string {
  const version = response.headers.get('etag')
  if (response.headers.get('idempotent-replayed') === 'true') return ', applied before: the first answer again'
  if (!response.ok) return response.status === 409 || response.status === 412 ? ' conflict' : ' refused'
  return version?.startsWith('"v') ? `, version ${version.slice(2, -1)}` : ''
}

function sleep(milliseconds: number): Promise<void> {
  return milliseconds === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, milliseconds))
}
