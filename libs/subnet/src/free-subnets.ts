/** Which subnets of a network are free, and one of them by chance. Source: spec/flannel.md §3, step 5. */
import type { Random } from '@cluster/prelude'
import { net4, net6, size4, size6, toIp4, toIp6 } from './ip-net.ts'
import { type Subnet, subnetKey } from './lease.ts'
import type { NetworkConfig } from './network-config.ts'

/** So many free subnets are collected, lowest first, before one is drawn: leases stay dense at the low end. */
export const candidatesMax = 100

/** A subnet and the key it goes under. They say the same, unless SubnetMin is not on a boundary (release 0.9 only). */
export type Candidate = { readonly subnet: Subnet; readonly key: string }

/**
 * One of the lowest free subnets, drawn uniformly, each family by itself; `undefined` when a family has none.
 *
 * @param taken subnets that must not be overlapped
 */
export function drawFreeSubnet(config: NetworkConfig, taken: readonly Subnet[], random: Random): Candidate | undefined {
  const { enableIpv4, ipv6 } = config
  const ip4 = enableIpv4 ? drawOne(freeIpv4(config, taken), random) : undefined
  const ip6 = ipv6 === undefined ? undefined : drawOne(freeIpv6(ipv6, taken), random)
  if ((enableIpv4 && ip4 === undefined) || (ipv6 !== undefined && ip6 === undefined)) return undefined
  const as = (net4Of: typeof net4, net6Of: typeof net6): Subnet => ({
    ...(ip4 === undefined ? {} : { v4: net4Of(toIp4(Number(ip4)), config.subnetLength) }),
    ...(ip6 === undefined || ipv6 === undefined ? {} : { v6: net6Of(toIp6(ip6), ipv6.subnetLength) }),
  })
  const subnet = as(net4, net6)
  if (subnet.v4 === undefined && subnet.v6 === undefined) return undefined
  const asWritten = as(
    (ip, length) => ({ ip, length }),
    (ip, length) => ({ ip, length }),
  )
  return { subnet, key: subnetKey(asWritten) }
}

const drawOne = (free: readonly bigint[], random: Random): bigint | undefined =>
  free[Math.floor(random.next() * free.length)]

const freeIpv4 = ({ subnetMin, subnetMax, subnetLength }: NetworkConfig, taken: readonly Subnet[]): readonly bigint[] =>
  freeStarts({
    min: BigInt(subnetMin),
    max: BigInt(subnetMax),
    size: BigInt(size4(subnetLength)),
    taken: taken.flatMap(({ v4 }) =>
      v4 === undefined ? [] : [{ start: BigInt(v4.ip), end: BigInt(v4.ip) + BigInt(size4(v4.length)) }],
    ),
  })

const freeIpv6 = (
  { subnetMin, subnetMax, subnetLength }: NonNullable<NetworkConfig['ipv6']>,
  taken: readonly Subnet[],
): readonly bigint[] =>
  freeStarts({
    min: subnetMin,
    max: subnetMax,
    size: size6(subnetLength),
    taken: taken.flatMap(({ v6 }) => (v6 === undefined ? [] : [{ start: v6.ip, end: v6.ip + size6(v6.length) }])),
  })

/** Addresses from `start` up to, not including, `end`. */
type Range = { readonly start: bigint; readonly end: bigint }

/** First addresses of the lowest free subnets, from `min` in steps of `size` up to `max`. One pass over the leases. */
function freeStarts({
  min,
  max,
  size,
  taken,
}: {
  readonly min: bigint
  readonly max: bigint
  readonly size: bigint
  readonly taken: readonly Range[]
}): readonly bigint[] {
  const ranges = [...taken].sort((one, other) => (one.start < other.start ? -1 : one.start > other.start ? 1 : 0))
  const free: bigint[] = []
  let index = 0
  // The highest end of the ranges that begin before the subnet in question ends.
  let reach = 0n
  for (let start = min; start <= max && free.length < candidatesMax; ) {
    const base = start - (start % size)
    for (let range = ranges[index]; range !== undefined && range.start < base + size; range = ranges[++index])
      if (range.end > reach) reach = range.end
    if (reach <= base) free.push(start)
    // Far beyond a wide lease in one step: the first start whose subnet does not begin below `reach`.
    const steps = reach <= base ? 1n : (reach - base + size - 1n) / size
    start += steps * size
  }
  return free
}
