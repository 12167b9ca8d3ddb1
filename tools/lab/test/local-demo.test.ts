/** `npm start -- --exit` as it is shipped: built programs, real processes, no root and no systemd. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { killMarked, type Mark, markedProcesses } from '../src/marked-processes.ts'

const program = fileURLToPath(new URL('../dist/local-demo.js', import.meta.url))

// Everything that the demonstration starts inherits its TMPDIR, and so can be found by it.
let folder: string
let mark: Mark
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
  mark = ['TMPDIR', folder]
})
afterEach(async () => {
  await killMarked(mark)
  rmSync(folder, { recursive: true })
})

function run(...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, ended: endOf(child) }
}

async function endOf(child: ChildProcess): Promise<{ exit: number | null; stdout: string; stderr: string }> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  return await new Promise((resolve) => child.on('close', (exit) => resolve({ exit, stdout, stderr })))
}

it('places, runs, serves, loses a machine and gets it back; nothing is left behind', { timeout: 120_000 }, async () => {
  const { exit, stdout, stderr } = await run('--exit').ended
  expect([exit, stderr]).toEqual([0, ''])
  for (const line of [
    /fleetd: each lists 3 machines/,
    /Unit hello\.service launched on /,
    /Hello from node[123]/,
    /Triggered global unit monitor\.service start/,
    /gpu\.service: waits, 0 of 3 machines can run it/,
    /web@1 {2}GET http:\/\/127\.0\.0\.10[123]:\d+ {2}"web 1 on node[123]"/,
    /\/services\/web\/2 is gone from the store/,
    /== kill -9 of node[123], its fleetd and every process of its units; web@1 was there/,
    /node[123] runs web@1 now, \d+\.\d s after the loss/,
    /node[123] runs its global unit \d+\.\d s later; web@1 stays/,
    /machine lost → active elsewhere/,
  ]) {
    expect(stdout).toMatch(line)
  }
  expect(placesOf(stdout, 'monitor.service').size).toBe(3)
  expect([markedProcesses(mark), readdirSync(folder)]).toEqual([[], []])
})

it('ends by a signal in the middle of its start, and leaves nothing behind', { timeout: 60_000 }, async () => {
  const { child, ended } = run()
  child.stdout?.on('data', (text: string) => {
    if (text.includes('store: kvd')) child.kill('SIGTERM')
  })
  expect((await ended).exit).toBe(130)
  expect([markedProcesses(mark), readdirSync(folder)]).toEqual([[], []])
})

/** The machines of a unit in the last list-units. */
const placesOf = (stdout: string, unit: string): ReadonlySet<string> => {
  const list = stdout.split('fleetctl list-units').at(-1) ?? ''
  return new Set(
    list.split('\n').flatMap((line) => (line.trim().startsWith(unit) ? [line.trim().split(/\s+/)[1] ?? ''] : [])),
  )
}
