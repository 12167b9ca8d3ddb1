/** Starts that must not be: each is refused with one error that names the place and the remedy, and exit code 1. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { kvdCommand, type ServerProcess, startServer } from '../src/server-process.ts'

const command = kvdCommand(resolve(import.meta.dirname, '../../..'))

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let folder = ''
let running: ServerProcess
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cluster-refusals-'))
  running = await startServer({ command, folder: join(folder, 'running') })
})
afterAll(async () => {
  await running.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Refused = { readonly code: number | null; readonly output: string; readonly lines: readonly string[] }

/** Starts a server that is to end by itself. */
function refused(dataDirectory: string, clientUrl = 'http://127.0.0.1:0'): Promise<Refused> {
  const [program = '', ...first] = command
  const flags = ['--data-dir', dataDirectory, '--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl]
  return new Promise((settle, reject) => {
    const child = spawn(program, [...first, ...flags], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 })
    const [output, errors]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      const lines = Buffer.concat(errors).toString().trimEnd().split('\n')
      // The lines of the log begin with a date; what is left is the error.
      settle({ code, output: Buffer.concat(output).toString(), lines: lines.filter((line) => !/^\d{4}-/.test(line)) })
    })
  })
}

function holding(name: string, file: string, content: string): string {
  const directory = join(folder, name)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, file), content)
  return directory
}

describe('a start is refused', () => {
  it.each<readonly [string, () => string, RegExp]>([
    ['on a data directory in use', () => running.dataDirectory, /n0\.data is in use by process \d+$/],
    [
      'on the data directory of something else',
      () => holding('other', 'member', ''),
      /other is not the data dir.*member/,
    ],
    ['on a file', () => join(holding('file', 'data', ''), 'data'), /data is not the data directory .* no directory$/],
    ['below a file', () => join(holding('below', 'data', ''), 'data/store'), /cannot open the log in .*data\/store$/],
  ])('%s', async (_, directory, message) => {
    const { code, output, lines } = await refused(directory())
    expect({ code, output, first: lines[0] }).toEqual({ code: 1, output: '', first: expect.stringMatching(message) })
    expect(lines.length).toBeLessThanOrEqual(3)
    expect(lines.join('\n')).not.toMatch(/^\s+at /m)
  })

  it('on a port in use', async () => {
    const { code, lines } = await refused(join(folder, 'port'), running.clientUrl)
    expect([code, lines[0]]).toEqual([1, `kvd: tcp://127.0.0.1:${running.port} is in use`])
    expect(lines.at(-1)).toContain('choose another address')
  })

  it('on damage in the middle of the log, and nothing is changed', async () => {
    const damaged = await startServer({ command, folder: join(folder, 'damaged') })
    for (const key of ['one', 'two', 'three']) {
      await fetch(`${damaged.clientUrl}/v2/keys/${key}?value=acknowledged`, { method: 'PUT' })
    }
    await damaged.stop()
    const log = join(damaged.dataDirectory, 'log')
    const segment = join(log, readdirSync(log).find((name) => name.endsWith('.log')) ?? '')
    const bytes = readFileSync(segment)
    const at = bytes.indexOf('/1/one')
    bytes.writeUInt8(bytes.readUInt8(at + 3) ^ 1, at + 3)
    writeFileSync(segment, bytes)
    const { code, lines } = await refused(damaged.dataDirectory)
    expect([code, lines[0]]).toEqual([1, expect.stringMatching(/\.log is damaged at byte \d+: /)])
    expect(lines[1]).toMatch(/^kvd: acknowledged data would be lost/)
    expect(readFileSync(segment).equals(bytes)).toBe(true)
  })
})

it('the directories on the way to a new data directory are made', async () => {
  const [program = '', ...first] = command
  const directory = join(folder, 'on/the/way')
  const url = 'http://127.0.0.1:0'
  const flags = ['--data-dir', directory, '--listen-client-urls', url, '--advertise-client-urls', url]
  const child = spawn(program, [...first, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let said = ''
  for await (const chunk of child.stderr) {
    said += String(chunk)
    if (said.includes('listening for client requests')) break
  }
  child.kill('SIGTERM')
  await ended
  expect(readdirSync(directory)).toEqual(expect.arrayContaining(['lock', 'log', 'snapshots']))
})
