/**
 * Which subnet should this machine have? One decision from one listing of the leases. Rules of the original
 * (spec/flannel.md §3) with its "better" ones: a lease of another machine is neither taken nor deleted, a previous
 * subnet is looked at for overlaps, and so is an own lease.
 */
import type { Random } from '@cluster/prelude'
import { type Candidate, drawFreeSubnet } from './free-subnets.ts'
import type { Ip4, Ip6 } from './ip-net.ts'
import { formatIp4, formatIp6, net4, net6, toIp4, toIp6 } from './ip-net.ts'
import { describeSubnet, type Lease, type Subnet, sameSubnet, subnetKey, subnetsOverlap } from './lease.ts'
import type { NetworkConfig } from './network-config.ts'

/** A lease as it was listed. What else the caller keeps with it, a revision for example, comes back in the plan. */
export type ListedLease = Lease & {
  /** Without its path, as it stands in the store. */
  readonly key: string
}

/** All that stands below `PREFIX/subnets`, as of one revision. */
export type Listing<Listed extends ListedLease = ListedLease> = {
  readonly leases: readonly Listed[]
  /** Subnets of keys whose value names no owner: nobody may have them. */
  readonly blocked?: readonly Subnet[]
}

/** Who asks for a subnet. */
export type Applicant = {
  readonly config: NetworkConfig
  /** The same address means the same machine. */
  readonly publicIp: Ip4
  /** Tells machines apart when IPv4 is off. */
  readonly publicIpv6?: Ip6
  /** The subnet of the last run, from the subnet file. */
  readonly previous?: Subnet
  /** This subnet or none: for a lease that was lost while its subnet is in use. */
  readonly only?: Subnet
}

/** What to do, in this order: the deletions, then `outcome`. */
export type AllocationPlan<Listed extends ListedLease = ListedLease> = {
  /** Own leases that are of no use. */
  readonly deletions: readonly { readonly lease: Listed; readonly reason: string }[]
  readonly outcome:
    | { readonly kind: 'adopt'; readonly lease: Listed; readonly reason: string }
    | { readonly kind: 'create'; readonly key: string; readonly subnet: Subnet; readonly reason: string }
    | { readonly kind: 'out-of-subnets'; readonly reason: string }
    | { readonly kind: 'taken'; readonly subnet: Subnet; readonly reason: string }
}

/**
 * The decision for one listing.
 *
 * @param lost keys that were found taken in this allocation although they were not listed: no longer a previous subnet
 * @returns texts of `reason` are the log lines of the original, where it has one
 */
export function planAllocation<Listed extends ListedLease>(
  applicant: Applicant,
  listing: Listing<Listed>,
  random: Random,
  lost: readonly string[] = [],
): AllocationPlan<Listed> {
  const { config, only } = applicant
  const own = listing.leases.filter((lease) => isOwn(applicant, lease))
  const foreign = foreignSubnets(applicant, listing)
  const isFree = (subnet: Subnet): boolean => !foreign.some((other) => subnetsOverlap(subnet, other))
  const wanted = own.filter(({ subnet }) => only === undefined || sameSubnet(subnet, only))
  const adopted = wanted.find(({ subnet }) => fits(subnet, config) && isFree(subnet))
  const owner = describeOwner(applicant)
  if (adopted !== undefined) {
    const reason = `Found lease (${describeSubnet(adopted.subnet)}) for current IP (${owner}), reusing`
    return { deletions: [], outcome: { kind: 'adopt', lease: adopted, reason } }
  }
  const deletions = own.map((lease) => ({ lease, reason: uselessReason(lease, owner, config) }))
  // As in the original, what is about to be deleted still counts: it may be there a while longer.
  const taken = [...foreign, ...own.map(({ subnet }) => subnet)]
  const isUnused = (subnet: Subnet): boolean => !taken.some((other) => subnetsOverlap(subnet, other))
  const previous = only ?? applicant.previous
  if (previous !== undefined && fits(previous, config) && isUnused(previous) && !lost.includes(subnetKey(previous))) {
    const reason = `Found previously leased subnet (${describeSubnet(previous)}), reusing`
    return { deletions, outcome: { kind: 'create', key: subnetKey(previous), subnet: previous, reason } }
  }
  if (only !== undefined) {
    const reason = `subnet ${describeSubnet(only)} is no longer free for ${owner}`
    return { deletions: [], outcome: { kind: 'taken', subnet: only, reason } }
  }
  return { deletions, outcome: drawn(drawFreeSubnet(config, taken, random), config, taken.length) }
}

function drawn(
  candidate: Candidate | undefined,
  config: NetworkConfig,
  count: number,
): AllocationPlan<never>['outcome'] {
  if (candidate === undefined) {
    const reason = `no subnet in the range ${describeRange(config)} is free of the ${count} that are leased`
    return { kind: 'out-of-subnets', reason }
  }
  return { kind: 'create', ...candidate, reason: `Picking subnet in range ${describeRange(config)}` }
}

/** Whether the lease belongs to the machine that asks. */
export const isOwn = (
  { config, publicIp, publicIpv6 }: Pick<Applicant, 'config' | 'publicIp' | 'publicIpv6'>,
  { attributes }: Pick<Lease, 'attributes'>,
): boolean =>
  config.enableIpv4
    ? attributes.publicIp === publicIp && publicIp !== 0
    : publicIpv6 !== undefined && attributes.publicIpv6 === publicIpv6

/**
 * What other machines hold. A lease wider than the network is no lease of this network: one such key would make every
 * allocator answer "out of subnets".
 */
export function foreignSubnets(applicant: Applicant, { leases, blocked = [] }: Listing): readonly Subnet[] {
  const { network, ipv6 } = applicant.config
  return [...leases.filter((lease) => !isOwn(applicant, lease)).map(({ subnet }) => subnet), ...blocked].filter(
    ({ v4, v6 }) =>
      !(v4 !== undefined && v4.length < network.length) && !(v6 && ipv6 && v6.length < ipv6.network.length),
  )
}

/** Whether the subnet is one that the configuration gives out: its families, its length, its bounds. */
export function fits({ v4, v6 }: Subnet, { enableIpv4, ipv6, ...config }: NetworkConfig): boolean {
  if ((v4 !== undefined) !== enableIpv4 || (v6 === undefined) !== (ipv6 === undefined)) return false
  const fits4 =
    v4 === undefined ||
    (v4.length === config.subnetLength &&
      v4.ip >= net4(config.subnetMin, v4.length).ip &&
      v4.ip <= net4(config.subnetMax, v4.length).ip)
  const fits6 =
    v6 === undefined ||
    ipv6 === undefined ||
    (v6.length === ipv6.subnetLength &&
      v6.ip >= net6(ipv6.subnetMin, v6.length).ip &&
      v6.ip <= net6(ipv6.subnetMax, v6.length).ip)
  return fits4 && fits6
}

function uselessReason({ subnet }: Lease, owner: string, config: NetworkConfig): string {
  const found = `Found lease (${describeSubnet(subnet)}) for current IP (${owner})`
  return fits(subnet, config)
    ? `${found} but it overlaps the lease of another machine, deleting`
    : `${found} but not compatible with current config, deleting`
}

const describeOwner = ({ config, publicIp, publicIpv6 }: Applicant): string =>
  config.enableIpv4 || publicIpv6 === undefined ? formatIp4(publicIp) : formatIp6(publicIpv6)

function describeRange({ enableIpv4, subnetMin, subnetMax, ipv6 }: NetworkConfig): string {
  const range4 = enableIpv4 ? [`${formatIp4(toIp4(subnetMin))} ... ${formatIp4(toIp4(subnetMax))}`] : []
  const range6 =
    ipv6 === undefined ? [] : [`${formatIp6(toIp6(ipv6.subnetMin))} ... ${formatIp6(toIp6(ipv6.subnetMax))}`]
  return [...range4, ...range6].join(' and ')
}
