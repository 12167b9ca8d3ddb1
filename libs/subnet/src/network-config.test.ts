import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatIp4, formatIp6, formatNet4 } from './ip-net.ts'
import { type ConfigProfile, parseNetworkConfig } from './network-config.ts'

const read = (text: string, profile?: ConfigProfile) => {
  const reading = parseNetworkConfig(text, profile)
  if (!reading.ok) throw new Error(`${reading.error.kind}: ${reading.error.text}`)
  return reading.value
}

const problem = (text: string, profile?: ConfigProfile) => {
  const reading = parseNetworkConfig(text, profile)
  return reading.ok ? undefined : reading.error
}

describe('our rules', () => {
  it('fill in the defaults', () => {
    const { config, warnings } = read('{"Network": "10.5.0.0/16"}')
    expect({ ...config, network: formatNet4(config.network) }).toEqual({
      enableIpv4: true,
      network: '10.5.0.0/16',
      subnetLength: 24,
      subnetMin: 0x0a05_0100,
      subnetMax: 0x0a05_ff00,
      enableNftables: false,
      backendType: 'udp',
      backend: {},
    })
    expect(warnings).toEqual([])
  })
  it('read both families', () => {
    const { config, warnings } = read('{"Network":"10.42.0.0/16","EnableIPv6":true,"IPv6Network":"2001:cafe:42::/56"}')
    expect(config.ipv6?.subnetLength).toBe(64)
    expect(config.ipv6 && [config.ipv6.subnetMin, config.ipv6.subnetMax].map(formatIp6)).toEqual([
      '2001:cafe:42:1::',
      '2001:cafe:42:ff::',
    ])
    expect(warnings).toEqual(['flanneld 0.9 knows no IPv6: it sees only the IPv4 half of a lease'])
  })
  it.each([
    ['{}', 'please define a correct Network parameter in the flannel config'],
    ['null', 'please define a correct Network parameter in the flannel config'],
    ['{"Network":"0.0.0.0/0"}', 'please define a correct Network parameter in the flannel config'],
    ['{"Network":"10.1.0.0/16","SubnetLen":31}', 'SubnetLen must be less than /31'],
    ['{"Network":"10.1.0.0/24","SubnetLen":25}', 'Network must be able to accommodate at least four subnets'],
    ['{"Network":"10.1.0.0/29"}', 'Network is too small. Minimum useful network prefix is /28'],
    ['{"Network":"10.1.0.0/16","SubnetMin":"10.1.1.1"}', 'SubnetMin is not on a SubnetLen boundary: 10.1.1.1'],
  ])('refuse %s, and say that 0.9 does not', (text, expected) => {
    expect(problem(text)).toMatchObject({ kind: 'rule', text: expected })
    expect(problem(text)?.hint).toMatch(/^give .*\(flanneld 0\.9 accepts this text; we do not\)$/)
  })
  it('refuse what 0.9 refuses too without mentioning it', () =>
    expect(problem('{"Network":"10.1.0.0/16","SubnetMax":"10.2.0.0"}')).toEqual({
      kind: 'rule',
      text: 'SubnetMax is not in the range of the Network',
      hint: 'give a SubnetMax from 10.1.0.0 to 10.1.255.0',
    }))
  it.each([
    ['another length by default', '{"Network":"10.7.0.0/24"}', /length 25 here, we of length 26: set SubnetLen/],
    ['bounds that leave nothing', '{"Network":"10.3.0.0/16","SubnetMin":"10.3.9.0","SubnetMax":"10.3.2.0"}', /above/],
    ['no IPv4', '{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48"}', /does not know EnableIPv4/],
    ['no family', '{"EnableIPv4":false,"Network":"10.1.0.0/16"}', /neither IPv4 nor IPv6/],
    [
      'IPv6 bounds that leave nothing',
      '{"Network":"10.3.0.0/16","EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetMin":"fc00:0:0:9::","IPv6SubnetMax":"fc00:0:0:2::"}',
      /IPv6SubnetMin is above/,
    ],
    ['what 0.9 does not read', '{"Network":"10.1.0.0/16","Backend":{},"EnableIPv4":false}', /EnableIPv4/],
  ])('warn of %s', (_, text, expected) => expect(read(text).warnings.join('\n')).toMatch(expected))
  it('need no Network without IPv4', () =>
    expect(read('{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48"}').config.enableIpv4).toBe(false))
  it('need an IPv6Network with IPv6', () =>
    expect(problem('{"Network":"10.1.0.0/16","EnableIPv6":true}')?.text).toMatch(/correct IPv6Network parameter/))
})

describe('text', () => {
  it.each([
    ['bad-json', 'hello', /not JSON/],
    ['bad-json', '[]', /not an object/],
    [
      'bad-json',
      '{"Network":"10.1.0.0/16","SubnetLen":"24"}',
      /SubnetLen must be a whole number in digits, found "24"/,
    ],
    ['bad-json', '{"Network":"10.1.0.0/16","SubnetLen":18446744073709551616}', /SubnetLen/],
    ['bad-json', '{"Network":"10.1.0.0/16","EnableIPv6":1}', /EnableIPv6 must be true or false, found 1/],
    ['bad-json', '{"Network":"10.1.0.0/16","IPv6SubnetLen":-1}', /IPv6SubnetLen/],
    ['bad-cidr', '{"Network":"10.1.0.0\\/16"}', /invalid CIDR address: 10\.1\.0\.0\\\/16/],
    ['bad-cidr', '{"Network":"fc00::/48"}', /invalid CIDR address: fc00::\/48/],
    ['bad-cidr', '{"Network":"10.1.0.0/16","IPv6Network":"10.1.0.0/16"}', /invalid CIDR address/],
    ['bad-ip', '{"Network":"10.1.0.0/16","SubnetMin":null}', /Invalid IP address format: SubnetMin is null/],
    ['bad-ip', '{"Network":"10.1.0.0/16","SubnetMax":"fc00::"}', /SubnetMax/],
    ['bad-ip', '{"Network":"10.1.0.0/16","IPv6SubnetMin":"10.1.0.0"}', /IPv6SubnetMin/],
    ['bad-ip', '{"Network":"10.1.0.0/16","IPv6SubnetMax":""}', /IPv6SubnetMax/],
    ['bad-backend', '{"Network":"10.1.0.0/16","Backend":"vxlan"}', /it must be an object, found "vxlan"/],
    ['bad-backend', '{"Network":"10.1.0.0/16","Backend":{"Type":1}}', /its Type must be a string, found 1/],
  ] as const)('is refused as %s: %s', (kind, text, expected) => {
    expect(problem(text)?.kind).toBe(kind)
    expect(problem(text)?.text).toMatch(expected)
    expect(problem(text)?.hint).not.toBe('')
  })
  it('is complained of where the first address is bad, before any wrong type', () =>
    expect(problem('{"SubnetLen":"x","SubnetMax":"y","Network":"z"}')?.text).toMatch(/SubnetMax/))
  it('takes IPv4-mapped addresses for IPv4', () =>
    expect(formatIp4(read('{"Network":"10.3.0.0/16","SubnetMin":"::ffff:10.3.5.0"}').config.subnetMin)).toBe(
      '10.3.5.0',
    ))
  it('knows EnableNFTables', () =>
    expect(read('{"Network":"10.3.0.0/16","enablenftables":true}').config.enableNftables).toBe(true))
  it('of any kind is read or refused, never thrown at', () => {
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom('10.1.0.0/16', '10.1.4.0', 'fc00::/48', 24, 26, true))
    const names = fc.constantFrom(
      'Network',
      'SubnetLen',
      'SubnetMin',
      'SubnetMax',
      'Backend',
      'EnableIPv6',
      'IPv6Network',
      'x',
    )
    const profiles = fc.constantFrom<ConfigProfile>('ours', 'v0.9.1', 'v0.17.0', 'v0.20.2', 'v0.28.9')
    fc.assert(
      fc.property(fc.dictionary(names, values), fc.string(), profiles, (object, text, profile) => {
        parseNetworkConfig(JSON.stringify(object), profile)
        parseNetworkConfig(text, profile)
      }),
    )
  })
  it('with much white space takes no longer than other text of its length', () => {
    const spaces = ' '.repeat(200_000)
    expect(read(`${spaces}{"Network"${spaces}:"10.3.0.0/16"${spaces}}${spaces}`).config.subnetLength).toBe(24)
  })
})
