/**
 * What programs that start containers must be told, so that their containers live in this machine's subnet: docker in
 * the words of the original's helper (spec/flannel.md §10), podman, and systemd-nspawn by files of systemd-networkd.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { formatNet4, formatNet6 } from './ip-net.ts'
import { gateway4, gateway6, type SubnetEnv } from './subnet-env.ts'

/** What the helper is told by its flags. */
export type DockerFlags = {
  /** `-i`: one variable per option; both when neither is asked for. */
  readonly individual?: boolean
  /** `-c`: all options in one variable. */
  readonly combined?: boolean
  /** `-k`: the name of that variable, `DOCKER_OPTS`. */
  readonly combinedKey?: string
  /** `-m`: nothing about masquerading, for an old docker. */
  readonly withoutIpMasq?: boolean
}

/**
 * The file that the helper `mk-docker-opts` writes, byte for byte.
 *
 * @param variables of the subnet file as it is written; `undefined` when there is no such file
 * @param environment in which the helper runs: options that are there already stay, in front
 * @returns a problem when FLANNEL_IPMASQ is neither true nor false; the helper ends with status 1 then
 */
export function renderDockerOptions(
  variables: ReadonlyMap<string, string> | undefined,
  { individual = false, combined = false, combinedKey = 'DOCKER_OPTS', withoutIpMasq = false }: DockerFlags = {},
  environment: Readonly<Record<string, string | undefined>> = {},
): Result<string, { readonly text: string; readonly hint: string }> {
  // The helper reads the file into its environment, where the file's values replace the ones that were there.
  const variable = (name: string): string => variables?.get(name) ?? environment[name] ?? ''
  const ipMasq = variable('FLANNEL_IPMASQ')
  if (!withoutIpMasq && ipMasq !== '' && ipMasq !== 'true' && ipMasq !== 'false')
    return err({ text: `Invalid value of FLANNEL_IPMASQ: ${ipMasq}`, hint: 'it must be true or false' })
  const options = new Map<string, string>()
  for (const [name, value] of [...Object.entries(environment), ...(variables ?? [])])
    if (`${name}=${value ?? ''}`.includes('DOCKER_OPT_')) options.set(name, value ?? '')
  if (variable('FLANNEL_SUBNET') !== '') options.set('DOCKER_OPT_BIP', `--bip=${variable('FLANNEL_SUBNET')}`)
  if (variable('FLANNEL_MTU') !== '') options.set('DOCKER_OPT_MTU', `--mtu=${variable('FLANNEL_MTU')}`)
  // One of the two must masquerade, not both.
  if (!withoutIpMasq && ipMasq !== '') options.set('DOCKER_OPT_IPMASQ', `--ip-masq=${ipMasq === 'false'}`)
  const sorted = [...options].sort(([one], [other]) => (one < other ? -1 : 1))
  const before = variable(combinedKey)
  const all = [...(before === '' ? [] : [`${before} `]), ...sorted.map(([, value]) => value)]
  const joined = before === '' ? all.map((option) => ` ${option}`).join('') : all.join(' ')
  const lines = [
    ...(individual || !combined ? sorted.map(([name, value]) => `${name}="${value}"`) : []),
    ...(combined || !individual ? [`${combinedKey}="${joined}"`] : []),
  ]
  return ok(lines.map((line) => `${line}\n`).join(''))
}

/** What the bridge and the network of the containers are called. */
export type ContainerNetwork = {
  /** The bridge device, at most 15 characters. */
  readonly bridge: string
  /** The network in podman. */
  readonly name: string
}

/** The names that are taken unless told. */
export const containerNetwork: ContainerNetwork = { bridge: 'overlay0', name: 'overlay' }

/**
 * The words behind `podman` that make a network of this machine's subnet.
 *
 * When the overlay masquerades, podman must not: it is told to leave the bridge alone, which then has to exist (the
 * files of `renderNspawnFiles` make it), and it forwards no ports.
 */
export function podmanWords(env: SubnetEnv, { bridge, name }: ContainerNetwork = containerNetwork): readonly string[] {
  const { subnet, ipv6Subnet, mtu, ipMasq } = env
  return [
    'network',
    'create',
    '--driver=bridge',
    `--interface-name=${bridge}`,
    ...(subnet === undefined ? [] : [`--subnet=${formatNet4(subnet)}`, `--gateway=${gateway4(subnet)}`]),
    ...(ipv6Subnet === undefined
      ? []
      : ['--ipv6', `--subnet=${formatNet6(ipv6Subnet)}`, `--gateway=${gateway6(ipv6Subnet)}`]),
    `--opt=mtu=${mtu}`,
    ...(ipMasq ? ['--opt=mode=unmanaged'] : []),
    name,
  ]
}

/** A file, by its full path. */
export type RenderedFile = { readonly path: string; readonly text: string }

/**
 * A bridge by systemd-networkd that hands out the addresses of this machine's subnet, and for each of the containers
 * named a settings file that puts it on the bridge. systemd-nspawn takes `--network-bridge=` instead as well.
 */
export function renderNspawnFiles(
  env: SubnetEnv,
  containers: readonly string[] = [],
  { bridge }: Pick<ContainerNetwork, 'bridge'> = containerNetwork,
): readonly RenderedFile[] {
  const { subnet, ipv6Subnet, mtu, ipMasq } = env
  const network = [
    ...(subnet === undefined ? [] : [`Address=${gateway4(subnet)}/${subnet.length}`, 'DHCPServer=yes']),
    ...(ipv6Subnet === undefined ? [] : [`Address=${gateway6(ipv6Subnet)}/${ipv6Subnet.length}`, 'IPv6SendRA=yes']),
    'ConfigureWithoutCarrier=yes',
    `IPMasquerade=${ipMasq ? 'no' : 'both'}`,
  ]
  const sections = [
    ['Match', `Name=${bridge}`],
    ['Network', ...network],
    // Option 26 is the MTU: containers would send packets of 1500 bytes otherwise.
    ...(subnet === undefined ? [] : [['DHCPServer', `SendOption=26:uint16:${mtu}`]]),
    ...(ipv6Subnet === undefined ? [] : [['IPv6Prefix', `Prefix=${formatNet6(ipv6Subnet)}`]]),
  ]
  return [
    {
      path: `/run/systemd/network/70-${bridge}.netdev`,
      text: renderSections([['NetDev', `Name=${bridge}`, 'Kind=bridge', `MTUBytes=${mtu}`]]),
    },
    { path: `/run/systemd/network/70-${bridge}.network`, text: renderSections(sections) },
    ...containers.map((container) => ({
      path: `/run/systemd/nspawn/${container}.nspawn`,
      text: renderSections([['Network', `Bridge=${bridge}`]]),
    })),
  ]
}

const renderSections = (sections: readonly (readonly string[])[]): string =>
  sections.map(([name, ...lines]) => `[${name}]\n${lines.map((line) => `${line}\n`).join('')}`).join('\n')
