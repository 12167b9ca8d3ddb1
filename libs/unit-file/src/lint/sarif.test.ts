import { describe, expect, it } from 'vitest'
import { lintUnits } from './lint.ts'
import { sarifLog } from './sarif.ts'

const findings = lintUnits([
  { path: './units/a\\x2db.service', text: '[Service]\nExecStart=/bin/true\nRestart=on-fail\n' },
  { path: '/etc/systemd/system/x.service', text: '' },
])
const log = sarifLog(findings, { name: 'fleetctl', version: '0.1.0' })
const [run] = log.runs

describe('a SARIF log', () => {
  it('has what SARIF 2.1.0 requires of a log, a run and a tool', () => {
    expect(Object.keys(log).sort()).toEqual(['$schema', 'runs', 'version'])
    expect(log.version).toBe('2.1.0')
    expect(run?.tool.driver).toMatchObject({ name: 'fleetctl', version: '0.1.0' })
    expect(run?.columnKind).toBe('utf16CodeUnits')
  })

  it('points from each result to the rule of its id, and has a message', () => {
    expect(run?.results).toHaveLength(findings.length)
    for (const { ruleId, ruleIndex, message, level } of run?.results ?? []) {
      expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
      expect(message.text).not.toBe('')
      expect(['error', 'warning', 'note']).toContain(level)
    }
  })

  it('has rules with unique ids and a level', () => {
    const rules = run?.tool.driver.rules ?? []
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length)
    expect(rules.every(({ defaultConfiguration }) => /^(?:error|warning|note)$/.test(defaultConfiguration.level))).toBe(
      true,
    )
  })

  it('has regions that count from 1 and end behind their start', () => {
    for (const { locations } of run?.results ?? []) {
      for (const { physicalLocation } of locations) {
        const { startLine, startColumn, endLine, endColumn } = physicalLocation.region
        expect(Math.min(startLine, startColumn, endLine, endColumn)).toBeGreaterThanOrEqual(1)
        expect(endLine > startLine || (endLine === startLine && endColumn >= startColumn)).toBe(true)
      }
    }
  })

  it('names files by URIs', () => {
    const uris = run?.results.map(({ locations }) => locations[0]?.physicalLocation.artifactLocation.uri)
    expect(new Set(uris)).toEqual(new Set(['units/a%5Cx2db.service', 'file:///etc/systemd/system/x.service']))
  })

  it('has the edits of a fix', () => {
    const result = run?.results.find(({ ruleId }) => ruleId === 'UF025')
    expect(result?.fixes).toEqual([
      {
        description: { text: 'write Restart=on-failure' },
        artifactChanges: [
          {
            artifactLocation: { uri: 'units/a%5Cx2db.service' },
            replacements: [
              {
                deletedRegion: { startLine: 3, startColumn: 9, endLine: 3, endColumn: 16 },
                insertedContent: { text: 'on-failure' },
              },
            ],
          },
        ],
      },
    ])
  })
})
