/** Each rule of the lint is broken once, in a copy of the workspace, and must be seen. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyWorkspace, projectRoot, type WorkspaceCopy } from './workspace-copy.ts'

let copy: WorkspaceCopy

beforeAll(() => {
  copy = copyWorkspace()
}, 60_000)
afterAll(() => copy[Symbol.dispose]())

const run = (program: string, args: readonly string[]): { readonly status: number | null; readonly output: string } => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(projectRoot, 'node_modules', program), ...args],
    {
      cwd: copy.root,
      encoding: 'utf8',
    },
  )
  return { status, output: stdout + stderr }
}

const layers = (): { readonly status: number | null; readonly output: string } =>
  run('dependency-cruiser/bin/dependency-cruise.mjs', ['--config', '.dependency-cruiser.cjs', 'libs', 'apps', 'tools'])

const style = (path: string): { readonly status: number | null; readonly output: string } =>
  run('@biomejs/biome/bin/biome', ['lint', '--vcs-enabled=false', path])

/** Rule, file to plant, its text. */
const layerViolations = [
  ['prelude-imports-down', 'libs/prelude/src/planted.ts', "export { seededRandom } from '@cluster/kv'\n"],
  ['pure-imports-down', 'libs/scheduler/src/planted.ts', "export * from '@cluster/http'\n"],
  ['pure-imports-down', 'libs/unit-file/src/planted.ts', "export * from '@cluster/fleet'\n"],
  ['adapter-imports-down', 'libs/systemd/src/planted.ts', "export * from '@cluster/fleet'\n"],
  ['service-imports-down', 'libs/fleet/src/planted.ts', "export * from '../../../tools/vectors/src/differences.ts'\n"],
  ['app-imports-down', 'apps/fleetctl/src/planted.ts', "export * from '../../fleetd/src/main.ts'\n"],
  ['pure-has-no-io', 'libs/scheduler/src/planted.ts', "export { readFileSync } from 'node:fs'\n"],
  ['pure-has-no-io', 'libs/prelude/src/planted.ts', "export { createHash } from 'node:crypto'\n"],
  ['pure-has-few-dependencies', 'libs/kv/src/planted.ts', "export { default as pino } from 'pino'\n"],
  ['service-constructs-no-adapter', 'libs/fleet/src/planted.ts', "export { readFileSync } from 'node:fs'\n"],
  ['service-constructs-no-adapter', 'libs/fleet/src/planted.ts', "export * from '@cluster/kv-client'\n"],
  ['service-constructs-no-adapter', 'libs/fleet/src/planted.ts', "export * from '@cluster/linux-net'\n"],
  ['linux-net-state-has-no-io', 'libs/linux-net/src/state/planted.ts', "export { readFileSync } from 'node:fs'\n"],
  [
    'linux-net-state-stands-alone',
    'libs/linux-net/src/state/planted.ts',
    "export { openKernel } from '../open-kernel.ts'\n",
  ],
  ['daemons-start-no-program', 'apps/fleetd/src/planted.ts', "export { spawn } from 'node:child_process'\n"],
  ['only-linux-net-knows-ffi', 'apps/fleetd/src/planted.ts', "export { load } from 'koffi'\n"],
  ['only-systemd-knows-d-bus', 'apps/fleetd/src/planted.ts', "export { systemBus } from 'dbus-next'\n"],
  ['only-http-knows-node-http', 'libs/fleet-api/src/planted.ts', "export { request } from 'node:http'\n"],
  ['few-open-sockets', 'libs/fleet-api/src/planted.ts', "export { connect } from 'node:net'\n"],
  ['only-daemon-knows-logs-and-metrics', 'libs/http/src/planted.ts', "export { pino } from 'pino'\n"],
  ['only-cli-knows-commander', 'apps/fleetctl/src/planted.ts', "export { Command } from 'commander'\n"],
  ['only-kv-client-knows-etcd', 'libs/systemd/src/planted.ts', "export * from '@cluster/kv-client'\n"],
  ['packages-meet-at-their-names', 'libs/kv/src/planted.ts', "export { ok } from '../../prelude/src/result.ts'\n"],
  ['tests-are-not-imported', 'libs/kv/src/planted.ts', "export * from './planted.test.ts'\n"],
  ['no-cycles', 'libs/kv/src/planted.ts', "export { planted } from './planted.ts'\n"],
  ['imports-resolve', 'libs/kv/src/planted.ts', "export * from '@cluster/nowhere'\n"],
  ['dependencies-are-declared', 'libs/http/src/planted.ts', "export { object } from 'valibot'\n"],
] as const

/** All faults are planted at once: one run of the lint has to see each of them. */
const plantedPath = (path: string, index: number): string => path.replace('planted', `planted-${index}`)

describe('layers', () => {
  it('the workspace as it is has no violation', () => {
    expect(layers()).toMatchObject({ status: 0 })
  })

  describe('with every rule broken', () => {
    let seen: { readonly status: number | null; readonly output: string }

    beforeAll(() => {
      copy.plant('libs/kv/src/planted.test.ts', 'export const planted = 1\n')
      layerViolations.forEach(([, path, text], index) => {
        copy.plant(plantedPath(path, index), text.replace('./planted.ts', `./planted-${index}.ts`))
      })
      seen = layers()
    }, 60_000)
    afterAll(() => {
      copy.remove('libs/kv/src/planted.test.ts')
      for (const [index, [, path]] of layerViolations.entries()) copy.remove(plantedPath(path, index))
    })

    it.each(layerViolations.map(([rule, path], index) => [rule, plantedPath(path, index)] as const))(
      '%s is seen in %s',
      (rule, path) => {
        expect(seen.output.split('\n').filter((line) => line.includes(`${rule}: ${path}`))).not.toEqual([])
        expect(seen.status).not.toBe(0)
      },
    )
  })

  it('every rule of the configuration is among those that were broken', async () => {
    const configuration: unknown = (await import(join(projectRoot, '.dependency-cruiser.cjs'))).default
    expect(ruleNames(configuration).filter((name) => !layerViolations.some(([rule]) => rule === name))).toEqual([])
  })

  it('a package that declares no layer stops the lint', () => {
    copy.plant('libs/planted/package.json', '{ "name": "@cluster/planted" }\n')
    copy.plant('libs/planted/src/index.ts', 'export {}\n')
    try {
      const { status, output } = layers()
      expect(status).not.toBe(0)
      expect(output).toContain('libs/planted/package.json: declare one of layer:')
    } finally {
      copy.remove('libs/planted')
    }
  })
})

function ruleNames(configuration: unknown): readonly string[] {
  if (typeof configuration !== 'object' || configuration === null || !('forbidden' in configuration)) return ['none']
  const { forbidden } = configuration
  if (!Array.isArray(forbidden)) return ['none']
  return forbidden.map((rule: unknown) =>
    typeof rule === 'object' && rule !== null && 'name' in rule ? String(rule.name) : 'unnamed',
  )
}

const styleViolations = [
  ['noRestrictedGlobals', 'libs/scheduler/src/planted.ts', 'export const now = Date.now()\n'],
  ['noRestrictedGlobals', 'libs/kv/src/planted.ts', 'export const later = () => setTimeout(() => 1, 1)\n'],
  ['noRestrictedGlobals', 'libs/unit-file/src/planted.ts', 'export const later = Promise.resolve(1)\n'],
  ['noRestrictedGlobals', 'libs/prelude/src/planted.ts', 'export const home = process.env\n'],
  ['given its randomness', 'libs/kv/src/planted.ts', 'export const chance = Math.random()\n'],
  ['is synchronous', 'libs/scheduler/src/planted.ts', 'export const wait = async () => 1\n'],
  ['is synchronous', 'libs/unit-file/src/planted.ts', 'export async function wait(): Promise<void> {}\n'],
  ['noFloatingPromises', 'libs/http/src/planted.ts', 'const go = async (): Promise<void> => {}\ngo()\nexport {}\n'],
  [
    'useExhaustiveSwitchCases',
    'libs/kv/src/planted.ts',
    "type Kind = 'a' | 'b'\nexport const f = (kind: Kind): number => {\n  switch (kind) {\n    case 'a':\n      return 1\n  }\n  return 2\n}\n",
  ],
  ['noExplicitAny', 'libs/kv/src/planted.ts', 'export const a: any = 1\n'],
  ['noNonNullAssertion', 'libs/kv/src/planted.ts', 'export const f = (a?: string): string => a!\n'],
  ['noDefaultExport', 'libs/kv/src/planted.ts', 'export default 1\n'],
  ['noEnum', 'libs/kv/src/planted.ts', 'export enum Kind { A }\n'],
  [
    'useImportType',
    'libs/kv/src/planted.ts',
    "import { Brand } from '@cluster/prelude'\nexport type A = Brand<string, 'A'>\n",
  ],
  ['useNodejsImportProtocol', 'libs/http/src/planted.ts', "export { readFileSync } from 'fs'\n"],
] as const

describe('style and purity', () => {
  it.each(styleViolations)('%s is seen in %s', (rule, path, text) => {
    copy.plant(path, text)
    try {
      const { status, output } = style(path)
      expect(output).toContain(rule)
      expect(status).not.toBe(0)
    } finally {
      copy.remove(path)
    }
  })

  it('a decision in an adapter may be asynchronous: the purity rules end where they should', () => {
    copy.plant('libs/http/src/planted.ts', 'export const wait = async (): Promise<number> => Date.now()\n')
    try {
      expect(style('libs/http/src/planted.ts')).toMatchObject({ status: 0 })
    } finally {
      copy.remove('libs/http/src/planted.ts')
    }
  })
})
