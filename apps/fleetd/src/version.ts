/** Version of this daemon: published with the machine, and said by `--version` and the API. */
export const version = '0.1.0'
