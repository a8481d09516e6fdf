/** The bar: the client's own stores, and the DOM. No framework is needed to watch a sync client. */
import type { SyncClient, SyncError, SyncStatus } from 'tidemark'
import { element } from './dom'
import { describe } from './rows'

type Tone = 'good' | 'wait' | 'bad' | 'none'

interface Problem {
  readonly source: object
  readonly at: Date
  readonly text: string
}

/** A report has no end that one could see: it is shown for so many milliseconds. */
const REPORT_TIME = 20_000

/** Shows how the client stands. Returns what `createSyncClient({ onReport })` is to call. */
export function createStatusBar(): { watch(sync: SyncClient): void; report(error: SyncError): void } {
  const seen = new WeakSet<object>()
  const reports = new WeakSet<object>()
  let last: Problem | undefined
  const note = (source: object | undefined, text: string): void => {
    if (source === undefined || seen.has(source)) return
    seen.add(source)
    last = { source, at: new Date(), text }
  }

  return {
    report(error) {
      reports.add(error)
      note(error, error.message)
    },
    watch(sync) {
      const render = () => {
        const status = sync.status.getState()
        const { entries, failed } = sync.outbox.getState()
        const current = new Set<object>()
        const meet = (source: { code: string; message: string } | undefined, what: string) => {
          // That nothing gets through while offline is told by the first cell.
          if (source === undefined || (status.network === 'offline' && isUnanswered(source))) return
          current.add(source)
          note(source, what + source.message)
        }
        meet(status.lastError, '')
        for (const entry of [...entries, ...failed]) meet(entry.failure, `${describe(entry)}: `)
        if (last !== undefined && reports.has(last.source) && Date.now() - last.at.getTime() < REPORT_TIME) {
          current.add(last.source)
        }
        show('network', ...networkText(status))
        show('stream', ...streamText(status))
        show('queue', ...queueText(status))
        show('error', ...errorText(last, current))
      }
      sync.status.subscribe(render)
      sync.outbox.subscribe(render)
      setInterval(render, 500) // the seconds until the next attempt
      render()
    },
  }
}

function isUnanswered({ code }: { code: string }): boolean {
  return code === 'network' || code === 'timeout'
}

function networkText({ network }: SyncStatus): [Tone, string] {
  return network === 'online' ? ['good', 'Online'] : ['bad', 'Offline']
}

function streamText({ network, stream, nextTryAt, cursor }: SyncStatus): [Tone, string] {
  if (network === 'offline' && (stream === 'waiting' || stream === 'connecting'))
    return ['wait', 'Waits for the network']
  const seconds = nextTryAt === undefined ? 0 : Math.ceil((nextTryAt - Date.now()) / 1000)
  const wait = seconds > 0 ? ` in ${seconds} s` : ''
  switch (stream) {
    case 'open':
      return ['good', `Live, position ${cursor?.split(':').at(-1) ?? '0'}`]
    case 'connecting':
      return ['wait', 'Connecting']
    case 'waiting':
      return ['wait', `Trying again${wait}`]
    case 'polling':
      return ['wait', 'Polling']
    default:
      return ['none', stream === 'off' ? 'Off' : `Stream ${stream}`]
  }
}

function queueText({ counts }: SyncStatus): [Tone, string] {
  const parts: [number, string][] = [
    [counts.conflicted, 'needs you'],
    [counts.sending, 'sending'],
    [counts.uncertain, 'trying again'],
    [counts.queued + counts.paused + counts.blocked, 'waiting'],
    [counts.failed, 'failed'],
  ]
  const text = parts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(', ')
  if (text === '') return ['good', 'All saved']
  return [counts.failed + counts.conflicted > 0 ? 'bad' : 'wait', text]
}

function errorText(last: Problem | undefined, current: ReadonlySet<object>): [Tone, string] {
  if (last === undefined) return ['none', 'None']
  const time = last.at.toLocaleTimeString([], { hour12: false })
  return current.has(last.source) ? ['bad', `${time}  ${last.text}`] : ['none', `None since ${time}`]
}

function show(name: string, tone: Tone, text: string): void {
  const cell = element(`status-${name}`)
  cell.dataset['tone'] = tone
  const value = cell.querySelector('dd')
  if (value !== null && value.textContent !== text) value.textContent = text
}
