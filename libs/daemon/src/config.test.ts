import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isClusterError } from '@cluster/prelude'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConfigInput, type Configuration, readConfig } from './config.ts'
import { booleanOption, durationOption, listOption, numberOption, secretOption, stringOption } from './options.ts'

const options = {
  verbosity: numberOption({ help: 'More than 0 writes a debug log.', default: 0, integer: true, min: 0 }),
  etcdServers: listOption({ help: 'Endpoints of the store.', default: ['http://127.0.0.1:2379'] }),
  etcdPassword: secretOption({ help: 'Password for the store.' }),
  agentTtl: durationOption({ help: 'After this a silent machine is dead.', default: 6000, min: 1000 }),
  disableEngine: booleanOption({ help: 'Never lead.', default: false }),
  publicIp: stringOption({ help: 'Address to publish.', default: '' }),
}

let folder = ''
let defaultFile = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-test-'))
  defaultFile = join(folder, 'fleet.conf')
})
afterEach(() => rm(folder, { recursive: true }))

const read = ({ argv = [], environment = {} }: Partial<ConfigInput>) =>
  readConfig(
    {
      name: 'fleetd',
      version: '1.2.3',
      summary: 'places units',
      environmentPrefix: 'FLEET_',
      defaultFile,
      options,
      argumentHint: 'Did you mean to invoke fleetctl instead?',
    },
    { argv, environment },
  )

async function run(input: Partial<ConfigInput>): Promise<Configuration<typeof options>> {
  const outcome = await read(input)
  if (outcome.kind !== 'run') throw new Error('expected to run')
  return outcome
}

async function failure(
  input: Partial<ConfigInput>,
): Promise<{ code: string; message: string; hint: string | undefined }> {
  try {
    await read(input)
  } catch (error) {
    if (isClusterError(error)) return { code: error.code, message: error.message, hint: error.hint }
    throw error
  }
  throw new Error('expected a failure')
}

describe('readConfig', () => {
  it('gives the defaults when nothing is said', async () => {
    const { values, sources, file, warnings } = await run({})
    expect(values).toMatchObject({ verbosity: 0, agentTtl: 6000, disableEngine: false, publicIp: '' })
    expect(sources.verbosity).toEqual({ kind: 'default' })
    expect(file).toBeUndefined()
    expect(warnings).toEqual([])
  })

  it('takes flags before the environment, that before the file', async () => {
    await writeFile(defaultFile, 'verbosity=1\nagent_ttl="10s"\npublic_ip = "file"\n')
    const environment = { FLEET_AGENT_TTL: '20s', FLEET_PUBLIC_IP: 'environment' }
    const { values, sources } = await run({ argv: ['--public-ip', 'flag'], environment })
    expect([values.verbosity, values.agentTtl, values.publicIp]).toEqual([1, 20_000, 'flag'])
    expect([sources.verbosity, sources.agentTtl, sources.publicIp]).toEqual([
      { kind: 'file', path: defaultFile, line: 1 },
      { kind: 'environment', variable: 'FLEET_AGENT_TTL' },
      { kind: 'flag', flag: '--public-ip' },
    ])
  })

  it.each([
    [['--agent-ttl=9s'], { agentTtl: 9000 }],
    [['--agent_ttl', '9s'], { agentTtl: 9000 }],
    [['-agent-ttl', '9s'], { agentTtl: 9000 }],
    [['--disable-engine'], { disableEngine: true }],
    [['--disable-engine=false'], { disableEngine: false }],
    [['--disable-engine', '--verbosity', '1'], { disableEngine: true, verbosity: 1 }],
    [['--verbosity=1', '--verbosity=2'], { verbosity: 2 }],
    [['--public-ip='], { publicIp: '' }],
  ])('reads %j', async (argv, expected) => {
    expect((await run({ argv })).values).toMatchObject(expected)
  })

  it('counts a variable that is set but empty', async () => {
    await writeFile(defaultFile, 'public_ip=file')
    expect((await run({ environment: { FLEET_PUBLIC_IP: '' } })).values.publicIp).toBe('')
  })

  it('takes a bare boolean in the file as yes', async () => {
    await writeFile(defaultFile, 'disable_engine\n')
    expect((await run({})).values.disableEngine).toBe(true)
  })

  it('names the place of every mistake at once', async () => {
    await writeFile(defaultFile, '\nverbosity = many\npublic_ip\n')
    const { code, message } = await failure({
      argv: ['--disable-engine=maybe'],
      environment: { FLEET_AGENT_TTL: '30' },
    })
    expect(code).toBe('daemon/bad-config')
    expect(message.split('\n').sort()).toEqual(
      [
        `${defaultFile}:2: verbosity is "many": expected a number`,
        `${defaultFile}:3: public_ip needs a value`,
        'environment FLEET_AGENT_TTL: agent_ttl is "30": a duration needs a unit, such as 30s',
        'flag --disable-engine: disable_engine is "maybe": expected true or false',
      ].sort(),
    )
  })

  it('warns of unknown keys and near misses of variables, with what was meant', async () => {
    await writeFile(defaultFile, 'agent_tll=5s\n[section]\nx=1\n')
    const { warnings } = await run({ environment: { FLEET_PUBLICIP: 'x', FLEET_SOMETHING_ELSE_ENTIRELY: 'y' } })
    expect(warnings).toEqual([
      expect.stringContaining(`${defaultFile}:2: everything from [section] on`),
      `${defaultFile}:1: there is no option agent_tll; did you mean agent_ttl?`,
      'environment FLEET_PUBLICIP: there is no option publicip; did you mean FLEET_PUBLIC_IP?',
    ])
  })

  it('refuses an unknown flag and names the nearest', async () => {
    const { code, message, hint } = await failure({ argv: ['--agent-tll=5s'] })
    expect([code, message]).toEqual(['daemon/usage', 'there is no flag --agent-tll'])
    expect(hint).toContain('did you mean --agent-ttl?')
  })

  it('refuses a flag without its value', async () => {
    expect((await failure({ argv: ['--agent-ttl'] })).code).toBe('daemon/usage')
  })

  it('refuses words that are not flags', async () => {
    const { code, hint } = await failure({ argv: ['start'] })
    expect([code, hint]).toEqual(['daemon/unexpected-argument', 'Did you mean to invoke fleetctl instead?'])
  })

  it('does not start without the file it was told to read', async () => {
    expect((await failure({ argv: ['--config', join(folder, 'none')] })).code).toBe('daemon/config-file')
    expect((await failure({ argv: ['--config', folder] })).code).toBe('daemon/config-file')
  })

  it('never shows a secret, also not a wrong one', async () => {
    await writeFile(defaultFile, 'etcd_password="hunter2"')
    const outcome = await run({})
    expect(JSON.stringify(outcome)).not.toContain('hunter2')
    expect(outcome.values.etcdPassword.reveal()).toBe('hunter2')
  })

  it.each([['--version'], ['version'], ['-version']])('prints the version for %s', async (word) => {
    expect(await read({ argv: [word] })).toEqual({ kind: 'print', text: 'fleetd version 1.2.3\n' })
  })

  it('prints help from the declaration', async () => {
    const outcome = await read({ argv: ['--help'] })
    const text = outcome.kind === 'print' ? outcome.text.replaceAll(defaultFile, '/etc/fleet/fleet.conf') : ''
    expect(text).toMatchInlineSnapshot(`
      "fleetd: places units

      Usage: fleetd [--config FILE] [flags]

      Each option can be given as a flag, as a variable of the environment (FLEET_…),
      or as a line key = "value" in /etc/fleet/fleet.conf; the first of these that is there counts.

        --verbosity NUMBER
            More than 0 writes a debug log.
            default 0 · FLEET_VERBOSITY · verbosity
        --etcd-servers A,B,…
            Endpoints of the store.
            default http://127.0.0.1:2379 · FLEET_ETCD_SERVERS · etcd_servers
        --etcd-password SECRET
            Password for the store.
            default none · FLEET_ETCD_PASSWORD · etcd_password
        --agent-ttl DURATION
            After this a silent machine is dead.
            default 6s · FLEET_AGENT_TTL · agent_ttl
        --disable-engine
            Never lead.
            default false · FLEET_DISABLE_ENGINE · disable_engine
        --public-ip TEXT
            Address to publish.
            default none · FLEET_PUBLIC_IP · public_ip
        --config FILE
            the configuration file
        --version
            print the version
        --help
            print this text
      "
    `)
  })
})
