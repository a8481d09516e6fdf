// Turns of a page: until React and the timers of 0 ms have nothing to do, without a wait for a time.
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'

const channel = new MessageChannel()
const calls: Array<() => void> = []
channel.port1.onmessage = () => calls.shift()?.()

/** Runs it in a task of its own, soon. */
export function task(call: () => void): void {
  calls.push(call)
  channel.port2.postMessage(null)
}

// The kit's clock and network wait for what is done by then. React has chosen its own scheduling before.
const globals = globalThis as unknown as { setImmediate?: (call: () => void) => void }
globals.setImmediate ??= task

export const aTask = (): Promise<void> => new Promise(task)
const aTimer = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

const sentinel = createRoot(document.createElement('div'))
let rendered = 0

/** React renders roots in the order in which they were updated: when this one has been, the others have been. */
const react = (): Promise<void> =>
  new Promise((resolve) => sentinel.render(createElement('i', { key: ++rendered, ref: () => resolve() })))

/** What is due, timers of 0 ms, and React. What one of them begins may need another round. */
export async function round(settle: () => Promise<unknown>): Promise<void> {
  await settle()
  await aTimer()
  await react()
}
