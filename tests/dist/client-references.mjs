// Preloaded into Node: what a bundler of server components makes of a module that opens with "use client". Its exports
// are references that can be rendered or handed on, and cannot be called.
import { registerHooks } from 'node:module'

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const source = String(loaded.source ?? '')
    if (!/^["']use client["']/.test(source)) return loaded
    if (/^export \*/m.test(source)) throw new Error(`${url} is a client boundary with "export *".`)
    const list = /^export \{([^}]*)\}/m.exec(source)?.[1] ?? ''
    const names = list.split(',').map((name) =>
      name
        .trim()
        .split(/\s+as\s+/)
        .at(-1),
    )
    const references = names.filter(Boolean).map((name) => {
      const refuse = `() => { throw new Error('${name}() is on the client') }`
      return `export const ${name} = Object.assign(${refuse}, { $$typeof: Symbol.for('react.client.reference') })`
    })
    return { ...loaded, source: references.join('\n') }
  },
})
