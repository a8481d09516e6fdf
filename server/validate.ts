/** Runs a validator over input from a client; a failure is a refusal that lists the fields. */

import { isError } from '../src/base/kinds'
import type { StandardSchema, Validator } from './functions'
import { isRefusal, refuse } from './problem'

export async function validate(validator: Validator | undefined, input: unknown): Promise<unknown> {
  if (validator === undefined) return input
  if (isStandardSchema(validator)) {
    const result = await validator['~standard'].validate(input)
    if (result.issues === undefined) return result.value
    const errors = result.issues.map(({ message, path }) => ({ message, path: path?.map(pathPart) ?? [] }))
    throw refuse('validation', errors[0]?.message ?? 'the input is not valid', { errors })
  }
  try {
    return await validator(input)
  } catch (error) {
    if (isRefusal(error)) throw error
    throw refuse('validation', isError(error) ? error.message : 'the input is not valid')
  }
}

// Some schema libraries are functions too, so the marker decides.
function isStandardSchema(validator: Validator): validator is StandardSchema {
  return '~standard' in validator
}

function pathPart(part: unknown): unknown {
  return typeof part === 'object' && part !== null && 'key' in part ? part.key : part
}
