/** Whether this is a development build: bundlers replace `process.env.NODE_ENV`; where nothing is said it is not. */
declare const process: { env: { NODE_ENV?: string } }

export function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== 'production'
  } catch {
    return false
  }
}
