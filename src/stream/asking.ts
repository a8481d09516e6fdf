/**
 * What the stream asks for: its address, with the topics, and with the position where no header can carry it. It asks anew
 * when the topics have changed, and gives way when requests of the same origin wait.
 */
import { SyncError } from '../base/errors'
import { guard } from '../base/guard'
import type { LinkOptions } from '../wire/event-stream'
import { createPlacing } from './placing'
import type { Reception } from './reception'
import type { StreamHost, SyncStream } from './stream-options'

/** What its link is asked to do, and what the users of the stream may. */
export interface Asking
  extends Pick<LinkOptions, 'url' | 'inAddress' | 'over' | 'answered'>,
    Pick<SyncStream, 'resubscribe' | 'giveWay'> {
  /** Forgets that the topics may have changed. */
  cancel(): void
}

/** Changes of topics within this go together, in milliseconds. */
const SUBSCRIBE = 100

export function createAsking(deps: StreamHost, { cursor, dropId, answered }: Reception): Asking {
  const { clock, target, report, link } = deps
  const placing = createPlacing({ ...deps, cursor, drop: () => dropId('id-expired') })
  let asked = ''
  /** The address of the attempt that goes on. */
  let used = ''
  let cancelSubscribe: (() => void) | undefined

  const topics = () => (target.topics?.() ?? []).map(encodeURIComponent).join(',')
  const state = () => link().status.getState().state

  function renew(): void {
    if (topics() !== asked && (state() === 'open' || state() === 'connecting')) link().end({ kind: 'renewed' })
  }

  return {
    answered() {
      placing.answered()
      answered()
    },
    inAddress: placing.inAddress,
    over: deps.decode === undefined ? placing.over : undefined,
    url() {
      const url = typeof deps.url === 'function' ? deps.url() : deps.url
      asked = topics()
      placing.began(url)
      used = url
      const position = placing.inAddress() ? cursor() : undefined
      const search = [asked && `topics=${asked}`, position && `last_event_id=${encodeURIComponent(position)}`].filter(
        Boolean,
      )
      return search.length === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${search.join('&')}`
    },
    resubscribe() {
      if (state() === 'idle') return // the first connection asks for what there is then
      cancelSubscribe?.()
      cancelSubscribe = clock.after(SUBSCRIBE, () => {
        void guard(renew, (cause) =>
          report(new SyncError('usage', 'The topics could not be told; fix `topics`.', { cause })),
        )
      })
    },
    cancel: () => cancelSubscribe?.(),
    giveWay(isThere) {
      if (state() === 'open' && isThere(used)) link().end({ kind: 'crowded', error: crowded() })
    },
  }
}

function crowded(): SyncError {
  return new SyncError(
    'timeout',
    'A request has waited 5 s for its answer, so the stream gives way for a while and what is watched is polled (pollInterval): HTTP/1.1 allows six connections per origin over all tabs; serve HTTP/2 or close tabs.',
  )
}
