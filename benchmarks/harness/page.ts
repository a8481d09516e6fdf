// A document for React and Vue in Node, and a count of what React commits to it. Imported before any of the two.
import { createRequire } from 'node:module'

/** It brings no types. Not by an import that waits: what is imported beside this file would not wait for it. */
const { JSDOM } = createRequire(import.meta.url)('jsdom') as {
  JSDOM: new (html: string) => { window: typeof globalThis }
}
const { window } = new JSDOM('<!doctype html>')
Object.assign(globalThis, {
  window,
  document: window.document,
  ...{ Node: window.Node, Element: window.Element, HTMLElement: window.HTMLElement, SVGElement: window.SVGElement },
})

let commits = 0

/** How often React has changed the page, all of its copies together. */
export const commitsOfReact = (): number => commits

/** React reports its commits to the hook of its devtools, in production builds too. */
Object.assign(globalThis, {
  __REACT_DEVTOOLS_GLOBAL_HOOK__: {
    supportsFiber: true,
    inject: () => 1,
    checkDCE: () => {},
    onScheduleFiberRoot: () => {},
    onPostCommitFiberRoot: () => {},
    onCommitFiberUnmount: () => {},
    onCommitFiberRoot: () => {
      commits++
    },
  },
})
Object.assign(window, { __REACT_DEVTOOLS_GLOBAL_HOOK__: Reflect.get(globalThis, '__REACT_DEVTOOLS_GLOBAL_HOOK__') })

export function container(): HTMLElement {
  return document.body.appendChild(document.createElement('div'))
}
