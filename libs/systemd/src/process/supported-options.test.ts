import { knownOptions } from '@cluster/unit-file'
import { describe, expect, it } from 'vitest'
import { judgeSupport } from './supported-options.ts'

const anybody = (): undefined => undefined
const judge = (text: string, name = 'a.service') => judgeSupport(name, text, anybody)

describe('a unit', () => {
  it.each([
    ['[Service]\nExecStart=/bin/true\nRestart=always\nUser=root\n'],
    ['[Unit]\nDescription=x\nAfter=y.service\n[Install]\nWantedBy=multi-user.target\n[X-Fleet]\nGlobal=true\n'],
    ['[Service]\nX-Other=1\nNoSuchOption=1\nExecStart=/bin/true\n'],
    ['[Service]\nMemoryMax=\nExecStart=/bin/true\n'],
    ['[Service]\nType=idle\nPrivateTmp\nExecStart=/bin/true\n'],
    ['[Service]\nNotifyAccess=none\nWatchdogSec=0\nDynamicUser=no\nStandardInput=null\nExecStart=/bin/true\n'],
  ])('is taken: %j', (text) => expect(judge(text)).toEqual({ refusals: [], warnings: [] }))

  it.each([
    ['[Service]\nExecStart=/bin/true\nPrivateTmp=yes\n', 'PrivateTmp= in line 3'],
    ['[Service]\nLimitNOFILE=10\n', 'take the limit out'],
    ['[Service]\nType=forking\n', 'Type=exec'],
    ['[Service]\nWatchdogSec=5\n', 'WatchdogSec= in line 2'],
    ['[Service]\nStandardOutput=tty\n', 'StandardOutput= in line 2'],
    ['[Service]\nRestart=on-watchdog\n', 'on-failure'],
    ['[Unit]\nConditionHost=x\n', 'ConditionHost= in line 2'],
    ['[Unit]\n\nJobTimeoutSec=5\n', 'JobTimeoutSec= in line 3'],
  ])('is refused, by name: %j', (text, expected) => expect(judge(text).refusals.join()).toContain(expected))

  it('is refused for a user that cannot be had', () => {
    const { refusals } = judgeSupport('a.service', '[Service]\nUser=other\n', (key) => `${key} no`)
    expect(refusals).toEqual(['User= in line 2 (other): User no'])
  })
})

it('every option that systemd knows for a service, timer, target or slice has an answer', () => {
  const answers = { taken: 0, warned: 0, refused: 0 }
  for (const [section, type] of [
    ['Unit', 'target'],
    ['Service', 'service'],
    ['Timer', 'timer'],
    ['Slice', 'slice'],
  ] as const) {
    for (const key of knownOptions.get(section)?.keys() ?? []) {
      const { refusals, warnings } = judge(`[${section}]\n${key}=1\n`, `a.${type}`)
      expect(refusals.length + warnings.length).toBeLessThanOrEqual(1)
      for (const said of [...refusals, ...warnings]) expect(said).toContain(`${key}= in line 2`)
      answers[refusals.length > 0 ? 'refused' : warnings.length > 0 ? 'warned' : 'taken'] += 1
    }
  }
  expect(Object.values(answers).every((count) => count > 10)).toBe(true)
})
