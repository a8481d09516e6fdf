// Makes the emitted declarations load under every resolution mode: relative specifiers end in `.js`, whatever the
// sources wrote (`./key`, `./key.ts`, `./context.tsx`). Run after `tsc -p tsconfig.build.json`.
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const specifier = /(\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]*)\2/g

for (const file of globSync('dist/types/**/*.d.ts')) {
  const text = readFileSync(file, 'utf8')
  const fixed = text.replace(specifier, (_, before: string, quote: string, path: string) => {
    const bare = path.replace(/\.(?:ts|tsx|js)$/, '')
    const target = [bare, `${bare}/index`].find((name) => existsSync(join(dirname(file), `${name}.d.ts`)))
    if (target === undefined) throw new Error(`${file} imports ${path}, which has no declarations in dist/types`)
    return `${before}${quote}${target}.js${quote}`
  })
  if (fixed !== text) writeFileSync(file, fixed)
}
