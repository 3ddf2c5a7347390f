// A camera's address apart from its user and password: taken apart when typed, put together when sent.

export interface SourceParts {
  /** The URL without user and password. */
  address: string;
  user: string;
  password: string;
}

const SCHEME = /^\s*([a-z][a-z0-9+.-]*:\/\/)/i;

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A raw password with a percent sign.
    return text;
  }
}

/** encodeURIComponent leaves !'()* as they are. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

const HOST_AND_PORT = /(?:\[[^[\]@/?#]*\]|[^:@[\]/?#]*)(?::\d*)?(?=[/?]|$)/y;

/** Where the user info of the text after the scheme ends, with any characters in the password; -1 without one. Behind it is a host, with a port of digits if any. */
function endOfUserInfo(rest: string): number {
  for (let at = -1; at < rest.length;) {
    HOST_AND_PORT.lastIndex = at + 1;
    if (HOST_AND_PORT.test(rest)) return at;
    at = rest.indexOf('@', at + 1);
    if (at < 0) break;
  }
  return -1;
}

/** Takes user and password out of a URL as a person types or pastes it, with any characters in the password. */
export function splitSource(url: string): SourceParts {
  const scheme = SCHEME.exec(url)?.[0];
  if (!scheme) return { address: url, user: '', password: '' };
  const rest = url.slice(scheme.length);
  const at = endOfUserInfo(rest);
  if (at < 0) return { address: url, user: '', password: '' };
  const info = rest.slice(0, at);
  const colon = info.indexOf(':');
  const user = colon < 0 ? info : info.slice(0, colon);
  return {
    address: scheme + rest.slice(at + 1),
    user: decode(user),
    password: colon < 0 ? '' : decode(info.slice(colon + 1)),
  };
}

/** The URL with user and password encoded; without both, the address alone. */
export function joinSource({ address, user, password }: SourceParts): string {
  const text = address.trim();
  const scheme = SCHEME.exec(text)?.[0];
  if (!scheme || (!user && !password)) return text;
  return `${scheme}${encode(user)}${password ? `:${encode(password)}` : ''}@${text.slice(scheme.length)}`;
}

const HIDDEN_INFO = /^(\s*[a-z][a-z0-9+.-]*:\/\/)\*{3}@/i;

/** A stored address as the form shows it: without the mark that stands for its hidden user and password. */
export const withoutHiddenInfo = (shown: string): string => shown.replace(HIDDEN_INFO, '$1');

export const hasHiddenInfo = (shown: string): boolean => HIDDEN_INFO.test(shown);
