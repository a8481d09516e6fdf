// Both patch formats: the cases of the RFCs' appendices in other words, what is shared, and what is refused.
import { describe, expect, test } from 'vitest'
import { applyPatch, mergePatch } from '../../src/base/json-patch'
import type { JsonPatchOperation } from '../../src/base/messages'

const json = (text: string): unknown => JSON.parse(text)
const operations = (text: string): JsonPatchOperation[] => JSON.parse(text)

/** RFC 6902, appendix A: its sections, with other data. */
const APPLIES: ReadonlyArray<[name: string, document: string, patch: string, result: string]> = [
  ['A.1 adds a member', '{"tide":"low"}', '[{"op":"add","path":"/moon","value":"new"}]', '{"tide":"low","moon":"new"}'],
  [
    'A.2 adds an element between',
    '{"ports":["Ayr","Cork"]}',
    '[{"op":"add","path":"/ports/1","value":"Brest"}]',
    '{"ports":["Ayr","Brest","Cork"]}',
  ],
  ['A.3 removes a member', '{"a":1,"b":2}', '[{"op":"remove","path":"/a"}]', '{"b":2}'],
  [
    'A.4 removes an element',
    '{"ports":["Ayr","Brest","Cork"]}',
    '[{"op":"remove","path":"/ports/1"}]',
    '{"ports":["Ayr","Cork"]}',
  ],
  [
    'A.5 replaces a value',
    '{"tide":"low","moon":"new"}',
    '[{"op":"replace","path":"/tide","value":"high"}]',
    '{"tide":"high","moon":"new"}',
  ],
  [
    'A.6 moves a member',
    '{"from":{"keep":1,"take":2},"to":{"own":3}}',
    '[{"op":"move","from":"/from/take","path":"/to/taken"}]',
    '{"from":{"keep":1},"to":{"own":3,"taken":2}}',
  ],
  [
    'A.7 moves an element',
    '{"l":["all","grass","cows","eat"]}',
    '[{"op":"move","from":"/l/1","path":"/l/3"}]',
    '{"l":["all","cows","eat","grass"]}',
  ],
  [
    'A.8 tests and goes on',
    '{"s":"qux","l":["a",2,"c"]}',
    '[{"op":"test","path":"/s","value":"qux"},{"op":"test","path":"/l/1","value":2}]',
    '{"s":"qux","l":["a",2,"c"]}',
  ],
  [
    'A.10 adds a member that is an object',
    '{"a":1}',
    '[{"op":"add","path":"/child","value":{"grand":{}}}]',
    '{"a":1,"child":{"grand":{}}}',
  ],
  ['A.11 ignores what it does not know', '{"a":1}', '[{"op":"add","path":"/b","value":2,"note":9}]', '{"a":1,"b":2}'],
  [
    'A.14 unescapes in the right order',
    '{"/":9,"~1":10}',
    '[{"op":"test","path":"/~01","value":10}]',
    '{"/":9,"~1":10}',
  ],
  [
    'A.16 adds a list at the end',
    '{"l":["a"]}',
    '[{"op":"add","path":"/l/-","value":["b","c"]}]',
    '{"l":["a",["b","c"]]}',
  ],
  ['replaces the whole', '{"a":1}', '[{"op":"replace","path":"","value":[1]}]', '[1]'],
  ['adds over the whole', '{"a":1}', '[{"op":"add","path":"","value":{"b":2}}]', '{"b":2}'],
  ['adds over a member that is there', '{"a":1}', '[{"op":"add","path":"/a","value":null}]', '{"a":null}'],
  ['adds at the length of a list', '{"l":["a"]}', '[{"op":"add","path":"/l/1","value":"b"}]', '{"l":["a","b"]}'],
  [
    'copies a member',
    '{"a":{"b":1}}',
    '[{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/a/b","value":2}]',
    '{"a":{"b":2},"c":{"b":1}}',
  ],
  [
    'changes a copy and not its source',
    '{"a":{"b":1}}',
    '[{"op":"add","path":"/a/x","value":0},{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/c/b","value":2}]',
    '{"a":{"b":1,"x":0},"c":{"b":2,"x":0}}',
  ],
  ['moves a value onto itself', '{"a":1}', '[{"op":"move","from":"/a","path":"/a"}]', '{"a":1}'],
  ['tests numbers by value', '{"n":1.0}', '[{"op":"test","path":"/n","value":1e0}]', '{"n":1}'],
  [
    'tests objects whatever their order',
    '{"o":{"a":1,"b":[2]}}',
    '[{"op":"test","path":"/o","value":{"b":[2],"a":1}}]',
    '{"o":{"a":1,"b":[2]}}',
  ],
  ['takes the empty name', '{"":1}', '[{"op":"replace","path":"/","value":2}]', '{"":2}'],
  ['takes numbers as names of members', '{"0":1}', '[{"op":"replace","path":"/0","value":2}]', '{"0":2}'],
]

const REFUSES: ReadonlyArray<[name: string, document: string, patch: string]> = [
  ['A.9 a test that fails', '{"a":"qux"}', '[{"op":"test","path":"/a","value":"bar"}]'],
  ['A.12 a target whose parent is not there', '{"a":1}', '[{"op":"add","path":"/b/c","value":2}]'],
  ['A.13 an unknown operation', '{"a":1}', '[{"op":"spam","path":"/a"}]'],
  ['A.15 a test of a string against a number', '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":"10"}]'],
  ['to remove what is not there', '{"a":1}', '[{"op":"remove","path":"/b"}]'],
  ['to replace what is not there', '{"a":1}', '[{"op":"replace","path":"/b","value":1}]'],
  ['to move what is not there', '{"a":1}', '[{"op":"move","from":"/b","path":"/c"}]'],
  ['to move a value into itself', '{"a":{"b":{}}}', '[{"op":"move","from":"/a","path":"/a/b"}]'],
  ['to remove the whole', '{"a":1}', '[{"op":"remove","path":""}]'],
  ['a hole in a list', '{"l":["a"]}', '[{"op":"add","path":"/l/2","value":"c"}]'],
  ['a place with a leading zero', '{"l":["a","b"]}', '[{"op":"replace","path":"/l/01","value":"c"}]'],
  ['a place that is no number', '{"l":["a"]}', '[{"op":"add","path":"/l/length","value":0}]'],
  ['a negative place', '{"l":["a"]}', '[{"op":"remove","path":"/l/-1"}]'],
  ['the place past the end but to add', '{"l":["a"]}', '[{"op":"replace","path":"/l/-","value":0}]'],
  ['a pointer without a slash', '{"a":1}', '[{"op":"remove","path":"a"}]'],
  ['a pointer with a bare tilde', '{"~":1}', '[{"op":"remove","path":"/~"}]'],
  ['to go into a string', '{"a":"text"}', '[{"op":"test","path":"/a/length","value":4}]'],
  ['a missing value', '{"a":1}', '[{"op":"add","path":"/b"}]'],
  ['a missing source', '{"a":1}', '[{"op":"copy","path":"/b"}]'],
  ['what is inherited', '{"a":1}', '[{"op":"test","path":"/toString","value":null}]'],
]

describe('a JSON patch', () => {
  test.each(APPLIES)('%s', (_, document, patch, result) => {
    const before = json(document)
    expect(applyPatch(before, operations(patch))).toEqual(json(result))
    expect(before).toEqual(json(document))
  })

  test.each(REFUSES)('refuses %s', (_, document, patch) => {
    const before = json(document)
    expect(() => applyPatch(before, operations(patch))).toThrow(expect.objectContaining({ code: 'protocol' }))
    expect(before).toEqual(json(document))
  })

  test('takes constructor and prototype for names of members, and goes into no prototype', () => {
    const car = { constructor: 'Ferrari', prototype: { year: 1 } }
    const patch = [
      { op: 'replace', path: '/constructor', value: 'McLaren' },
      { op: 'add', path: '/prototype/year', value: 2 },
    ] as const
    expect(applyPatch(car, patch)).toEqual({ constructor: 'McLaren', prototype: { year: 2 } })
    for (const path of ['/constructor/prototype/polluted', '/a/constructor/polluted', '/a/prototype/polluted']) {
      for (const op of ['add', 'replace', 'remove', 'test'] as const)
        expect(() => applyPatch({ a: {} }, [{ op, path, value: 1 }])).toThrow('which is not there')
      expect(() => applyPatch({ a: {} }, [{ op: 'copy', from: path, path: '/b' }])).toThrow('which is not there')
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((() => {}) as unknown as Record<string, unknown>).not.toHaveProperty('polluted')
  })

  test.each(['__proto__'])('refuses %s in any pointer', (name) => {
    for (const path of [`/${name}`, `/${name}/polluted`, `/a/${name}/polluted`]) {
      for (const op of ['add', 'replace', 'remove', 'test'] as const) {
        expect(() => applyPatch({ a: {} }, [{ op, path, value: 1 }])).toThrow(`names "${name}"`)
      }
      expect(() => applyPatch({ a: {} }, [{ op: 'copy', from: path, path: '/b' }])).toThrow(`names "${name}"`)
      expect(() => applyPatch({ a: {} }, [{ op: 'move', from: '/a', path }])).toThrow(`names "${name}"`)
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('shares what it does not touch', () => {
    const before = { left: { deep: [1] }, right: { deep: [2] } }
    const after = applyPatch(before, [{ op: 'replace', path: '/right/deep/0', value: 3 }]) as typeof before
    expect(after.left).toBe(before.left)
    expect(after).toEqual({ left: { deep: [1] }, right: { deep: [3] } })
    expect(before.right.deep).toEqual([2])
  })

  test('returns the same reference when it changes nothing', () => {
    const before = { a: { b: 1 } }
    expect(
      applyPatch(before, [
        { op: 'test', path: '/a/b', value: 1 },
        { op: 'replace', path: '/a/b', value: 1 },
      ]),
    ).toBe(before)
    expect(applyPatch(before, [])).toBe(before)
  })

  test('works on frozen data and never changes the values it brings', () => {
    const before = Object.freeze({ list: Object.freeze([Object.freeze({ n: 1 })]) })
    const value = Object.freeze({ n: 2 })
    const after = applyPatch(before, [
      { op: 'add', path: '/list/-', value },
      { op: 'replace', path: '/list/1/n', value: 3 },
    ])
    expect(after).toEqual({ list: [{ n: 1 }, { n: 3 }] })
    expect(value).toEqual({ n: 2 })
  })

  test('is bounded in depth, in operations and in what it copies', () => {
    expect(() => applyPatch({}, [{ op: 'test', path: '/a'.repeat(33), value: 1 }])).toThrow('deeper than 32')
    const many = Array.from({ length: 10_001 }, (): JsonPatchOperation => ({ op: 'test', path: '', value: {} }))
    expect(() => applyPatch({}, many)).toThrow('more than 10000')
    const doubling = Array.from(
      { length: 60 },
      (_, i): JsonPatchOperation => ({ op: 'copy', from: '', path: i % 2 ? '/a' : '/b' }),
    )
    expect(() => applyPatch({}, doubling)).toThrow('copies too much')
  })

  test('applies ten thousand operations to a long list without copying it each time', () => {
    const before = { rows: Array.from({ length: 10_000 }, (_, n) => ({ n })) }
    const patch = before.rows.map((_, i): JsonPatchOperation => ({ op: 'replace', path: `/rows/${i}/n`, value: -i }))
    const after = applyPatch(before, patch) as typeof before
    expect([after.rows[9_999], before.rows[9_999]]).toEqual([{ n: -9_999 }, { n: 9_999 }])
  })
})

/** RFC 7396, appendix A: the same fifteen situations, with other data. */
const MERGES: ReadonlyArray<[target: string, patch: string, result: string]> = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","c":"d"}', '{"a":null}', '{"c":"d"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
]

describe('a merge patch', () => {
  test.each(MERGES)('%s with %s', (target, patch, result) => {
    const before = json(target)
    expect(mergePatch(before, json(patch))).toEqual(json(result))
    expect(before).toEqual(json(target))
  })

  test('shares what it does not touch, and the whole when it changes nothing', () => {
    const before = { left: { n: 1 }, right: { n: 2 } }
    expect((mergePatch(before, { right: { n: 3 } }) as typeof before).left).toBe(before.left)
    expect(mergePatch(before, { right: { n: 2 }, gone: null })).toBe(before)
  })

  test('takes constructor and prototype for names of members', () => {
    expect(mergePatch({ constructor: 'Ferrari' }, { constructor: 'McLaren' })).toEqual({ constructor: 'McLaren' })
    const patch = { constructor: { prototype: { polluted: true } }, prototype: 1 }
    expect(mergePatch({ a: 1 }, patch)).toEqual({ a: 1, ...patch })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('refuses __proto__ and excess depth', () => {
    expect(() => mergePatch({}, json('{"a":{"__proto__":{"polluted":true}}}'))).toThrow('names "__proto__"')
    expect(() => mergePatch({}, json(`${'{"a":'.repeat(33)}{}${'}'.repeat(33)}`))).toThrow('deeper than 32')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
