import { silentLogger } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { goDuration, inFlannelWords } from './flannel-words.ts'

it('says what flannel says, too, in its words, and all else as it is', () => {
  const lines: string[] = []
  const log = inFlannelWords({ ...silentLogger, info: (message) => lines.push(message) }, '/run/flannel/subnet.env')
  log.info('network configuration found', { backend: 'vxlan' })
  log.info('subnet file written', { subnet: '10.5.34.0/24', mtu: 1450 })
  log.debug('lease will be renewed', { inSeconds: 82_799 })
  log.info('peers changed')
  expect(lines).toEqual([
    'Found network config - Backend type: vxlan',
    'Wrote subnet file to /run/flannel/subnet.env',
    'Waiting for 22h59m59s to renew lease',
    'peers changed',
  ])
})

it.each([
  [-1, '0s'],
  [59.9, '59s'],
  [60, '1m0s'],
  [3600, '1h0m0s'],
])('%d seconds are %s', (seconds, text) => expect(goDuration(seconds)).toBe(text))
