// What the page of stream.test.ts runs: the stream client as it is, on the browser's own fetch, timers and events.

import { systemClock } from '../../src/platform/clock'
import { systemRandom } from '../../src/platform/ids'
import { browserNetwork } from '../../src/platform/network'
import { systemFetch } from '../../src/platform/transport'
import { createSyncStream } from '../../src/stream/stream'
import { createEventStream } from '../../src/wire/event-stream'

const received: number[] = []
const states: string[] = []
const applied: string[] = []

const stream = createEventStream({
  url: '/events',
  heartbeat: 1_000,
  onMessage: ({ lastEventId }) => received.push(Number(lastEventId)),
})
stream.status.subscribe(({ state }, before) => {
  if (state !== before.state) states.push(state)
})

const sync = createSyncStream(
  {
    clock: systemClock(),
    random: systemRandom(),
    network: browserNetwork(),
    fetch: systemFetch(),
    headers: async () => ({ authorization: 'Bearer é'.slice(0, 7) }),
    report: (error) => console.error(error),
    target: {
      apply: (messages, cursor) => applied.push(`${messages.map(({ event }) => event)} ${cursor}`),
      outcomes: () => {},
      reached: (cursor) => applied.push(`reached ${cursor}`),
      resync: async ({ reason }) => void applied.push(reason),
      poll: () => {},
      topics: () => ['tide & moon'],
    },
  },
  { url: '/sync' },
)

addEventListener('pageshow', ({ persisted }) => {
  if (persisted) states.push('restored')
})
Object.assign(globalThis, { page: { stream, sync, received, states, applied } })
