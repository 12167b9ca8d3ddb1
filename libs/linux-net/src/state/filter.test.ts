import { describe, expect, it } from 'vitest'
import { filterLines, filterNames, filterPlan, iptablesLinesOf, type OverlayFilter, usesIptables } from './filter.ts'

const overlay: OverlayFilter = { network: '10.5.0.0/16', subnet: '10.5.34.0/24', masquerade: true, forward: true }
const nothing: OverlayFilter = { ...overlay, masquerade: false, forward: false }

describe('nft', () => {
  it('the table is replaced as a whole', () => {
    expect(filterPlan({ ...overlay, forward: false }, { mode: 'nft', lines: [] }).script).toBe(
      [
        'table ip cluster-overlay-10.5.0.0-16 { }',
        'delete table ip cluster-overlay-10.5.0.0-16',
        'table ip cluster-overlay-10.5.0.0-16 {',
        'chain postrouting {',
        'type nat hook postrouting priority srcnat; policy accept;',
        'ip saddr 10.5.0.0/16 ip daddr 10.5.0.0/16 accept',
        'ip saddr 10.5.0.0/16 ip daddr != 224.0.0.0/4 masquerade',
        'ip saddr != 10.5.0.0/16 ip daddr 10.5.34.0/24 accept',
        'ip saddr != 10.5.0.0/16 ip daddr 10.5.0.0/16 masquerade',
        '}',
        '}',
        '',
      ].join('\n'),
    )
  })
  it('a filter that does nothing is no table', () => {
    const there = filterLines(overlay, 'nft')
    expect(filterPlan(nothing, { mode: 'nft', lines: there }).script).toBe(
      'table ip cluster-overlay-10.5.0.0-16 { }\ndelete table ip cluster-overlay-10.5.0.0-16\n',
    )
    expect(filterPlan(nothing, { mode: 'nft', lines: [] })).toEqual({ differences: [], script: '' })
  })
  it('the same rules in another order are a difference', () => {
    const there = filterLines(overlay, 'nft').toReversed()
    expect(filterPlan(overlay, { mode: 'nft', lines: there }).differences).not.toEqual([])
  })
})

describe('iptables', () => {
  const saved = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [12:720]
:CLU-FWD-10.5.0.0-16 - [0:0]
:CLU-FWD-10.6.0.0-16 - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j CLU-FWD-10.5.0.0-16
-A FORWARD -j CLU-FWD-10.6.0.0-16
-A CLU-FWD-10.5.0.0-16 -s 10.5.0.0/16 -j ACCEPT
-A CLU-FWD-10.5.0.0-16 -d 10.5.0.0/16 -j ACCEPT
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
:CLU-NAT-10.5.0.0-16 - [0:0]
-A POSTROUTING -j CLU-NAT-10.5.0.0-16
-A POSTROUTING -s 10.5.34.0/24 ! -o docker0 -j MASQUERADE
-A CLU-NAT-10.5.0.0-16 -s 10.5.0.0/16 -d 10.5.0.0/16 -j ACCEPT
-A CLU-NAT-10.5.0.0-16 -s 10.5.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE
-A CLU-NAT-10.5.0.0-16 ! -s 10.5.0.0/16 -d 10.5.34.0/24 -j ACCEPT
-A CLU-NAT-10.5.0.0-16 ! -s 10.5.0.0/16 -d 10.5.0.0/16 -j MASQUERADE
COMMIT
`
  const observe = (text: string) => ({ mode: 'iptables', lines: iptablesLinesOf(text, '10.5.0.0/16') }) as const

  it('our rules are found among those of others', () => {
    expect(filterPlan(overlay, observe(saved))).toEqual({ differences: [], script: '' })
  })
  it('a jump that is there stays where it is, a second one goes, a lost one comes back', () => {
    const twice = saved.replace('-A FORWARD -j DOCKER-USER', '-A FORWARD -j CLU-FWD-10.5.0.0-16')
    expect(filterPlan(overlay, observe(twice))).toMatchObject({
      differences: ['- filter -A FORWARD -j CLU-FWD-10.5.0.0-16'],
      script: expect.stringContaining(
        '-D FORWARD -j CLU-FWD-10.5.0.0-16\n-D FORWARD -j CLU-FWD-10.5.0.0-16\n-A FORWARD -j CLU-FWD-10.5.0.0-16\n',
      ),
    })
    const lost = saved.replace('-A POSTROUTING -j CLU-NAT-10.5.0.0-16\n', '')
    const { script } = filterPlan(overlay, observe(lost))
    expect(script).toContain('-I POSTROUTING 1 -j CLU-NAT-10.5.0.0-16\n')
    expect(script).not.toContain('-A FORWARD')
  })
  it('all of it goes, jumps first', () => {
    expect(filterPlan(nothing, observe(saved)).script.split('\n')).toEqual([
      '*nat',
      ':CLU-NAT-10.5.0.0-16 - [0:0]',
      '-D POSTROUTING -j CLU-NAT-10.5.0.0-16',
      '-X CLU-NAT-10.5.0.0-16',
      'COMMIT',
      '*filter',
      ':CLU-FWD-10.5.0.0-16 - [0:0]',
      '-D FORWARD -j CLU-FWD-10.5.0.0-16',
      '-X CLU-FWD-10.5.0.0-16',
      'COMMIT',
      '',
    ])
    expect(filterPlan(nothing, observe('*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n')).script).toBe('')
  })
  it.each([
    ['', false],
    ['*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\nCOMMIT\n', false],
    ['*filter\n:FORWARD DROP [0:0]\nCOMMIT\n', true],
    ['*nat\n:DOCKER - [0:0]\nCOMMIT\n', true],
    ['*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n', true],
  ])('%j: the host uses iptables: %s', (text, uses) => expect(usesIptables(text)).toBe(uses))
})

it.each(['10.5.0.0/16', '255.255.255.255/32', 'fd00:1234:5678::/48'])('names for %s fit iptables', (network) => {
  const { masqueradeChain, forwardChain, table } = filterNames(network)
  expect([masqueradeChain.length <= 28, forwardChain.length <= 28]).toEqual([true, true])
  expect(table).toMatch(/^[a-zA-Z][a-zA-Z0-9/\\_.-]*$/)
})
it('rules of IPv6 are those of its family', () => {
  const lines = filterLines({ ...overlay, network: 'fd00::/48', subnet: 'fd00:0:0:1::/64' }, 'nft')
  expect(lines[0]).toMatch(/^table ip6 /)
  expect(lines).toContain('ip6 saddr fd00::/48 ip6 daddr != ff00::/8 masquerade')
})
