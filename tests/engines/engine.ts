// What a scenario needs of a browser: the same few steps in each engine. A driver is a file that makes one of these.

export interface Engine {
  readonly name: EngineName
  readonly version: string
  /** A window of its own on this page. */
  open(url: string): Promise<Tab>
  close(): Promise<void>
}

export type EngineName = 'chromium' | 'firefox' | 'webkit'

export type Key = 'Enter' | 'Escape' | 'ArrowUp' | 'ArrowDown'

export interface Tab {
  /** Runs a function in the page, with an argument that is plain JSON; waits for what it returns. */
  evaluate<R>(run: () => R | Promise<R>): Promise<R>
  evaluate<R, A>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>
  goto(url: string): Promise<void>
  /** One step back in the history. Resolves when the page before is there, from the cache or loaded again. */
  back(): Promise<void>
  /** Presses the pointer on the element, once it is there. */
  click(selector: string): Promise<void>
  /** Types into what has the focus. */
  type(text: string): Promise<void>
  press(key: Key): Promise<void>
  setOffline(isOffline: boolean): Promise<void>
  close(): Promise<void>
}

export interface EngineNeed {
  readonly name: EngineName
  readonly title: string
  /** What must be there. */
  readonly programs: readonly string[]
  /** Debian's packages that bring it. */
  readonly packages: readonly string[]
}
