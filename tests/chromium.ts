// Where the browser of the tests is and how it starts: shared by the browser project, the e2e tests and the dist test.

/** Debian's package puts it there; Playwright's own download is not used. */
export const chromiumPath: string = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

/** No sandbox (tests run as root in CI), and nothing that talks to the network by itself. */
export const chromiumArguments: string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
