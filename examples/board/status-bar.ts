/** The bar: the client's own stores, and the DOM. No framework is needed to watch a sync client. */
import type { OutboxState, SyncClient, SyncError, SyncStatus } from 'tidemark'
import { describe } from './rows'

type Tone = 'good' | 'wait' | 'bad' | 'none'

/** Shows how the client stands. Returns what `createSyncClient({ onReport })` is to call. */
export function createStatusBar(): { watch(sync: SyncClient): void; report(error: SyncError): void } {
  const seen = new WeakSet<object>()
  let lastError: { at: Date; text: string } | undefined
  const note = (source: object | undefined, text: string): void => {
    if (source === undefined || seen.has(source)) return
    seen.add(source)
    lastError = { at: new Date(), text }
  }

  return {
    report: (error) => note(error, error.message),
    watch(sync) {
      const render = () => {
        const status = sync.status.getState()
        const outbox = sync.outbox.getState()
        note(status.lastError, status.lastError?.message ?? '')
        for (const entry of [...outbox.entries, ...outbox.failed]) {
          note(entry.failure, `${describe(entry)}: ${entry.failure?.message}`)
        }
        show('network', ...networkText(status))
        show('stream', ...streamText(status))
        show('queue', ...queueText(status))
        show('error', ...errorText(lastError, status, outbox))
      }
      sync.status.subscribe(render)
      sync.outbox.subscribe(render)
      setInterval(render, 500) // the seconds until the next attempt
      render()
    },
  }
}

function networkText({ network }: SyncStatus): [Tone, string] {
  return network === 'online' ? ['good', 'Online'] : ['bad', 'Offline']
}

function streamText({ stream, nextTryAt, cursor }: SyncStatus): [Tone, string] {
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

function errorText(
  last: { at: Date; text: string } | undefined,
  { counts, stream }: SyncStatus,
  { failed }: OutboxState,
): [Tone, string] {
  if (last === undefined) return ['none', 'None']
  const isNow = failed.length + counts.uncertain + counts.conflicted > 0 || stream !== 'open'
  return [isNow ? 'bad' : 'none', `${last.at.toLocaleTimeString([], { hour12: false })}  ${last.text}`]
}

function show(name: string, tone: Tone, text: string): void {
  const cell = document.getElementById(`status-${name}`)
  const value = cell?.querySelector('dd')
  if (cell === null || value == null || value.textContent === text) {
    if (cell !== null) cell.dataset['tone'] = tone
    return
  }
  cell.dataset['tone'] = tone
  value.textContent = text
  value.title = text
}
