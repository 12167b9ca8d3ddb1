/**
 * May this one do that? Who asks is known by now (passwords are checked by the caller); what roles allow is the matter
 * of an API's rules, one file each: `etcd-v2.ts`.
 */

/** Who asks. */
export type Principal =
  /** Nobody in particular: no credentials were given. */
  | { readonly kind: 'guest' }
  /** Somebody whose credentials were found right, with the names of his roles. */
  | { readonly kind: 'user'; readonly name: string; readonly roles: readonly string[] }
  /** Credentials were given and are no good; guest rights do not apply. */
  | { readonly kind: 'stranger'; readonly why: string }

/** The answer, and the rule that gave it in words for logs and people (never for parsing). */
export type Decision =
  | { readonly kind: 'allow'; readonly rule: string }
  | { readonly kind: 'deny'; readonly rule: string }

/** What an API's roles and guests may do: the rule that allows it in words, or undefined. */
export type Rules<Access> = {
  readonly roleAllows: (roleName: string, access: Access) => string | undefined
  readonly guestAllows: (access: Access) => string | undefined
}

/** Whether access is allowed. A user's rights are the union of his roles; guest rights are not added to them. */
export function decide<Access>(principal: Principal, access: Access, rules: Rules<Access>): Decision {
  switch (principal.kind) {
    case 'guest': {
      const rule = rules.guestAllows(access)
      return rule === undefined ? deny('guests may not') : { kind: 'allow', rule }
    }
    case 'user': {
      for (const roleName of principal.roles) {
        const rule = rules.roleAllows(roleName, access)
        if (rule !== undefined) return { kind: 'allow', rule }
      }
      return deny(`no role of user ${principal.name} allows it`)
    }
    case 'stranger':
      return deny(principal.why)
    default:
      return principal satisfies never
  }
}

const deny = (rule: string): Decision => ({ kind: 'deny', rule })
