import { describe, expect, it } from 'vitest'
import { readAsSystemd } from '../src/evaluate-unit.ts'
import { machine } from './machine.ts'

/** What systemd 252 says about one assignment, from a machine that ran it. */
function complaints(
  section: string,
  key: string,
  value: string,
  unitName = `x.${section.toLowerCase()}`,
): readonly string[] {
  const text = `[${section}]\n${key}=${value}\n`
  const { messages } = readAsSystemd(text, { unitName, specifiers: machine })
  return messages.flatMap(({ line, text }) => (line === undefined ? [] : [text]))
}

describe('values systemd takes', () => {
  it.each([
    ['Service', 'StateDirectory', 'a b/c a:b ::1/128'],
    ['Service', 'BindPaths', '/a -/b:/c /d:/e:norbind'],
    ['Service', 'MountImages', '/a:/b:root:ro:home:rw'],
    ['Service', 'LoadCredential', 'a:b'],
    ['Service', 'SetCredential', 'a:x\\x00y'],
    ['Service', 'SystemCallFilter', '~@clock read:EPERM'],
    ['Service', 'SystemCallErrorNumber', 'EPERM'],
    ['Service', 'RestrictNamespaces', '~ipc net'],
    ['Service', 'Personality', 'x86'],
    ['Service', 'BusName', 'org.x-y.Z_1'],
    ['Service', 'DeviceAllow', 'char-pts rw'],
    ['Service', 'IOReadBandwidthMax', '/dev/sda 5K'],
    ['Service', 'IPAddressAllow', '10.0.0.0/8 ::1/128 any'],
    ['Service', 'SocketBindAllow', 'ipv4:tcp:80-90'],
    ['Service', 'TimerSlackNSec', '5 nsec'],
    ['Service', 'KillSignal', '0x10'],
    ['Service', 'CPUSchedulingPolicy', '65'],
    ['Service', 'TasksMax', '0%'],
    ['Service', 'RootHash', '/no/../matter'],
    ['Socket', 'ListenStream', '[::1]:80'],
    ['Socket', 'ListenNetlink', 'route 5'],
    ['Socket', 'IPTOS', 'low-delay'],
    ['Socket', 'Timestamping', 'yes'],
  ])('[%s] %s=%s', (section, key, value) => {
    expect(complaints(section, key, value)).toEqual([])
  })
})

describe('values systemd complains about', () => {
  it.each([
    ['Service', 'StateDirectory', 'x:/y', ['StateDirectory= path is absolute, ignoring: /y']],
    [
      'Service',
      'ConfigurationDirectory',
      'a:b',
      ['Destination parameter is not supported for ConfigurationDirectory, ignoring: a:b'],
    ],
    ['Service', 'BindPaths', '/a  /b', ['BindPaths= path is not absolute, ignoring: ']],
    ['Service', 'MountImages', '/a', ['Missing destination in MountImages, ignoring: /a']],
    ['Service', 'RootImageOptions', '0:0', ['Invalid partition name 0, ignoring']],
    ['Service', 'TemporaryFileSystem', 'a:ro /b', ['TemporaryFileSystem= path is not absolute, ignoring: a']],
    ['Service', 'ExecSearchPath', '/a:b:/c:d', ['ExecSearchPath= path is not absolute, ignoring: b']],
    ['Service', 'LoadCredential', 'a:/x//y', ['Credential source "/x//y" not valid, ignoring.']],
    ['Service', 'SetCredential', 'a:', ['Invalid syntax, ignoring: a:']],
    [
      'Service',
      'SystemCallFilter',
      'reed @foo read:EPERM',
      [
        'Failed to parse system call, ignoring: reed',
        'Unknown system call group, ignoring: @foo',
        'Allow-listed system calls cannot take error number, ignoring: read:EPERM',
      ],
    ],
    [
      'Service',
      'LogExtraFields',
      'A a=b',
      ["Log field lacks '=' character, ignoring: A", 'Log field name is invalid, ignoring: a=b'],
    ],
    ['Service', 'BusName', 'org', ['Invalid bus name, ignoring: org']],
    [
      'Service',
      'BlockIODeviceWeight',
      '/dev/sda 5',
      [
        'Unit uses BlockIODeviceWeight=; please use IO*= settings instead. Support for BlockIODeviceWeight= will be removed soon.',
        "Invalid block IO weight '5', ignoring: Numerical result out of range",
      ],
    ],
    [
      'Service',
      'CPUShares',
      '',
      ['Unit uses CPUShares=; please use CPUWeight= instead. Support for CPUShares= will be removed soon.'],
    ],
    ['Service', 'DeviceAllow', '/a rw', ["Invalid device node path '/a', ignoring."]],
    [
      'Service',
      'LimitNOFILE',
      '18446744073709551615',
      ['Failed to parse resource value, ignoring: 18446744073709551615'],
    ],
    ['Service', 'Nice', '99999999999', ['Nice priority out of range, ignoring: 99999999999']],
    ['Service', 'CPUAffinity', 'a "b', ["Failed to parse CPU affinity 'a'"]],
    ['Service', 'Slice', '%h.slice', ['Failed to resolve unit specifiers in %h.slice, ignoring: Invalid slot']],
    ['Unit', 'Wants', '%h/x', ["Failed to resolve unit specifiers in '%h/x', ignoring: Invalid slot"]],
    ['Unit', 'Documentation', 'a "b', ['Invalid syntax, ignoring: a "b', 'Invalid URL, ignoring: a']],
    [
      'Unit',
      'RequiresOverridable',
      '',
      ['Unit dependency type RequiresOverridable= is obsolete, replacing by Requires=, please update your unit file'],
    ],
    ['Slice', 'NetClass', 'x', ['Support for option NetClass= has been removed and it is ignored']],
    ['Socket', 'ListenStream', '0', ["Failed to parse address value in '0', ignoring: Invalid argument"]],
    ['Socket', 'ListenSequentialPacket', '80', ['Address family not supported, ignoring: 80']],
    ['Socket', 'ListenFIFO', 'a', ['ListenFIFO= path is not absolute, ignoring: a']],
    ['Socket', 'Symlinks', 'a b', ['Symlinks= path is not absolute, ignoring: a']],
    ['Socket', 'Service', 'a.socket', ['Unit must be of type service, ignoring: a.socket']],
    ['Socket', 'Delegate', 'yes', ['Delegate= setting not supported for this unit type, ignoring.']],
    ['Path', 'PathExists', 'a', ['PathExists= path is not absolute, ignoring: a']],
    ['Path', 'Unit', 'foo', ['Unit type not valid, ignoring: foo']],
    ['Timer', 'Unit', 'x.timer', ['Units cannot trigger themselves, ignoring: x.timer']],
    ['Slice', 'Slice', '-.slice', ['Failed to assign slice -.slice to unit x.slice, ignoring: Invalid argument']],
  ])('[%s] %s=%s', (section, key, value, expected) => {
    const name = section === 'Unit' ? 'x.service' : undefined
    expect(complaints(section, key, value, name)).toEqual(expected)
  })

  it('takes only one unit to trigger', () => {
    const text = '[Timer]\nOnBootSec=1\nUnit=a.service\nUnit=b.service\n'
    const { messages } = readAsSystemd(text, { unitName: 'x.timer', specifiers: machine })
    expect(messages).toEqual([
      { priority: 'warning', line: 4, text: 'Multiple units to trigger specified, ignoring: b.service' },
    ])
  })

  it.each([
    ['DynamicUser', 'maybe'],
    ['AppArmorProfile', '%z'],
  ])('refuses the unit for a wrong %s', (key, value) => {
    const text = `[Service]\nExecStart=/bin/true\n${key}=${value}\n`
    expect(readAsSystemd(text, { unitName: 'x.service', specifiers: machine }).loadState).toBe('bad-setting')
  })

  it('fails to load a socket at a path with ..', () => {
    const text = '[Socket]\nListenStream=/run/../x\n'
    const { loadState, loadError } = readAsSystemd(text, { unitName: 'x.socket', specifiers: machine })
    expect({ loadState, loadError }).toEqual({ loadState: 'error', loadError: 'Operation not permitted' })
  })
})
