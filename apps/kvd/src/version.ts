/** The release of this program, and what it tells clients of etcd it is. */
export const release = '0.1.0'

/** The etcd whose v2 API this is: `/version`, and what members publish. */
export const etcdVersion = '2.3.8'

/** What `--version` prints; the first line is what scripts look for. */
export const versionText = (runtime: {
  readonly version: string
  readonly platform: string
  readonly arch: string
}): string =>
  `etcd Version: ${etcdVersion}\nkvd Version: ${release}\nNode Version: ${runtime.version}\nNode OS/Arch: ${runtime.platform}/${runtime.arch}\n`
