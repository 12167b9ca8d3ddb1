import { expect, it } from 'vitest'
import { defaultInterface } from './public-ip.ts'

const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n'
const route = (name: string, destination: string, flags: string, metric: number): string =>
  `${name}\t${destination}\t0100000A\t${flags}\t0\t0\t${metric}\t00000000\t0\t0\t0\n`

it.each([
  ['no routes', '', undefined],
  ['no default route', head + route('eth0', '0000000A', '0001', 0), undefined],
  ['one', head + route('eth0', '0000000A', '0001', 0) + route('eth1', '00000000', '0003', 100), 'eth1'],
  [
    'the one with the smallest metric',
    head + route('a', '00000000', '0003', 200) + route('b', '00000000', '0003', 9),
    'b',
  ],
  ['one that is up', head + route('a', '00000000', '0002', 1) + route('b', '00000000', '0003', 9), 'b'],
])('of %s', (_what, text, name) => expect(defaultInterface(text)).toBe(name))
