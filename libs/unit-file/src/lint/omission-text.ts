/** What is not told, in words. */
import type { LintSeverity } from './catalogue.ts'
import type { LintOmission } from './collector.ts'

const severities: readonly LintSeverity[] = ['error', 'warning', 'info']

/** `300 more findings are not told: 12 errors, 288 warnings`, or why a file was left alone; without its path. */
export function omissionText({ counts, why }: LintOmission): string {
  const some = severities.filter((severity) => counts[severity] > 0)
  const total = some.reduce((sum, severity) => sum + counts[severity], 0)
  const parts = some.map(
    (severity) => `${counts[severity]} ${severity === 'info' ? 'of advice' : plural(severity, counts[severity])}`,
  )
  const more = `${total} more ${plural('finding', total)} ${total === 1 ? 'is' : 'are'} not told: ${parts.join(', ')}`
  if (why === undefined) return more
  return total === 0 ? `not looked at: ${why}` : `${more}; not all was looked at: ${why}`
}

const plural = (noun: string, count: number): string => `${noun}${count === 1 ? '' : 's'}`
