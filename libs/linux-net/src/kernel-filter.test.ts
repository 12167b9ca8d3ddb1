import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '@cluster/prelude'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFilter } from './kernel-filter.ts'

const clock: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
}
const missing = 'printf \'exec of "%s" failed: No such file or directory\\n\' "$1" >&2; exit 255'
const broken = 'echo "Protocol not supported" >&2; exit 3'
const denied = 'echo "Operation not permitted (you must be root)" >&2; exit 4'
const usedIptables = 'printf "*filter\\n:FORWARD DROP [0:0]\\nCOMMIT\\n"'

describe('which packet filter', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'filter-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** A host whose programs do what is said here. */
  const host = async (nft: string, iptables: string) => {
    const path = join(folder, `host-${Math.abs(hash(nft + iptables))}`)
    await writeFile(path, `case $1 in\nnft) ${nft} ;;\niptables*) ${iptables} ;;\nesac\n`)
    await chmod(path, 0o755)
    return openFilter({ prefix: ['sh', path], clock })
  }

  it.each([
    ['iptables where others use it', 'true', usedIptables, 'iptables'],
    ['nft where nobody uses iptables', 'true', 'true', 'nft'],
    ['nft where there is no iptables', 'true', missing, 'nft'],
    ['nft where the kernel has no iptables', 'true', broken, 'nft'],
    ['iptables where there is no nft', missing, 'true', 'iptables'],
    ['iptables where the kernel has no nft', broken, 'true', 'iptables'],
  ])('%s', async (_, nft, iptables, mode) => expect(await (await host(nft, iptables)).mode()).toBe(mode))

  it('none is an error, and so is a missing right', async () => {
    await expect((await host(missing, missing)).mode()).rejects.toMatchObject({ code: 'linux-net/program-missing' })
    await expect((await host('true', denied)).mode()).rejects.toMatchObject({ code: 'linux-net/no-permission' })
  })
  it('rules that the kernel refuses are an error with what it said', async () => {
    const filter = await host('[ "$2" = list ] || { echo "Error: Could not process rule" >&2; exit 1; }', missing)
    const overlay = { network: '10.5.0.0/16', subnet: '10.5.34.0/24', masquerade: true, forward: true }
    await expect(filter.sync(overlay)).rejects.toMatchObject({
      code: 'linux-net/filter',
      message: 'nft -f -: Error: Could not process rule',
    })
  })
})

function hash(text: string): number {
  let value = 0
  for (const character of text) value = (Math.imul(value, 31) + (character.codePointAt(0) ?? 0)) | 0
  return value
}
