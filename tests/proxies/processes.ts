// Programs that a test starts, kills and starts again: each leads a process group of its own, so that a kill reaches its
// workers too, and ends with the run, even with one that is killed.
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { PATIENCE } from '../kit/patience.ts'

export interface Program {
  name: string
  command: readonly string[]
  port: number
  env?: Record<string, string> | undefined
  /** Where its output goes; shown when it does not start. */
  log: string
}

export interface Running {
  readonly program: Program
  /** Settles when the leader has ended. */
  readonly ended: Promise<void>
  /** SIGKILL for the whole group. Settles when nobody listens any more. */
  kill(): Promise<void>
}

/** Settles when the program takes connections; rejects with what it printed if it ends before. */
export async function start(program: Program): Promise<Running> {
  const [file = '', ...parameters] = program.command
  const output = openSync(program.log, 'a')
  const child = spawn(file, parameters, {
    detached: true,
    env: { ...process.env, ...program.env },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const guard = guardOf(child)
  let hasEnded = false
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      hasEnded = true
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  const kill = async () => {
    killGroup(child)
    await ended
    guard.kill('SIGKILL')
    await until(async () => !(await isTaken(program.port)))
  }
  const isUp = await until(async () => hasEnded || (await isTaken(program.port)))
  if (!isUp || hasEnded) {
    killGroup(child)
    guard.kill('SIGKILL')
    const said = existsSync(program.log) ? readFileSync(program.log, 'utf8').slice(-2_000) : ''
    throw new Error(`${program.name} did not start: ${said}`)
  }
  return { program, ended, kill }
}

/** A port that nobody has. Below those that outgoing connections are given, so that none of them takes it later. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isFree(port)) return port
  }
}

/** Whether `is` came true in time. */
async function until(is: () => boolean | Promise<boolean>, timeout = PATIENCE.timeout): Promise<boolean> {
  const end = Date.now() + timeout
  while (Date.now() < end) {
    if (await is()) return true
    await pause(25)
  }
  return false
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => {
      const { port: taken } = server.address() as AddressInfo
      server.close(() => resolve(taken === port))
    })
  })
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/**
 * Ends the group when this process is gone, however it went: a shell that waits for the end of its input, which nobody else
 * holds. A listener for `exit` is not called in a worker that is killed.
 */
function guardOf(child: ChildProcess): ChildProcess {
  const script = 'read -r _; kill -s KILL -- "-$0"'
  const guard = spawn('/bin/sh', ['-c', script, String(child.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
  return guard
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group is gone already.
  }
}
