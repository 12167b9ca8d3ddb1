/**
 * systemd unit files: grammar, names, specifiers, drop-ins, lint and fleet's [X-Fleet] section.
 * @packageDocumentation
 */

export { byteLength, decodeBytes, encodeText } from './byte-text.ts'
export { type DependencyLinks, findDependencyLinks, findDropIns, type NamesOfUnit } from './drop-ins.ts'
export {
  type Assignment,
  addReset,
  appendValue,
  type EditError,
  literalValue,
  type Removal,
  removeAssignments,
  setCommand,
  setValue,
  wrapCommand,
} from './edit.ts'
export {
  type EscapeError,
  escapeName,
  escapePath,
  goEscapeName,
  goEscapePath,
  goUnescapeName,
  goUnescapePath,
  pathRemark,
  unescapeName,
  unescapePath,
} from './escape.ts'
export {
  evaluateUnit,
  type LoadState,
  readAsSystemd,
  type UnitCondition,
  type UnitEnvironmentFile,
  type UnitEvaluation,
  type UnitSources,
} from './evaluate-unit.ts'
export {
  commandArguments,
  type Environment,
  type EnvironmentFile,
  environmentOf,
  expandArguments,
  isAssignment,
  isVariableName,
  mergeEnvironments,
  parseEnvironmentFile,
} from './exec-environment.ts'
export { type ExecCommand, type ExecFlag, type ExecLine, type ExpandWord, parseExecLine } from './exec-line.ts'
export { type ExpandedTemplate, expandTemplate, type TemplateError, type TemplateFile } from './expand-template.ts'
export { type FoundUnit, findUnit, mapUnitFiles, type UnitFileMap } from './find-unit.ts'
export {
  checkFleetUnitName,
  defaultFleetSuffix,
  type FleetNameError,
  type FleetNameParts,
  fleetUnitTypes,
  hasFleetUnitType,
  parseFleetName,
} from './fleet-name.ts'
export {
  checkFleetOptions,
  type FleetOptionsError,
  type FleetRequirements,
  fleetItems,
  readFleetRequirements,
  unrecognizedFleetKeyMessage,
  unrecognizedFleetKeys,
} from './fleet-options.ts'
export {
  checkUnitRequirements,
  creationPolicyFor,
  defaultRequirementsPolicy,
  fleetRequirementsPolicy,
  type RequirementsFinding,
  type RequirementsPolicy,
  readRequirements,
} from './fleet-requirements.ts'
export { expandFleetSpecifiers } from './fleet-specifiers.ts'
export { matchGlob } from './go-glob.ts'
export { goQuote } from './go-quote.ts'
export {
  type EnabledOutcome,
  enableUnits,
  type InstallOptions,
  type InstallOutcome,
  linkUnits,
  maskUnits,
  type UnitFileState,
  type UnitLink,
  unitFileStates,
} from './install.ts'
export { type KnownOption, knownOption, knownOptions, type OptionSplit, type OptionType } from './known-options.ts'
export { type CatalogueEntry, catalogueEntry, type LintId, type LintSeverity, lintCatalogue } from './lint/catalogue.ts'
export type { LintOmission } from './lint/collector.ts'
export { type LintExample, lintExamples } from './lint/examples.ts'
export type {
  LintContext,
  LintFile,
  LintFinding,
  LintFix,
  LintRange,
  TextEdit,
} from './lint/finding.ts'
export { applyFixes, type FixedText } from './lint/fix.ts'
export {
  type FixedFiles,
  fixUnits,
  type LintLimits,
  type LintReport,
  lintReport,
  lintUnit,
  lintUnits,
} from './lint/lint.ts'
export { omissionText } from './lint/omission-text.ts'
export { type SarifLog, type SarifResult, type SarifTool, sarifLog } from './lint/sarif.ts'
export { type LoadError, type LoadedUnit, type LoadOptions, loadUnit } from './load-unit.ts'
export type { UnitOption } from './option.ts'
export { clusterDialect, type FleetDialect, type FleetParseError, fleetDialect, readAsFleet } from './read-fleet.ts'
export {
  type ReadingStop,
  readSections,
  type SectionedReading,
  type SystemdAssignment,
  type SystemdEvent,
  type SystemdFile,
  sectionsOf,
} from './read-systemd.ts'
export { renderOptions } from './render.ts'
export {
  type AssignmentBlock,
  type BlankBlock,
  type CommentBlock,
  type HeaderBlock,
  type JunkBlock,
  type OverlongBlock,
  type PhysicalLine,
  type Position,
  parseUnitFile,
  renderUnitFile,
  type UnitFile,
  type UnitFileBlock,
} from './source.ts'
export { expandInstallSpecifiers, expandSpecifiers, type SpecifierContext, type SpecifierError } from './specifiers.ts'
export { hashBytes, hashOptions, shortHash } from './unit-hash.ts'
export type { MessagePriority, UnitMessage, ValueFinding } from './unit-message.ts'
export {
  defaultSlice,
  instanceName,
  isLoadableName,
  isSliceName,
  isUnitName,
  type MangleOptions,
  mangleUnitName,
  parseUnitName,
  templateName,
  type UnitName,
  type UnitNameError,
  type UnitNameParts,
  type UnitType,
  unitNameBytesMax,
  unitTypes,
} from './unit-name.ts'
export { systemSearchPath, type UnitSearchPath, userSearchPath } from './unit-search-path.ts'
export { createUnitTree, type UnitTree, type UnitTreeEntry, type UnitTreeNode } from './unit-tree.ts'
export {
  isDocumentationUrl,
  type NumberError,
  parseBoolean,
  parseInteger,
  parseMode,
  parseNanoseconds,
  parsePermyriad,
  parseSignal,
  parseSize,
  parseTimeSpan,
  parseUnsigned,
} from './values.ts'
export {
  escapedWords,
  plainRawWords,
  plainWords,
  quotedRawWords,
  quotedWords,
  quoteWord,
  relaxedWords,
  splitWords,
  unescapeText,
  type WordError,
  type WordSyntax,
  wordsUntilError,
} from './words.ts'
