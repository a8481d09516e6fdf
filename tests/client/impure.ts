// Watches what a piece of code asks of its surroundings: time, chance, timers, and what a browser brings.
const OF_OBJECTS: readonly (readonly [owner: () => object, names: readonly string[]])[] = [
  [() => Date, ['now']],
  [() => Math, ['random']],
  [() => crypto, ['randomUUID', 'getRandomValues']],
  [() => performance, ['now']],
  [
    () => globalThis,
    ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame', 'requestIdleCallback'],
  ],
  [() => globalThis, ['fetch', 'BroadcastChannel', 'MessageChannel', 'EventSource', 'WebSocket', 'Worker']],
]

const OF_BROWSERS: readonly string[] = [
  'navigator',
  'document',
  'location',
  'localStorage',
  'sessionStorage',
  'indexedDB',
]

/** The names of what `run` uses, in order, with duplicates. What it calls works as ever. */
export function usesOf(run: () => void): string[] {
  const used: string[] = []
  const restores: (() => void)[] = []
  const replace = (owner: object, name: string, descriptor: PropertyDescriptor): void => {
    const before = Object.getOwnPropertyDescriptor(owner, name)
    Object.defineProperty(owner, name, { configurable: true, ...descriptor })
    restores.push(() =>
      before === undefined ? Reflect.deleteProperty(owner, name) : Object.defineProperty(owner, name, before),
    )
  }
  for (const [owner, names] of OF_OBJECTS) {
    for (const name of names) replace(owner(), name, { value: recorder(owner(), name, used), writable: true })
  }
  for (const name of OF_BROWSERS) {
    const value: unknown = Reflect.get(globalThis, name)
    replace(globalThis, name, {
      get() {
        used.push(name)
        return value
      },
    })
  }
  replace(globalThis, 'Date', { value: datesSeen(used), writable: true })
  try {
    run()
  } finally {
    for (const restore of restores.reverse()) restore()
  }
  return used
}

function recorder(owner: object, name: string, used: string[]): unknown {
  const real = Reflect.get(owner, name) as ((...args: unknown[]) => unknown) | undefined
  return function (this: unknown, ...args: unknown[]): unknown {
    used.push(name)
    return new.target === undefined
      ? Reflect.apply(real as () => unknown, owner, args)
      : Reflect.construct(real as () => unknown, args)
  }
}

/** `new Date()` and `Date()` ask for the time; `new Date(0)` does not. */
function datesSeen(used: string[]): unknown {
  return new Proxy(Date, {
    construct(target, args, newTarget) {
      if (args.length === 0) used.push('new Date')
      return Reflect.construct(target, args, newTarget) as object
    },
    apply(target, self, args) {
      used.push('Date()')
      return Reflect.apply(target, self, args) as string
    },
  })
}
