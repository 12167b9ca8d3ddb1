/** What lint says about unit files: findings with a place, a remedy and, where that is mechanical, a fix. */
import type { Position } from '../source.ts'
import type { LintId, LintSeverity } from './catalogue.ts'

/** A part of a file; `end` is behind its last character. Lines and columns from 1, columns in UTF-16 units. */
export type LintRange = { readonly start: Position; readonly end: Position }

/** Text to be put in place of a range; an empty range is a place to put it at. */
export type TextEdit = { readonly range: LintRange; readonly text: string }

/** A remedy that needs no person: edits of the finding's own file that touch nothing else. */
export type LintFix = {
  /** What it does, as an imperative: `write RestartSec=`. */
  readonly title: string
  readonly edits: readonly TextEdit[]
}

/** One thing that is wrong: what, where, and what to do about it. */
export type LintFinding = {
  readonly id: LintId
  /** The catalogue's, or a lower one where the case is a mild one. */
  readonly severity: LintSeverity
  /** The path as it was given. */
  readonly path: string
  readonly range: LintRange
  /** What is wrong, in the words of the file. */
  readonly message: string
  /** What to do. */
  readonly remedy: string
  readonly fix?: LintFix
}

/** A file to lint: a unit or a drop-in. */
export type LintFile = {
  /** Its last part is the unit's name; `NAME.d/x.conf` is a drop-in of `NAME`. */
  readonly path: string
  /** Bytes, or text in which U+DC80…U+DCFF stand for bytes that are not UTF-8. */
  readonly text: string | Uint8Array
  /** Permission bits; absent: not known, and nothing is said of them. */
  readonly mode?: number
}

/** What lint knows of the world outside of the files. */
export type LintContext = {
  /** The oldest systemd of the machines that the units are for; 252 unless given. */
  readonly systemdVersion?: number
  /**
   * Whether a unit exists that is not among the files; `undefined` where that is not known. A dependency is reported
   * only where the answer is `false`; what a file makes no sense without, where it is not `true`.
   */
  readonly unitExists?: (name: string) => boolean | undefined
  /** Whether an absolute path is a program that can be run; absent: programs are not looked for. */
  readonly isExecutable?: (path: string) => boolean
}

/** A finding before its severity and place are filled in. */
export type Complaint = {
  readonly id: LintId
  readonly range: LintRange
  readonly message: string
  readonly remedy: string
  readonly fix?: LintFix | undefined
  /** Where it is milder than the catalogue says. */
  readonly severity?: 'warning' | 'info'
  /** Where it is not the file that the rule was asked about. */
  readonly path?: string
}
