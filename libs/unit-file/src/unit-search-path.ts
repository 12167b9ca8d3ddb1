/** Where systemd looks for unit files, highest first. spec/unit-files.md §7.1. */

/** The directories of one manager, and what `enable` and `is-enabled` take them for. */
export type UnitSearchPath = {
  /** Highest first. */
  readonly directories: readonly string[]
  /** Where `enable` makes its links. */
  readonly configDirectory: string
  /** Where `enable --runtime` makes them. */
  readonly runtimeDirectory: string
  /** All that vanish with a reboot; what is in them is “runtime” for `is-enabled`. */
  readonly runtimeDirectories: readonly string[]
  readonly generatorDirectories: readonly string[]
  readonly transientDirectory: string
}

/** The system manager's, on a machine where `/lib` is `/usr/lib`. */
export const systemSearchPath: UnitSearchPath = {
  directories: [
    '/etc/systemd/system.control',
    '/run/systemd/system.control',
    '/run/systemd/transient',
    '/run/systemd/generator.early',
    '/etc/systemd/system',
    '/etc/systemd/system.attached',
    '/run/systemd/system',
    '/run/systemd/system.attached',
    '/run/systemd/generator',
    '/usr/local/lib/systemd/system',
    '/usr/lib/systemd/system',
    '/run/systemd/generator.late',
  ],
  configDirectory: '/etc/systemd/system',
  runtimeDirectory: '/run/systemd/system',
  runtimeDirectories: [
    '/run/systemd/system.control',
    '/run/systemd/transient',
    '/run/systemd/generator.early',
    '/run/systemd/system',
    '/run/systemd/system.attached',
    '/run/systemd/generator',
    '/run/systemd/generator.late',
  ],
  generatorDirectories: ['/run/systemd/generator.early', '/run/systemd/generator', '/run/systemd/generator.late'],
  transientDirectory: '/run/systemd/transient',
}

/** A user manager's. */
export function userSearchPath({
  home,
  runtimeDir,
}: {
  readonly home: string
  readonly runtimeDir: string
}): UnitSearchPath {
  const config = `${home}/.config/systemd`
  const runtime = `${runtimeDir}/systemd`
  return {
    directories: [
      `${config}/user.control`,
      `${runtime}/user.control`,
      `${runtime}/transient`,
      `${runtime}/generator.early`,
      `${config}/user`,
      '/etc/systemd/user',
      `${runtime}/user`,
      '/run/systemd/user',
      `${runtime}/generator`,
      `${home}/.local/share/systemd/user`,
      '/usr/local/lib/systemd/user',
      '/usr/lib/systemd/user',
      `${runtime}/generator.late`,
    ],
    configDirectory: `${config}/user`,
    runtimeDirectory: `${runtime}/user`,
    runtimeDirectories: [
      ...['user.control', 'transient', 'generator.early', 'user', 'generator', 'generator.late'].map(
        (name) => `${runtime}/${name}`,
      ),
      '/run/systemd/user',
    ],
    generatorDirectories: [`${runtime}/generator.early`, `${runtime}/generator`, `${runtime}/generator.late`],
    transientDirectory: `${runtime}/transient`,
  }
}
