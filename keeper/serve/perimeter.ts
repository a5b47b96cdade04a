// Who may talk to the server and what a browser may do with its answers. The page is read-only and holds no secret, but
// it stands on an operator's machine: a web site that the operator visits must not read it (DNS rebinding, sockets
// opened across sites), and nothing that a decision's text says may run.
import { isIP } from "node:net";
import type { Problem } from "./wire";

/** Sent with every answer. Scripts and styles come from files only: none inline, none from another host. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

export interface Perimeter {
  /** Null when the request may pass. `host` and `origin` are the request's headers. */
  refusal(host: string | undefined, origin: string | undefined): Problem | null;
}

/**
 * The rule for the Host header: loopback names, the configured host and the names in `allowedHosts`. A server that
 * listens on all interfaces also takes any literal address, which no name can be rebound to.
 */
export function perimeter(configuredHost: string, allowedHosts: readonly string[]): Perimeter {
  const names = new Set<string>([...LOOPBACK_NAMES, bracketed(configuredHost.toLowerCase())]);
  for (const name of allowedHosts) {
    names.add(bracketed(name.toLowerCase()));
  }
  const anyAddress = WILDCARDS.has(configuredHost);

  const known = (hostname: string): boolean =>
    names.has(hostname) || (anyAddress && isIP(hostname.replace(/^\[|\]$/g, "")) !== 0);

  return {
    refusal(host, origin) {
      const authority = parseAuthority(host);
      if (authority === null || !known(authority.hostname)) {
        return {
          code: "HOST_REFUSED",
          field: "Host",
          message: "this server does not answer to that name",
          remedy: "Open the address that the keeper printed, or add the name to serve.allowedHosts.",
        };
      }
      if (origin !== undefined && originAuthority(origin) !== authority.host) {
        return {
          code: "ORIGIN_REFUSED",
          field: "Origin",
          message: "pages of another site may not read this server",
          remedy: "Open the address that the keeper printed.",
        };
      }
      return null;
    },
  };
}

/** An IPv6 address as it stands in a URL; anything else unchanged. */
export function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

function parseAuthority(header: string | undefined): { hostname: string; host: string } | null {
  if (header === undefined || !/^[A-Za-z0-9.\-_:[\]]+$/.test(header)) {
    return null;
  }
  try {
    const { hostname, host } = new URL(`http://${header}`);
    return { hostname, host };
  } catch {
    return null;
  }
}

function originAuthority(origin: string): string | null {
  try {
    const url = new URL(origin);
    return url.protocol === "http:" || url.protocol === "https:" ? url.host : null;
  } catch {
    return null;
  }
}
