// Reads source files as syntax trees, for the tests that enforce the house rules: what a file imports, which globals it
// uses, what its top level holds. Types are looked at only where they import something.
import { globSync, readFileSync } from 'node:fs'
import { resolve as absolute, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'

const root: string = fileURLToPath(new URL('..', import.meta.url))

export interface Node {
  type: string
  [field: string]: unknown
}

export interface Import {
  /** As written: `./key.ts`, `immer`. */
  readonly specifier: string
  /** Path from the repository's root, for a relative import of a file that exists. */
  readonly file: string | undefined
  readonly typeOnly: boolean
}

export interface SourceFile {
  /** Path from the repository's root, with slashes. */
  readonly path: string
  readonly body: readonly Node[]
  readonly imports: readonly Import[]
}

/** Parses what the globs find; a file that does not parse is an error. */
export function readSources(...patterns: string[]): SourceFile[] {
  const paths = globSync(patterns, { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
  return paths.map((path) => {
    const body = parse(path)
    const imports = foundIn(body).map((found) => ({ ...found, file: resolve(path, found.specifier, paths) }))
    return { path, body, imports }
  })
}

/** What a file imports, as written: statements, `import()`, and types. */
export function specifiersOf(path: string): string[] {
  return foundIn(parse(path)).map(({ specifier }) => specifier)
}

/** Names of globals a file reads as values, members included: `Date.now`, `window`, `new Date()`. */
export function globalsOf(file: SourceFile): Set<string> {
  const found = new Set<string>()
  visit({ type: 'Program', body: file.body }, [])
  return found

  function visit(node: Node, scopes: readonly Set<string>[]): void {
    const inner = opensScope(node) ? [...scopes, declaredIn(node)] : scopes
    if (node.type === 'Identifier') {
      const name = node['name'] as string
      if (!inner.some((scope) => scope.has(name))) found.add(name)
      return
    }
    if (node.type === 'MemberExpression' && isNode(node['object']) && isNode(node['property']) && !node['computed']) {
      const { object, property } = node as unknown as { object: Node; property: Node }
      if (object.type === 'Identifier' && !inner.some((scope) => scope.has(object['name'] as string))) {
        found.add(`${object['name']}.${property['name']}`)
      }
    }
    if (node.type === 'NewExpression' && isNode(node['callee']) && (node['arguments'] as Node[]).length === 0) {
      if (node['callee'].type === 'Identifier') found.add(`new ${node['callee']['name']}()`)
    }
    for (const child of valueChildren(node)) visit(child, inner)
  }
}

/** What a file asks of a value's origin (`instanceof`, `Object.prototype`): another realm's values answer no. */
export function originsAskedIn(file: SourceFile): string[] {
  const found: string[] = []
  const visit = (node: Node): void => {
    if (node.type === 'BinaryExpression' && node['operator'] === 'instanceof') {
      found.push(`instanceof ${(node['right'] as Node)['name']}`)
    }
    if (node.type === 'MemberExpression' && isNode(node['object']) && node['object']['name'] === 'Object') {
      if (isNode(node['property']) && node['property']['name'] === 'prototype') found.push('Object.prototype')
    }
    children(node).forEach(visit)
  }
  file.body.forEach(visit)
  return found
}

/** Statements that do something when the module is loaded, other than declaring names; a directive does nothing. */
export function effectsOf(file: SourceFile): string[] {
  const declarations = /^(Import|Export|Function|Class|Variable|TS).*Declaration$|^EmptyStatement$/
  return file.body
    .filter((node) => !declarations.test(node.type) && node['directive'] === undefined)
    .map((node) => node.type)
}

/** Names of the members that a file assigns, counts, deletes or merges in: `cell.base = …`, `write.attempt++`. */
export function membersAssignedIn(file: SourceFile): Set<string> {
  const found = new Set<string>()
  const note = (target: unknown): void => {
    if (isNode(target) && target.type === 'MemberExpression' && isNode(target['property']) && !target['computed'])
      found.add(String(target['property']['name']))
  }
  const visit = (node: Node): void => {
    if (node.type === 'AssignmentExpression') note(node['left'])
    if (node.type === 'UpdateExpression' || (node.type === 'UnaryExpression' && node['operator'] === 'delete'))
      note(node['argument'])
    if (node.type === 'CallExpression' && isNode(node['callee']) && isNode(node['callee']['object'])) {
      const { object, property } = node['callee'] as unknown as { object: Node; property: Node }
      const [, ...merged] = node['arguments'] as Node[]
      if (`${object['name']}.${property['name']}` === 'Object.assign')
        for (const name of merged.flatMap(keysOf)) found.add(name)
    }
    for (const child of children(node)) visit(child)
  }
  visit({ type: 'Program', body: file.body })
  return found
}

function keysOf(literal: Node): string[] {
  if (literal.type !== 'ObjectExpression') return []
  return (literal['properties'] as Node[]).flatMap(({ key }) => (isNode(key) ? [String(key['name'])] : []))
}

/** Names of the properties of an interface that a file exports; those that are not `readonly` apart. */
export function fieldsOf(file: SourceFile, name: string): { all: string[]; open: string[] } {
  const found = file.body
    .map((statement) => statement['declaration'])
    .find((node) => isNode(node) && node.type === 'TSInterfaceDeclaration' && (node['id'] as Node)['name'] === name)
  const body = isNode(found) ? ((found['body'] as Node)['body'] as Node[]) : []
  const fields = body.filter(({ type }) => type === 'TSPropertySignature')
  const names = (of: readonly Node[]): string[] => of.map(({ key }) => String((key as Node)['name']))
  return { all: names(fields), open: names(fields.filter((field) => field['readonly'] !== true)) }
}

/** Names at a file's top level that can change: `let`, `var`, and empty collections waiting to be filled. */
export function mutableNamesOf(file: SourceFile): string[] {
  return file.body.flatMap((statement) => {
    const node = isNode(statement['declaration']) ? statement['declaration'] : statement
    if (node.type !== 'VariableDeclaration' || node['declare']) return []
    const declarators = node['declarations'] as Node[]
    const names = declarators.filter(
      ({ id, init }) => node['kind'] !== 'const' || (startsEmpty(init) && !isReadonly(id)),
    )
    return names.flatMap((each) => [...boundNames(each['id'])])
  })
}

/** `const NONE: readonly X[] = []` is a word, not a state. */
function isReadonly(id: unknown): boolean {
  const annotation = isNode(id) && isNode(id['typeAnnotation']) ? id['typeAnnotation']['typeAnnotation'] : undefined
  if (!isNode(annotation)) return false
  if (annotation.type === 'TSTypeOperator') return annotation['operator'] === 'readonly'
  return isNode(annotation['typeName']) && String(annotation['typeName']['name']).startsWith('Readonly')
}

function startsEmpty(init: unknown): boolean {
  if (!isNode(init)) return false
  if (init.type === 'ArrayExpression') return (init['elements'] as Node[]).length === 0
  if (init.type === 'ObjectExpression') return (init['properties'] as Node[]).length === 0
  if (init.type !== 'NewExpression' || !isNode(init['callee'])) return false
  const collections = ['Map', 'Set', 'WeakMap', 'WeakSet', 'Array']
  return collections.includes(init['callee']['name'] as string) && (init['arguments'] as Node[]).length === 0
}

function parse(path: string): Node[] {
  const { program, errors } = parseSync(path, readFileSync(absolute(root, path), 'utf8'))
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  return program.body as unknown as Node[]
}

function foundIn(body: readonly Node[]): Omit<Import, 'file'>[] {
  const found: Omit<Import, 'file'>[] = []
  const visit = (node: Node): void => {
    const source = node['source']
    if (isNode(source) && typeof source['value'] === 'string') {
      found.push({ specifier: source['value'], typeOnly: isTypeOnly(node) })
    }
    children(node).forEach(visit)
  }
  body.forEach(visit)
  return found
}

function isTypeOnly(node: Node): boolean {
  if (node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type') return true
  const names = (node['specifiers'] ?? []) as Node[]
  return names.length > 0 && names.every((name) => name['importKind'] === 'type' || name['exportKind'] === 'type')
}

function resolve(from: string, specifier: string, known: readonly string[]): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const path = relative(root, join(root, dirname(from), specifier)).replaceAll('\\', '/')
  const bare = path.replace(/\.(ts|tsx|js)$/, '')
  const candidates = [path, `${bare}.ts`, `${bare}.tsx`, `${bare}/index.ts`]
  const found = candidates.find((candidate) => known.includes(candidate))
  if (found === undefined) throw new Error(`${from} imports ${specifier}, which is not there`)
  return found
}

function opensScope(node: Node): boolean {
  return /^Program$|Function|^BlockStatement$|^For.*Statement$|^CatchClause$|^Class|^SwitchStatement$/.test(node.type)
}

/** Names declared directly in a scope: parameters, its statements' declarations, its own name. */
function declaredIn(scope: Node): Set<string> {
  const names = new Set<string>()
  const add = (pattern: unknown) => {
    for (const name of boundNames(pattern)) names.add(name)
  }
  const declare = (statement: unknown): void => {
    if (!isNode(statement) || statement['declare']) return
    if (statement.type === 'VariableDeclaration')
      for (const each of statement['declarations'] as Node[]) add(each['id'])
    else if (statement.type === 'ImportDeclaration')
      for (const each of statement['specifiers'] as Node[]) add(each['local'])
    else if (/^(Function|Class)Declaration$/.test(statement.type)) add(statement['id'])
    else if (statement.type.startsWith('Export')) declare(statement['declaration'])
  }
  add(scope['id'])
  add(scope['param'])
  for (const parameter of (scope['params'] ?? []) as Node[]) add(parameter)
  declare(scope['init'])
  declare(scope['left'])
  if (Array.isArray(scope['body'])) scope['body'].forEach(declare)
  for (const each of (scope['cases'] ?? []) as Node[]) (each['consequent'] as Node[]).forEach(declare)
  return names
}

function* boundNames(pattern: unknown): Iterable<string> {
  if (!isNode(pattern)) return
  if (pattern.type === 'Identifier') yield pattern['name'] as string
  else if (pattern.type === 'AssignmentPattern') yield* boundNames(pattern['left'])
  else if (pattern.type === 'RestElement') yield* boundNames(pattern['argument'])
  else if (pattern.type === 'ArrayPattern') for (const each of pattern['elements'] as unknown[]) yield* boundNames(each)
  else if (pattern.type === 'ObjectPattern') {
    for (const each of pattern['properties'] as Node[]) yield* boundNames(each['value'] ?? each)
  }
}

/** The parts of a node that are evaluated: no types, no property names. */
function valueChildren(node: Node): Node[] {
  if (node.type.startsWith('TS')) return isNode(node['expression']) ? [node['expression']] : []
  if (/^(Import|ExportAll)Declaration$|^(Break|Continue)Statement$/.test(node.type)) return []
  if (node.type === 'ExportNamedDeclaration') return isNode(node['declaration']) ? [node['declaration']] : []
  const skipped =
    !node['computed'] && /^(MemberExpression|Property|MethodDefinition|PropertyDefinition)$/.test(node.type)
  const name = node.type === 'MemberExpression' ? 'property' : 'key'
  return children(node).filter((child) => !(skipped && child === node[name]))
}

function children(node: Node): Node[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isNode)
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}
