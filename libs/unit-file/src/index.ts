/**
 * systemd unit files: grammar, names, specifiers, drop-ins and fleet's [X-Fleet] section.
 * @packageDocumentation
 */
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
export { expandFleetSpecifiers } from './fleet-specifiers.ts'
export { matchGlob } from './go-glob.ts'
export type { UnitOption } from './option.ts'
