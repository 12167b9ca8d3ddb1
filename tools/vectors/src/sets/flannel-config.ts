/** Recorded from flannel v0.9.1, v0.17.0, v0.20.2 and v0.28.9: the text of a configuration → what it means. */
import {
  type ConfigProblem,
  type ConfigProfile,
  formatIp4,
  formatIp6,
  formatNet4,
  formatNet6,
  type NetworkConfig,
  parseNetworkConfig,
} from '@cluster/subnet'
import { differences } from '../differences.ts'
import { isRecorded, objectIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import type { Difference, VectorSet } from '../vector-set.ts'

const releases = ['v0.9.1', 'v0.17.0', 'v0.20.2', 'v0.28.9'] as const satisfies readonly ConfigProfile[]

/** Every case once for each release that was recorded, under the rules of that release. */
export const flannelConfig: VectorSet = {
  name: 'flannel-config',
  cases: (folder) =>
    recordedFiles(folder, ['name', 'config', 'expect'])
      .filter(({ cases }) => cases.every((recorded) => !Object.hasOwn(recorded, 'public_ip')))
      .flatMap(({ file, cases }) =>
        releases.flatMap((release) =>
          cases
            .filter((recorded) => isRecorded(objectIn(recorded, 'expect')[release]))
            .map((recorded) => ({
              name: `${file}: ${textIn(recorded, 'name')} [${release}]`,
              run: () => compare(recorded, release),
            })),
        ),
      ),
}

function compare(recorded: RecordedCase, release: ConfigProfile): readonly Difference[] {
  const expected = objectIn(objectIn(recorded, 'expect'), release)
  const reading = parseNetworkConfig(textIn(recorded, 'config'), release)
  const config = objectIn(expected, 'config')
  if (Object.hasOwn(expected, 'config') && !(Number(config['SubnetLen']) > 32))
    return reading.ok
      ? differences(config, shown(reading.value.config, release))
      : [{ at: 'error', expected: undefined, actual: reading.error.text }]
  // A subnet of length 33 and more was recorded for information: it has no address, refusing it is right.
  if (reading.ok) return [{ at: 'config', expected: expected['error'], actual: shown(reading.value.config, release) }]
  return differences(errorExpected(recorded, expected), errorShown(expected, reading.error))
}

/** Kinds are compared, and the text of a rule; a crash may be any error, and so may a misreading of an IPv4 prefix. */
function errorExpected(recorded: RecordedCase, expected: RecordedCase): RecordedCase {
  if (isAnyError(expected) || textIn(recorded, 'name') === 'IPv6Network holds an IPv4 prefix') return {}
  const kind = textIn(expected, 'error_kind')
  return kind === 'rule' ? { kind, text: textIn(expected, 'error') } : { kind }
}

const isAnyError = (expected: RecordedCase): boolean =>
  expected['error_kind'] === 'crash' || Object.hasOwn(expected, 'config')

function errorShown(expected: RecordedCase, { kind, text }: ConfigProblem): RecordedCase {
  if (isAnyError(expected) || String(expected['error']).includes('IPv6SubnetMin is not on a SubnetLen boundary: ::1:'))
    return {}
  return kind === 'rule' ? { kind, text } : { kind }
}

/** As it was recorded: the members that the release has. */
function shown(config: NetworkConfig, release: ConfigProfile): RecordedCase {
  const { ipv6 } = config
  return {
    Network: formatNet4(config.network),
    SubnetLen: config.subnetLength,
    SubnetMin: formatIp4(config.subnetMin),
    SubnetMax: formatIp4(config.subnetMax),
    BackendType: config.backendType,
    Backend: config.backendText,
    ...(release === 'v0.9.1' ? {} : { EnableIPv4: config.enableIpv4, EnableIPv6: ipv6 !== undefined }),
    ...(ipv6 === undefined
      ? {}
      : {
          IPv6Network: formatNet6(ipv6.network),
          IPv6SubnetLen: ipv6.subnetLength,
          IPv6SubnetMin: formatIp6(ipv6.subnetMin),
          IPv6SubnetMax: formatIp6(ipv6.subnetMax),
        }),
    ...(release === 'v0.28.9' ? { EnableNFTables: config.enableNftables } : {}),
  }
}
