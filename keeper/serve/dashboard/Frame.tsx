/** @jsxRuntime automatic */
// Head and foot of the page: whose vault, which chain, how fresh.
import type { PageView } from "../../app/view";
import { countText, shortHex } from "./amounts";
import type { StreamState } from "./stream";
import { networkText, type Tone } from "./words";

interface HeaderProps {
  readonly view: PageView | null;
  readonly stream: StreamState;
}

export function Header({ view, stream }: HeaderProps) {
  const { tone, text } = freshness(view, stream);
  return (
    <header className="top">
      <div className="brand">
        <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" className="mark-ground" />
          <path d="M7 11.500h15.500" className="mark-line" />
          <path d="M18.500 11.500v12c4 0 6.500-3.200 6.500-8 0-1.600-.4-3-1-4z" className="mark-blade" />
        </svg>
        <span className="name">Tiller</span>
      </div>
      {view !== null && (
        <p className="where">
          <span className="network">{networkText(view.network, view.chainId)}</span>
          <span className="address" title={view.vault}>
            <span className="hidden">Vault </span>
            {shortHex(view.vault)}
          </span>
        </p>
      )}
      <p className="stream" role="status">
        <Dot tone={tone} />
        {text}
      </p>
    </header>
  );
}

function freshness(view: PageView | null, stream: StreamState): { tone: Tone; text: string } {
  switch (stream.kind) {
    case "static":
      return { tone: "quiet", text: view === null ? "Waiting" : `As of block ${countText(view.block)}` };
    case "connecting":
      return { tone: "busy", text: "Connecting" };
    case "live":
      return view === null ? { tone: "busy", text: "Waiting for the first block" } : { tone: "good", text: "Live" };
    case "down":
      return { tone: "bad", text: "Disconnected" };
  }
}

export function Dot({ tone }: { readonly tone: Tone }) {
  return <span className={`dot tone-${tone}`} aria-hidden="true" />;
}

export function Footer({ view }: { readonly view: PageView | null }) {
  return (
    <footer className="foot">
      <p>
        {view === null ? "" : `Amounts in ${view.asset.symbol}. `}Times are the chain’s own, in UTC. Rates are a year,
        simple, before rewards. This page only reads; it cannot move money.
      </p>
      <nav aria-label="Data">
        <a href="/api/status">Status</a>
        <a href="/api/view">Everything as JSON</a>
        <a href="/health">Health</a>
      </nav>
    </footer>
  );
}
