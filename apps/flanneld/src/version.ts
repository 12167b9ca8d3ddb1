/** The release of this program. */
export const version = '0.1.0'

/** What `--version` prints. */
export const versionText = (runtime: {
  readonly version: string
  readonly platform: string
  readonly arch: string
}): string =>
  `flanneld ${version}\none network with flannel v0.5 to v0.17 (etcd v2 API)\nNode ${runtime.version} ${runtime.platform}/${runtime.arch}\n`
