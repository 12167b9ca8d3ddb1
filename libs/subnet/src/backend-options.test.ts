import { describe, expect, it } from 'vitest'
import { backendOptions } from './backend-options.ts'
import { parseNetworkConfig } from './network-config.ts'

const options = (backend: string) => {
  const reading = parseNetworkConfig(`{"Network":"10.5.0.0/16","Backend":${backend}}`)
  if (!reading.ok) throw new Error(reading.error.text)
  const read = backendOptions(reading.value.config)
  return read.ok ? read.value : `${read.error.kind}: ${read.error.text}`
}

const vxlan = { type: 'vxlan', vni: 1, port: 0, gbp: false, directRouting: false, learning: false }

describe('backendOptions', () => {
  it.each([
    ['{"Type":"udp"}', { type: 'udp', port: 8285 }],
    ['{"Type":"UDP","port":7890}', { type: 'udp', port: 7890 }],
    ['{"Type":"vxlan"}', vxlan],
    [
      '{"Type":"VXLAN","VNI":4096,"PORT":4789,"gbp":true,"DirectRouting":true,"Learning":true,"mtu":1400}',
      { type: 'vxlan', vni: 4096, port: 4789, gbp: true, directRouting: true, learning: true, mtu: 1400 },
    ],
    ['{"Type":"vxlan","VNI":null,"Colour":"red","VNI":7}', { ...vxlan, vni: 7 }],
    ['{"Type":"Host-GW","Port":"x"}', { type: 'host-gw' }],
    ['{"Type":"alloc"}', { type: 'alloc' }],
  ])('of %s', (backend, expected) => expect(options(backend)).toEqual(expected))

  it.each([
    ['{}', 'bad-backend: unknown backend type: (none given)'],
    ['{"Type":"Nonsense"}', 'bad-backend: unknown backend type: Nonsense'],
    ['{"Type":"aws-vpc"}', 'bad-backend: backend type aws-vpc is known to flanneld, but not offered here'],
    ['{"Type":"udp","Port":0}', /Port of udp must be a whole number from 1 to 65535, found 0/],
    ['{"Type":"udp","Port":"8285"}', /Port of udp must be .* found "8285"/],
    ['{"Type":"vxlan","VNI":16777216}', /VNI of vxlan must be a whole number from 0 to 16777215/],
    ['{"Type":"vxlan","VNI":1.5,"Port":-1}', /VNI of vxlan/],
    ['{"Type":"vxlan","DirectRouting":"yes"}', /DirectRouting of vxlan must be true or false, found "yes"/],
  ])('refuses %s', (backend, expected) =>
    typeof expected === 'string' ? expect(options(backend)).toBe(expected) : expect(options(backend)).toMatch(expected),
  )
})
