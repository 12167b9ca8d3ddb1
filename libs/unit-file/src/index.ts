/**
 * systemd unit files: grammar, names, specifiers, drop-ins and fleet's [X-Fleet] section.
 * @packageDocumentation
 */

export { byteLength, decodeBytes, encodeText } from './byte-text.ts'
export { type DependencyLinks, findDependencyLinks, findDropIns, type NamesOfUnit } from './drop-ins.ts'
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
export type { UnitOption } from './option.ts'
export { clusterDialect, type FleetDialect, type FleetParseError, fleetDialect, readAsFleet } from './read-fleet.ts'
export { renderOptions } from './render.ts'
export { expandInstallSpecifiers, expandSpecifiers, type SpecifierContext, type SpecifierError } from './specifiers.ts'
export { hashBytes, hashOptions, shortHash } from './unit-hash.ts'
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
