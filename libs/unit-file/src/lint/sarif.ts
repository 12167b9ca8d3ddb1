/** Findings as a log in SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines. */
import { type LintSeverity, lintCatalogue } from './catalogue.ts'
import type { LintOmission } from './collector.ts'
import type { LintFinding, LintRange } from './finding.ts'
import { omissionText } from './omission-text.ts'

type SarifLevel = 'error' | 'warning' | 'note'

type SarifRegion = {
  readonly startLine: number
  readonly startColumn: number
  readonly endLine: number
  readonly endColumn: number
}

type SarifArtifact = { readonly uri: string }

/** A finding as SARIF 2.1.0 has it. */
export type SarifResult = {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: SarifLevel
  readonly message: { readonly text: string }
  readonly locations: readonly {
    readonly physicalLocation: { readonly artifactLocation: SarifArtifact; readonly region: SarifRegion }
  }[]
  readonly fixes?: readonly {
    readonly description: { readonly text: string }
    readonly artifactChanges: readonly {
      readonly artifactLocation: SarifArtifact
      readonly replacements: readonly {
        readonly deletedRegion: SarifRegion
        readonly insertedContent: { readonly text: string }
      }[]
    }[]
  }[]
}

/** A log with one run. */
export type SarifLog = {
  readonly $schema: string
  readonly version: '2.1.0'
  readonly runs: readonly {
    readonly tool: {
      readonly driver: {
        readonly name: string
        readonly version: string
        readonly rules: readonly {
          readonly id: string
          readonly shortDescription: { readonly text: string }
          readonly defaultConfiguration: { readonly level: SarifLevel }
        }[]
      }
    }
    readonly columnKind: 'utf16CodeUnits'
    readonly results: readonly SarifResult[]
    /** Where not everything is told: how much is not, file by file. */
    readonly invocations?: readonly {
      readonly executionSuccessful: true
      readonly toolExecutionNotifications: readonly {
        readonly level: 'warning'
        readonly message: { readonly text: string }
        readonly locations: readonly { readonly physicalLocation: { readonly artifactLocation: SarifArtifact } }[]
      }[]
    }[]
  }[]
}

/** Who found it, for the head of the log. */
export type SarifTool = { readonly name: string; readonly version: string }

/**
 * The findings as a SARIF log, to be written as JSON. Paths become relative URIs, absolute ones `file:` URIs.
 *
 * @param omissions of a report: each becomes a notification of the run
 */
export const sarifLog = (
  findings: readonly LintFinding[],
  tool: SarifTool,
  omissions: readonly LintOmission[] = [],
): SarifLog => ({
  $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
  version: '2.1.0',
  runs: [
    {
      tool: {
        driver: {
          ...tool,
          rules: lintCatalogue.map(({ id, title, severity }) => ({
            id,
            shortDescription: { text: title },
            defaultConfiguration: { level: levels[severity] },
          })),
        },
      },
      columnKind: 'utf16CodeUnits',
      results: findings.map(resultOf),
      ...(omissions.length === 0 ? {} : { invocations: [invocationOf(omissions)] }),
    },
  ],
})

type SarifInvocation = NonNullable<SarifLog['runs'][number]['invocations']>[number]

const invocationOf = (omissions: readonly LintOmission[]): SarifInvocation => ({
  executionSuccessful: true,
  toolExecutionNotifications: omissions.map((omission) => ({
    level: 'warning',
    message: { text: omissionText(omission) },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(omission.path) } } }],
  })),
})

const levels: Readonly<Record<LintSeverity, SarifLevel>> = { error: 'error', warning: 'warning', info: 'note' }

const ruleIndexes: ReadonlyMap<string, number> = new Map(lintCatalogue.map(({ id }, index) => [id, index]))

function resultOf({ id, severity, path, range, message, remedy, fix }: LintFinding): SarifResult {
  const artifactLocation = { uri: uriOf(path) }
  const result: SarifResult = {
    ruleId: id,
    ruleIndex: ruleIndexes.get(id) ?? -1,
    level: levels[severity],
    message: { text: `${message}. Remedy: ${remedy}` },
    locations: [{ physicalLocation: { artifactLocation, region: regionOf(range) } }],
  }
  if (fix === undefined) return result
  const replacements = fix.edits.map((edit) => ({
    deletedRegion: regionOf(edit.range),
    insertedContent: { text: edit.text },
  }))
  return {
    ...result,
    fixes: [{ description: { text: fix.title }, artifactChanges: [{ artifactLocation, replacements }] }],
  }
}

const regionOf = ({ start, end }: LintRange): SarifRegion => ({
  startLine: start.line,
  startColumn: start.column,
  endLine: end.line,
  endColumn: end.column,
})

/** Backslashes are part of unit names, and no part of a URI. */
function uriOf(path: string): string {
  const escaped = path.replace(/^\.\//, '').split('/').map(encodeURIComponent).join('/')
  return path.startsWith('/') ? `file://${escaped}` : escaped
}
