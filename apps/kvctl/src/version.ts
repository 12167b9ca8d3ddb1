/** Of this program; the same as in package.json (a test holds them together). */
export const version = '0.1.0'

/** What the program says it is when it is called `etcdctl`: the version whose behaviour it has. */
export const etcdctlVersion = '2.3.8'
