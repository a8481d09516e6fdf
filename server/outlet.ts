/**
 * The bytes of one stream as its reader reads them: asked for when it asks, waited for while there are none. It ends once,
 * whatever ends it.
 */

export interface Outlet {
  readonly stream: ReadableStream<Uint8Array>
  readonly isOver: boolean
  /** Its reader has asked, and there is nothing. */
  readonly isWaiting: boolean
  enqueue(bytes: Uint8Array): void
  /** Resolves when something may be there, or it is over. */
  woken(): Promise<void>
  wake(): void
  close(reason: string): void
  fail(reason: string, error: unknown): void
}

export interface OutletDeps {
  /** The reader asks: enqueues something, unless it is over first. */
  pull: () => Promise<void>
  signal: AbortSignal | undefined
  /** Called once, whatever ended it. */
  ended: (reason: string) => void
}

type Controller = ReadableStreamDefaultController<Uint8Array>

export function createOutlet({ pull, signal, ended }: OutletDeps): Outlet {
  let controller: Controller | undefined
  let onWake: (() => void) | undefined
  let isOver = false

  const start = (given: Controller) => {
    controller = given
  }
  const stream = new ReadableStream<Uint8Array>(
    { start, pull, cancel: () => finish('cancelled') },
    { highWaterMark: 0 },
  )
  signal?.addEventListener('abort', onAbort)

  function wake(): void {
    const resume = onWake
    onWake = undefined
    resume?.()
  }
  function finish(reason: string, end?: (controller: Controller) => void): void {
    if (isOver) return
    isOver = true
    signal?.removeEventListener('abort', onAbort)
    ended(reason)
    if (controller) end?.(controller)
    wake()
  }
  function onAbort(): void {
    finish('aborted', (to) => to.error(signal?.reason ?? new Error('the request was aborted')))
  }

  return {
    stream,
    get isOver() {
      return isOver
    },
    get isWaiting() {
      return onWake !== undefined
    },
    enqueue: (bytes) => controller?.enqueue(bytes),
    woken: () =>
      new Promise((resolve) => {
        onWake = resolve
      }),
    wake,
    close: (reason) => finish(reason, (to) => to.close()),
    fail: (reason, error) => finish(reason, (to) => to.error(error)),
  }
}
