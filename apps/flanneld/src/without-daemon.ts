/** What the commands read from the store and the kernel by themselves while no daemon runs. */
import type { FlagValues } from '@cluster/cli'
import { systemClock, systemRandom } from '@cluster/daemon/system'
import type { ReadOverlayOptions } from '@cluster/flannel'
import { isClusterError, type Random } from '@cluster/prelude'
import { parseVariables } from '@cluster/subnet'
import { askDaemon } from './ask-daemon.ts'
import type { Context } from './command.ts'
import { configOf, type FlanneldConfig, type NetworkFile } from './config.ts'
import { FlanneldError } from './errors.ts'
import { flags as daemonFlags, machineFlagNames, storeFlags } from './flag-table.ts'
import { type GivenFlags, readFlags } from './flags.ts'
import { storeAddresses } from './store-addresses.ts'
import { fileOf } from './subnet-file.ts'

/** One network, to be read. */
export type NetworkToRead = ReadOverlayOptions & { readonly random: Random }

/**
 * The daemon's answer, or, where none runs, what `read` finds out; that is said on standard error.
 *
 * @throws FlanneldError; when the daemon is missing: KvError, FlannelError, and what the kernel port throws
 */
export async function askOrRead(
  context: Context,
  flags: FlagValues,
  path: string,
  read: (networks: readonly NetworkToRead[]) => Promise<unknown>,
): Promise<unknown> {
  const { io, networks, signal } = context
  try {
    return await askDaemon(networks, path, signal)
  } catch (error) {
    if (!isClusterError(error, 'flanneld/not-running')) throw error
    io.stderr.write(`${error.message}: this is what the store and the kernel say\n`)
  }
  const config = configFor(io.env, flags)
  const open: AsyncDisposable[] = []
  try {
    const kv = await context.machine.openStore(config.store)
    open.push(kv)
    const toRead: NetworkToRead[] = []
    for (const network of networks) {
      const kernel = await context.machine.openKernel(config)
      open.push(kernel)
      const isMasquerading = flags.given('ip-masq') ? config.isMasquerading : await hasMasqueraded(network, config)
      toRead.push({
        kv,
        kernel,
        prefix: config.store.prefix,
        ...(network.name === undefined ? {} : { name: network.name }),
        subnetFile: fileOf(network),
        findExternal: context.machine.findExternal(config),
        storeAddresses: storeAddresses(config.store),
        config: { masquerade: isMasquerading, forward: config.isForwarding },
        clock: systemClock,
        random: systemRandom,
      })
    }
    return await read(toRead)
  } finally {
    for (const one of open.reverse()) await one[Symbol.asyncDispose]()
  }
}

/** Whether the last run masqueraded, as its file tells; else what the environment says. */
async function hasMasqueraded(network: NetworkFile, { isMasquerading }: FlanneldConfig): Promise<boolean> {
  const text = await fileOf(network).read()
  const told = text === undefined ? undefined : parseVariables(text).get('FLANNEL_IPMASQ')
  return told === undefined ? isMasquerading : told === 'true'
}

/** What a daemon would be told by these flags and variables. */
function configFor(environment: Context['io']['env'], flags: FlagValues): FlanneldConfig {
  const fromVariables = readFlags([], environment, [], '')
  if (fromVariables.kind === 'usage' || fromVariables.kind === 'refused') throw wrong(fromVariables)
  const given: Map<string, { readonly texts: readonly string[]; readonly source: 'flag' | 'environment' }> = new Map(
    fromVariables.kind === 'run' ? fromVariables.given : [],
  )
  for (const name of [...storeFlags.map((flag) => flag.name), ...machineFlagNames]) {
    if (flags.given(name)) given.set(name, { texts: textsOf(flags, name), source: 'flag' })
  }
  const config = configOf(given satisfies GivenFlags)
  if (config.ok) return config.value
  throw wrong(config.error)
}

function textsOf(flags: FlagValues, name: string): readonly string[] {
  const kind = daemonFlags.get(name)?.kind
  if (kind === 'boolean') return [String(flags.boolean(name))]
  // The command line joins what is repeated; interfaces have no commas in their names.
  return kind === 'repeated' && name !== 'iface-regex' ? flags.text(name).split(',') : [flags.text(name)]
}

const wrong = ({ message, remedy }: { readonly message: string; readonly remedy: string }): FlanneldError =>
  new FlanneldError('flanneld/usage', message, { hint: remedy })
