/**
 * Every request that the mock server was sent, in order, and which of them are still on their way. Streams never are: they
 * have no end to wait for.
 */
import type { ServerClock } from '../server/clock'
import type { MockRequest, OpenRequest } from './requests'
import type { Route } from './routes'

export interface RequestLog {
  readonly requests: MockRequest[]
  /** Writes a request down, without its body; a read or a write is on its way until it has arrived. */
  add(given: Request, url: URL, route: Route): OpenRequest
  arrived(request: OpenRequest): void
  /** Resolves when no read or write is on its way. */
  idle(): Promise<void>
  clear(): void
}

export function createRequestLog(clock: ServerClock): RequestLog {
  const requests: OpenRequest[] = []
  const open = new Set<OpenRequest>()
  const onIdle: (() => void)[] = []
  let count = 0

  return {
    requests,
    add(given, url, { kind, name }) {
      const request: OpenRequest = {
        number: ++count,
        at: clock.now(),
        method: given.method,
        url: given.url,
        path: url.pathname,
        search: url.searchParams,
        headers: new Headers(given.headers),
        body: undefined,
        kind,
        name,
        delivered: 0,
        status: undefined,
        outcome: 'pending',
        faults: [],
      }
      requests.push(request)
      if (kind !== 'stream') open.add(request)
      return request
    },
    arrived(request) {
      open.delete(request)
      if (open.size === 0) for (const resolve of onIdle.splice(0)) resolve()
    },
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => onIdle.push(resolve))),
    clear() {
      requests.length = 0
      count = 0
    },
  }
}
