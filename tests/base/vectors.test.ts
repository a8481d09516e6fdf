// The public test vectors of JSON Patch (RFC 6902: json-patch-test-suite) and of JSON Merge Patch (RFC 7396, appendix A).
import specTests from 'json-patch-test-suite/spec_tests.json' with { type: 'json' }
import tests from 'json-patch-test-suite/tests.json' with { type: 'json' }
import { describe, expect, test } from 'vitest'
import { applyPatch, mergePatch } from '../../src/base/json-patch'
import { deepFreeze } from '../kit/freeze'

interface Vector {
  readonly comment?: string
  readonly doc: unknown
  readonly patch: unknown
  readonly expected?: unknown
  readonly error?: string
  readonly disabled?: boolean
}

const vectors = [...(tests as readonly Vector[]), ...(specTests as readonly Vector[])]
// The suite itself takes these out: of a document that JSON.parse has read, a name that stands twice is not to be seen.
const enabled = vectors.filter(({ disabled }) => disabled !== true)

describe('RFC 6902, json-patch-test-suite', () => {
  test('is there, whole', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(95)
    expect(vectors.length - enabled.length).toBeLessThanOrEqual(4)
  })

  test.each(enabled.map((vector, at) => ({ ...vector, name: `${at} ${vector.comment ?? vector.error ?? ''}` })))(
    '$name',
    ({ doc, patch, expected, error }) => {
      const run = () => applyPatch(deepFreeze(structuredClone(doc)), patch as never)
      if (error !== undefined) expect(run).toThrow()
      else if (expected === undefined) expect(run).not.toThrow()
      else expect(run()).toEqual(expected)
    },
  )
})

/** Appendix A: original, patch, result. */
const APPENDIX: ReadonlyArray<readonly [string, string, string]> = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
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

describe('RFC 7396, appendix A', () => {
  test.each(APPENDIX)('%s and %s is %s', (original, patch, result) => {
    expect(mergePatch(deepFreeze(JSON.parse(original)), JSON.parse(patch))).toEqual(JSON.parse(result))
  })
})
