// Gets the proxies that are not there, before `npm run test:proxies`: by apt-get, where that may be (root, on Debian).
// While it installs, Debian is told to start none of them, so that nothing stays behind on their usual ports.
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { installByApt } from '../apt.ts'
import { missing, NEEDS } from './needs.ts'

const POLICY = '/usr/sbin/policy-rc.d'
const absent = missing()
if (absent.length > 0) {
  const isOurs = process.getuid?.() === 0 && !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    installByApt(absent.map((name) => NEEDS[name].package))
  } finally {
    if (isOurs) rmSync(POLICY, { force: true })
  }
}
