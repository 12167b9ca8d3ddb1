/** What an instance of a template is: the template's assignments with the specifiers put in. spec/unit-files.md §6. */
import { err, ok, type Result } from '@cluster/prelude'
import { expandFleetSpecifiers } from './fleet-specifiers.ts'
import { knownOption } from './known-options.ts'
import type { UnitOption } from './option.ts'
import { type AssignmentBlock, type Position, parseUnitFile } from './source.ts'
import { expandSpecifiers, type SpecifierContext } from './specifiers.ts'
import { instanceName, parseUnitName, type UnitName } from './unit-name.ts'

/** A template as it lies on disk. */
export type TemplateFile = {
  /** Its complete name: `web@.service`. */
  readonly name: string
  readonly content: string | Uint8Array
}

/** An instance as a unit file of its own. */
export type ExpandedTemplate = {
  readonly name: UnitName
  /** In file order, empty values included. */
  readonly options: readonly UnitOption[]
}

/** Why a template cannot be expanded. */
export type TemplateError = {
  readonly kind: 'not-a-template' | 'bad-instance' | 'bad-specifier'
  readonly message: string
  /** Where in the template, for `bad-specifier`. */
  readonly at?: Position
}

/**
 * The instance of a template. Specifiers are expanded where systemd does it, key by key, and as fleet does it in
 * [X-Fleet]; everything else stays as it is written, keys that are not known included.
 *
 * @param instance escaped already, see `escapeName`
 */
export function expandTemplate(
  template: TemplateFile,
  instance: string,
  context: SpecifierContext,
): Result<ExpandedTemplate, TemplateError> {
  const parts = parseUnitName(template.name)
  if (!parts.ok) return err({ kind: 'not-a-template', message: parts.error.message })
  if (parts.value.kind !== 'template') {
    return err({
      kind: 'not-a-template',
      message: `“${template.name}” is no template: nothing but a type may follow its @`,
    })
  }
  const name = instanceName(parts.value, instance)
  if (!name.ok) return err({ kind: 'bad-instance', message: name.error.message })
  const options: UnitOption[] = []
  for (const block of parseUnitFile(template.content).blocks) {
    if (block.kind !== 'assignment' || block.section === undefined) continue
    const value = expandValue(name.value, block.section, block, context)
    if (!value.ok) return value
    options.push({ section: block.section, name: block.key, value: value.value })
  }
  return ok({ name: name.value, options })
}

function expandValue(
  unit: UnitName,
  section: string,
  { key, value, valueAt }: AssignmentBlock,
  context: SpecifierContext,
): Result<string, TemplateError> {
  if (section === 'X-Fleet') return ok(expandFleetSpecifiers(unit, value))
  if (!knownOption(section, key)?.specifiers) return ok(value)
  const expanded = expandSpecifiers(unit, value, context)
  if (expanded.ok) return expanded
  const { specifier, message } = expanded.error
  return err({
    kind: 'bad-specifier',
    message: `line ${valueAt.line}: ${key}= holds %${specifier}: ${message}; write %% for a plain percent sign`,
    at: valueAt,
  })
}
